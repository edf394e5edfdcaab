package server

import (
	"context"
	crand "crypto/rand"
	"encoding/hex"
	"io"
	"mime"
	"net/http"
	"slices"
	"time"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/internal/ascii"
	"github.com/partnercenter-go/partnercenter/internal/lifecycle"
	"github.com/partnercenter-go/partnercenter/internal/store"
)

// binaryType is the content type of every attachment. The type that its sender declared
// could make a browser execute it.
const binaryType = "application/octet-stream"

// uploadAttachments attaches the files of a multipart body to an order that waits for
// its purchase order, and lets the order continue.
func (s *Server) uploadAttachments(c *call) error {
	deadline := time.Now().Add(uploadTimeout)
	body := &begunBody{Reader: unlimitedBody(c.r)}
	err := s.attach(c, body, deadline)
	// A client that sent Expect: 100-continue sends the body once it is read.
	if err == nil || !body.begun && ascii.EqualFold(c.r.Header.Get("Expect"), "100-continue") {
		return err
	}
	if c.r.ProtoMajor > 1 {
		return err // the stream ends with the answer, and the connection goes on
	}
	// The refusal does not wait for the rest of the body, but the connection waits for
	// it: many senders look for an answer only after all of it.
	control := http.NewResponseController(c.w)
	_ = control.EnableFullDuplex() // a writer that cannot answers later
	s.refuse(c, err)
	_ = control.Flush()
	_, _ = c.receive(io.Discard, io.LimitReader(body, maxUploadDrained), deadline)
	return nil
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

// attach receives the upload and attaches its files. The order is looked at first: an
// upload that cannot be accepted takes no part of what others need.
func (s *Server) attach(c *call, body io.Reader, deadline time.Time) error {
	turn, cancel := context.WithDeadline(c.r.Context(), deadline)
	defer cancel()
	found, err := s.order(turn, c, c.param("order-id"))
	if err != nil {
		return err
	}
	boundary, err := boundaryOf(c.r.Header.Get("Content-Type"))
	if err != nil {
		return err
	}
	if c.r.ContentLength > maxUpload {
		return errUploadTooLarge
	}
	if err := s.checkAttachable(turn, c, found.order); err != nil {
		return err
	}
	giveBack, err := s.uploads.take(turn, c)
	if err != nil {
		return err
	}
	defer giveBack()
	file, err := s.newSpool()
	if err != nil {
		return err
	}
	defer file.Close()
	size, err := c.receive(file, http.MaxBytesReader(nil, io.NopCloser(body), maxUpload), deadline)
	if err != nil {
		return err
	}
	if err := s.files.Acquire(turn, size); err != nil {
		return errBusy(c.r.Context())
	}
	defer s.files.Release(size)
	u, err := parseUpload(io.NewSectionReader(file, 0, size), boundary)
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

// checkAttachable refuses an upload to an order that takes none, unless it repeats one
// that was accepted.
func (s *Server) checkAttachable(ctx context.Context, c *call, o *lifecycle.Order) error {
	answer, err := c.idempotencyKey(nil)
	if err != nil {
		return err // it would be refused once the body is there, too
	}
	refused := lifecycle.CanAttach(o, s.now())
	if refused == nil || answer == nil { // without an id it repeats nothing
		return refused
	}
	before, err := s.config.Store.Answered(ctx, c.claims.TenantID, c.customer, answer.Key)
	if before != nil || err != nil {
		return err
	}
	return refused
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
	if err := c.enter(s.work.reads); err != nil {
		return err
	}
	list, err := s.config.Store.Attachments(ctx, partnerID, c.customer, orderID)
	if err != nil {
		return err
	}
	c.leave() // transfers have turns of their own, which last
	i := slices.IndexFunc(list, func(a store.Attachment) bool { return ascii.EqualFold(a.ID, id) })
	if i < 0 {
		return errAttachmentNotFound(id)
	}
	turn, cancel := context.WithTimeout(ctx, uploadTimeout)
	defer cancel()
	giveBack, err := s.downloads.take(turn, c)
	if err != nil {
		return err
	}
	defer giveBack()
	file, err := s.newSpool()
	if err != nil {
		return err
	}
	defer file.Close()
	if err := s.copyAttachment(turn, c, &list[i], file); err != nil {
		return err
	}
	c.writeFile(list[i].FileName, file, list[i].Size)
	return nil
}

// copyAttachment copies the content of a file from the database.
func (s *Server) copyAttachment(ctx context.Context, c *call, listed *store.Attachment, to io.Writer) error {
	if err := s.files.Acquire(ctx, listed.Size); err != nil {
		return errBusy(c.r.Context())
	}
	defer s.files.Release(listed.Size)
	a, err := s.config.Store.GetAttachment(ctx, c.claims.TenantID, c.customer, c.param("order-id"), listed.ID)
	if err != nil {
		return err
	}
	if _, err := to.Write(a.Content); err != nil {
		return spoolError(err)
	}
	return nil
}

// writeFile sends a file for saving, never for display.
func (c *call) writeFile(name string, content io.ReaderAt, size int64) {
	h := c.setHeaders(int(size))
	h["Content-Type"] = []string{binaryType}
	h["Content-Disposition"] = []string{mime.FormatMediaType("attachment", map[string]string{"filename": name})}
	h["X-Content-Type-Options"] = []string{"nosniff"}
	c.status, c.size = http.StatusOK, int(size)
	c.w.WriteHeader(c.status)
	// A failed write means that the client is gone, which net/http notices.
	_, _ = io.Copy(c.w, io.NewSectionReader(content, 0, size))
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
