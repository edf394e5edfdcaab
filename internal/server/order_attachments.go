package server

import (
	"context"
	crand "crypto/rand"
	"encoding/hex"
	"io"
	"mime"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/internal/lifecycle"
	"github.com/partnercenter-go/partnercenter/internal/store"
)

// binaryType is the content type of every attachment. The type that its sender declared
// could make a browser execute it.
const binaryType = "application/octet-stream"

// downloadRoom bounds the bytes of downloads in memory at a time. It is separate from
// [uploadRoom], so that a client that uploads what it downloads does not deadlock with
// itself.
const downloadRoom = 4 * maxFile

// uploadAttachments attaches the files of a multipart body to an order that waits for
// its purchase order, and lets the order continue.
func (s *Server) uploadAttachments(c *call) error {
	deadline := time.Now().Add(uploadTimeout)
	// A writer without deadlines has none to extend.
	_ = http.NewResponseController(c.w).SetReadDeadline(deadline)
	body := &begunBody{Reader: unlimitedBody(c.r)}
	err := errUploadTooLarge
	if c.r.ContentLength <= maxUpload {
		err = s.attach(c, http.MaxBytesReader(nil, io.NopCloser(body), maxUpload), deadline)
	}
	// A client that sent Expect: 100-continue sends the body once it is read.
	if err != nil && (body.begun || !strings.EqualFold(c.r.Header.Get("Expect"), "100-continue")) {
		_, _ = io.CopyN(io.Discard, body, maxUploadDrained)
	}
	return err
}

// begunBody notes whether a body was read from.
type begunBody struct {
	io.Reader
	begun bool
}

func (b *begunBody) Read(p []byte) (int, error) {
	b.begun = true
	return b.Reader.Read(p)
}

// attach waits for memory for the upload, reads it and attaches its files.
func (s *Server) attach(c *call, body io.Reader, deadline time.Time) error {
	room := c.r.ContentLength
	if room < 0 { // the length is not declared
		room = maxUpload
	}
	turn, cancel := context.WithDeadline(c.r.Context(), deadline)
	defer cancel()
	if err := s.uploads.Acquire(turn, room); err != nil {
		return errBusy(c.r.Context())
	}
	defer s.uploads.Release(room)
	u, err := parseUpload(body, c.r.Header.Get("Content-Type"))
	if err != nil {
		return err
	}
	return s.writeOnce(c, u.fingerprint(), func(ctx context.Context) (*writeResult, error) {
		found, err := s.order(ctx, c, c.param("order-id"))
		if err != nil {
			return nil, err
		}
		before, err := s.config.Store.Attachments(ctx, c.claims.TenantID, c.customer, found.order.Document.ID)
		if err != nil {
			return nil, err
		}
		if len(before)+len(u.files) > maxAttachments {
			return nil, errTooManyAttachments(len(before))
		}
		next, events, err := lifecycle.AttachPurchaseOrder(found.order, u.command(), s.config.Rules, s.now())
		if err != nil {
			return nil, err
		}
		change, err := s.orderChange(c, decision{order: next, record: found.record})
		if err != nil {
			return nil, err
		}
		change.Attachments = slices.Clone(u.files)
		for i := range change.Attachments {
			change.Attachments[i].ID, change.Attachments[i].Metadata = newAttachmentID(), string(u.raw)
		}
		// The answer lists the files of this upload; earlier ones are in the list.
		answer, err := partnercenter.Marshal(collection(orderAttachments(change.Attachments), ""))
		return &writeResult{status: http.StatusCreated, body: answer, change: change, events: events}, err
	})
}

// maxAttachments is the number of files that an order may have, which bounds the disk
// space they take.
const maxAttachments = 100

func newAttachmentID() string {
	var id [7]byte
	crand.Read(id[:]) // never fails
	return hex.EncodeToString(id[:])
}

// listAttachments answers with the files attached to an order.
func (s *Server) listAttachments(c *call) error {
	orderID := c.param("order-id")
	list, err := s.config.Store.Attachments(c.r.Context(), c.claims.TenantID, c.customer, orderID)
	if err != nil {
		return err
	}
	return c.writeJSON(collection(orderAttachments(list), "/customers/"+c.customer+"/orders/"+orderID+"/attachments"))
}

// downloadAttachment answers with the content of a file.
func (s *Server) downloadAttachment(c *call) error {
	ctx, partnerID, orderID, id := c.r.Context(), c.claims.TenantID, c.param("order-id"), c.param("attachment-id")
	list, err := s.config.Store.Attachments(ctx, partnerID, c.customer, orderID)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(list, func(a store.Attachment) bool { return strings.EqualFold(a.ID, id) })
	if i < 0 {
		return errAttachmentNotFound(id)
	}
	turn, cancel := context.WithTimeout(ctx, uploadTimeout)
	defer cancel()
	if err := s.downloads.Acquire(turn, list[i].Size); err != nil {
		return errBusy(ctx)
	}
	defer s.downloads.Release(list[i].Size)
	a, err := s.config.Store.GetAttachment(ctx, partnerID, c.customer, orderID, list[i].ID)
	if err != nil {
		return err
	}
	c.writeFile(a.FileName, a.Content)
	return nil
}

// writeFile sends a file for saving, never for display.
func (c *call) writeFile(name string, content []byte) {
	h := c.setHeaders(len(content))
	h["Content-Type"] = []string{binaryType}
	h["Content-Disposition"] = []string{mime.FormatMediaType("attachment", map[string]string{"filename": name})}
	h["X-Content-Type-Options"] = []string{"nosniff"}
	c.send(http.StatusOK, content)
}

func orderAttachments(list []store.Attachment) []*partnercenter.OrderAttachment {
	items := make([]*partnercenter.OrderAttachment, len(list))
	for i := range list {
		const kilobyte = 1 << 10
		items[i] = &partnercenter.OrderAttachment{
			AttachmentID: list[i].ID, FileName: list[i].FileName,
			SizeInKB: new(int((list[i].Size + kilobyte - 1) / kilobyte)), AttachmentType: attachmentType(&list[i]),
		}
	}
	return items
}

func attachmentType(a *store.Attachment) partnercenter.AttachmentType {
	if a.Tender {
		return partnercenter.AttachmentTypeTender
	}
	return partnercenter.AttachmentTypePurchaseOrder
}
