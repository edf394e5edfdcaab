package partnercenter

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"mime"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/partnercenter-go/partnercenter/internal/filename"
)

// AttachmentMetadata describes the purchase order that is attached to an
// order; it is the "metadata" part of the upload.
type AttachmentMetadata struct {
	IsPartOfTender *bool          `json:"isPartOfTender,omitzero"` // isPartofTender in some samples
	CustomerPrice  string         `json:"customerPrice,omitzero"`  // decimal text
	Currency       string         `json:"currency,omitzero"`       // ISO 4217
	FxRate         string         `json:"fxRate,omitzero"`         // decimal text
	TenderLink     string         `json:"tenderLink,omitzero"`
	Extra          jsontext.Value `json:",embed"`
}

// OrderAttachment is a file attached to an order.
type OrderAttachment struct {
	AttachmentID   string         `json:"attachmentId,omitzero"` // 14 hex digits
	FileName       string         `json:"fileName,omitzero"`
	SizeInKB       *int           `json:"sizeInKB,omitzero"`
	AttachmentType AttachmentType `json:"attachmentType,omitzero"`
	Extra          jsontext.Value `json:",embed"`
}

// AttachmentsClient accesses the files attached to an order. Get one from
// OrderClient.Attachments.
type AttachmentsClient struct{ order resource }

// Get returns the attachments of the order, without the content of the files;
// see [AttachmentClient.Download].
//
// The error is as for [OrderClient.Get].
//
// https://learn.microsoft.com/partner-center/developer/upload-po-attachments
func (c *AttachmentsClient) Get(ctx context.Context) (*Collection[*OrderAttachment], error) {
	return readList[OrderAttachment](ctx, c.order.name("attachments"))
}

// All yields what Get returns, with the checks of [OrdersClient.All].
func (c *AttachmentsClient) All(ctx context.Context) iter.Seq2[*OrderAttachment, error] {
	return readAll[OrderAttachment](ctx, c.order.name("attachments"))
}

// AttachmentUpload describes the files to attach to an order in one call.
type AttachmentUpload struct {
	// Metadata requires a CustomerPrice and a Currency.
	Metadata AttachmentMetadata
	// PurchaseOrders are the purchase orders, at least one.
	PurchaseOrders []AttachmentFile
	// Tenders are required if Metadata.IsPartOfTender is true and TenderLink is
	// empty.
	Tenders []AttachmentFile
}

// AttachmentFile is a file to attach.
type AttachmentFile struct {
	Name string // without folders
	// Content is read from its start, once per attempt. The caller closes it.
	Content io.ReadSeeker
}

// Upload attaches purchase orders and tenders to an order, and returns the new
// attachments. The order's status changes from pending_po_upload to
// po_upload_complete, and its provisioning begins.
//
// The body is the same for every attempt, and for every call with the same
// content and request id ([WithRequestID]). The error is an [*Error] with
// status 400 if the upload lacks a part or the order does not await one, and as
// for [OrderClient.Get].
//
// https://learn.microsoft.com/partner-center/developer/upload-po-attachments
func (c *AttachmentsClient) Upload(ctx context.Context, upload *AttachmentUpload) (*Collection[*OrderAttachment], error) {
	switch {
	case c.order.err != nil:
		return nil, c.order.err
	case upload == nil:
		return nil, errors.New("partnercenter: the *AttachmentUpload to send is nil: pass one")
	}
	if idsOf(ctx).request == nil {
		ctx = WithRequestID(ctx, NewRequestID())
	}
	body, contentType, err := upload.body(*idsOf(ctx).request)
	if err != nil {
		return nil, err
	}
	attachment := c.order.name("attachment") // singular, unlike the address of the list
	return exchange[Collection[*OrderAttachment]](ctx, attachment, request{method: http.MethodPost, content: body, contentType: contentType})
}

// body returns the upload as multipart/form-data. The boundary is derived from
// the request id, so that a repeated call has the same body.
func (u *AttachmentUpload) body(requestID string) (*multipartBody, string, error) {
	if len(u.PurchaseOrders) == 0 {
		return nil, "", errors.New("partnercenter: there is no purchase order to attach: add one to PurchaseOrders")
	}
	metadata, err := Marshal(u.Metadata)
	if err != nil {
		return nil, "", fmt.Errorf("partnercenter: the metadata cannot be written as JSON: %w", err)
	}
	var text bytes.Buffer
	form := multipart.NewWriter(&text)
	boundary := strings.Map(func(r rune) rune {
		if r == '-' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' {
			return r
		}
		return '-'
	}, requestID)
	if err := form.SetBoundary("partnercenter-" + boundary[:min(len(boundary), 50)]); err != nil {
		return nil, "", err
	}
	body := &multipartBody{}
	// Headers written so far precede the next file.
	flush := func() {
		body.parts = append(body.parts, bytes.NewReader(bytes.Clone(text.Bytes())))
		text.Reset()
	}
	part, err := form.CreatePart(textproto.MIMEHeader{
		"Content-Disposition": {`form-data; name="metadata"`}, "Content-Type": {"application/json"},
	})
	if err != nil {
		return nil, "", err
	}
	if _, err := part.Write(metadata); err != nil {
		return nil, "", err
	}
	for _, group := range []struct {
		field string
		files []AttachmentFile
	}{{"POFiles", u.PurchaseOrders}, {"TenderFiles", u.Tenders}} {
		for _, file := range group.files {
			if file.Name == "" || strings.ContainsAny(file.Name, `/\`) || file.Content == nil {
				return nil, "", fmt.Errorf("partnercenter: attachment %q is not a file: it needs content, and a name without folders", file.Name)
			}
			if _, err := form.CreatePart(textproto.MIMEHeader{
				"Content-Disposition": {multipart.FileContentDisposition(group.field, file.Name)}, "Content-Type": {"application/octet-stream"},
			}); err != nil {
				return nil, "", err
			}
			flush()
			body.parts = append(body.parts, file.Content)
		}
	}
	if err := form.Close(); err != nil {
		return nil, "", err
	}
	flush()
	return body, form.FormDataContentType(), body.measure()
}

// multipartBody reads its parts in sequence. It can be rewound, for retries.
type multipartBody struct {
	parts   []io.ReadSeeker
	sizes   []int64
	size    int64
	current int // index of the current part
	left    int64
}

// measure determines the sizes of the parts. If a file changes its size later,
// the call fails.
func (b *multipartBody) measure() error {
	for _, part := range b.parts {
		size, err := part.Seek(0, io.SeekEnd)
		if err != nil {
			return fmt.Errorf("partnercenter: a file to attach cannot be read from its start: %w", err)
		}
		b.sizes = append(b.sizes, size)
		b.size += size
	}
	_, err := b.Seek(0, io.SeekStart)
	return err
}

// Seek supports what a call needs: the end, for the size, and the start.
func (b *multipartBody) Seek(offset int64, whence int) (int64, error) {
	switch {
	case offset == 0 && whence == io.SeekEnd:
		b.current = len(b.parts)
		return b.size, nil
	case offset == 0 && whence == io.SeekStart:
		return 0, b.start(0)
	}
	return 0, errors.New("partnercenter: an upload can only be read from its start")
}

func (b *multipartBody) start(part int) error {
	b.current = part
	if part == len(b.parts) {
		return nil
	}
	b.left = b.sizes[part]
	_, err := b.parts[part].Seek(0, io.SeekStart)
	return err
}

func (b *multipartBody) Read(p []byte) (int, error) {
	for b.current < len(b.parts) {
		if b.left == 0 {
			if err := b.start(b.current + 1); err != nil {
				return 0, err
			}
			continue
		}
		n, err := b.parts[b.current].Read(p[:min(int64(len(p)), b.left)])
		b.left -= int64(n)
		if errors.Is(err, io.EOF) {
			err = nil
			if b.left > 0 {
				err = errors.New("partnercenter: a file to attach became shorter while it was read: try again when it no longer changes")
			}
		}
		if n > 0 || err != nil {
			return n, err
		}
	}
	return 0, io.EOF
}

// ByID selects an attachment.
func (c *AttachmentsClient) ByID(id string) *AttachmentClient {
	return &AttachmentClient{c.order.name("attachment").id("attachment id", id)}
}

// AttachmentClient accesses a file attached to an order. Get one from
// [AttachmentsClient.ByID].
type AttachmentClient struct{ resource }

// MaxAttachmentSize is the maximum number of bytes of a file that
// [AttachmentClient.Download] returns, far more than a purchase order needs.
const MaxAttachmentSize = 256 << 20

// AttachmentContent is a file that is being downloaded.
type AttachmentContent struct {
	// Body is the content. Read it to its end, then close it. It fails if the
	// file is cut off, with [context.DeadlineExceeded] if nothing more arrives
	// within the client's Retry.TryTimeout, or with [ErrAttachmentTooLarge], beyond
	// the client's MaxAnswerSize, too.
	Body io.ReadCloser
	// Name is SentName made safe for a new file in the current folder: without folders,
	// a dot or a hyphen in front, characters that cannot be seen, and what is special on
	// Windows. It is empty if nothing is left.
	Name        string
	SentName    string // without folders; empty if the service sends none
	ContentType string
	Size        int64 // in bytes; -1 if unknown
}

// Download returns the file. The caller must close its Body.
//
// The error is an [*Error] with status 404 for an unknown attachment, and as for
// [OrderClient.Get].
//
// https://learn.microsoft.com/partner-center/developer/upload-po-attachments
func (c *AttachmentClient) Download(ctx context.Context) (*AttachmentContent, error) {
	address, err := c.address()
	if err != nil {
		return nil, err
	}
	req := request{method: http.MethodGet, address: address, header: http.Header{"Accept": {"*/*"}}, stream: true}
	resp, _, err := c.client.do(ctx, req) //nolint:bodyclose // closed by the caller
	if err != nil {
		return nil, err
	}
	kind, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	if resp.StatusCode != http.StatusOK || kind == "application/json" && resp.Header.Get("Content-Disposition") == "" {
		body, err := io.ReadAll(io.LimitReader(resp.Body, errorTextLimit))
		resp.Body.Close()
		return nil, undocumented(resp, body, errors.Join(errors.New("the answer is no file"), err))
	}
	content := &AttachmentContent{
		Body:        &limitedBody{body: attachmentBody{resp.Body}, left: MaxAttachmentSize, err: ErrAttachmentTooLarge},
		ContentType: resp.Header.Get("Content-Type"),
		Size:        resp.ContentLength,
	}
	if _, parameters, err := mime.ParseMediaType(resp.Header.Get("Content-Disposition")); err == nil {
		content.SentName = filename.Base(parameters["filename"])
		content.Name = filename.Clean(content.SentName)
	}
	return content, nil
}

// attachmentBody says of a file that is larger than any answer may be that it is larger
// than an attachment may be.
type attachmentBody struct{ io.ReadCloser }

func (b attachmentBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if errors.As(err, new(*LargeAnswerError)) {
		err = fmt.Errorf("%w: %w", ErrAttachmentTooLarge, err)
	}
	return n, err
}
