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
)

// AttachmentMetadata describes the purchase order that is attached to an
// order; it is the "metadata" part of the upload.
type AttachmentMetadata struct {
	IsPartOfTender *bool          `json:"isPartOfTender,omitzero"` // samples also write isPartofTender
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

// AttachmentsClient reaches the files attached to an order. Get it from
// [OrderClient.Attachments].
type AttachmentsClient struct{ order resource }

// Get returns what is attached to the order; [AttachmentClient.Download] has
// the files themselves.
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

// AttachmentUpload is what is attached to an order at once.
type AttachmentUpload struct {
	// Metadata needs a CustomerPrice and a Currency.
	Metadata AttachmentMetadata
	// PurchaseOrders are the purchase orders, at least one.
	PurchaseOrders []AttachmentFile
	// Tenders are needed when Metadata.IsPartOfTender is true and there is no
	// TenderLink.
	Tenders []AttachmentFile
}

// AttachmentFile is a file to attach.
type AttachmentFile struct {
	Name string // without folders
	// Content is read from its beginning, once a try. The caller closes it.
	Content io.ReadSeeker
}

// Upload attaches purchase orders, and tenders, to an order, and returns what
// is attached by it. The order's status goes from pending_po_upload to
// po_upload_complete, and its provisioning begins.
//
// The body is the same at every try, and at every call with the same content
// and request id ([WithRequestID]). The error is an [*Error] with status 400 for
// an upload that lacks a part or comes to an order that asks for none, and as
// for [OrderClient.Get].
//
// https://learn.microsoft.com/partner-center/developer/upload-po-attachments
func (c *AttachmentsClient) Upload(ctx context.Context, upload *AttachmentUpload) (*Collection[*OrderAttachment], error) {
	if c.order.err != nil {
		return nil, c.order.err
	}
	v, _ := ctx.Value(idsKey{}).(ids)
	if v.request == "" {
		v.request = NewRequestID()
		ctx = WithRequestID(ctx, v.request)
	}
	body, contentType, err := upload.body(v.request)
	if err != nil {
		return nil, err
	}
	attachment := c.order.name("attachment") // one, unlike the list's address
	return exchange[Collection[*OrderAttachment]](ctx, attachment, request{method: http.MethodPost, content: body, contentType: contentType})
}

// body returns the upload as multipart/form-data. The boundary is made of the
// call's request id, so that the same call always has the same body; by
// chance, no file has that text in it.
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
	// What the form wrote so far comes before the next file.
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
				return nil, "", fmt.Errorf("partnercenter: attachment %q is no file: it needs content, and a name without folders", file.Name)
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

// multipartBody reads its parts one after the other, and can start again, which
// retries need.
type multipartBody struct {
	parts []io.ReadSeeker
	sizes []int64
	size  int64
	at    int // part that is read
	left  int64
}

// measure finds the parts' sizes. A file that changes its size later fails the
// call rather than garble it.
func (b *multipartBody) measure() error {
	for _, part := range b.parts {
		size, err := part.Seek(0, io.SeekEnd)
		if err != nil {
			return fmt.Errorf("partnercenter: a file to attach cannot be read from its beginning: %w", err)
		}
		b.sizes = append(b.sizes, size)
		b.size += size
	}
	_, err := b.Seek(0, io.SeekStart)
	return err
}

// Seek knows the two places that a call looks at: the end, for the size, and
// the beginning.
func (b *multipartBody) Seek(offset int64, whence int) (int64, error) {
	switch {
	case offset == 0 && whence == io.SeekEnd:
		b.at = len(b.parts)
		return b.size, nil
	case offset == 0 && whence == io.SeekStart:
		return 0, b.start(0)
	}
	return 0, errors.New("partnercenter: an upload is read from its beginning only")
}

func (b *multipartBody) start(part int) error {
	b.at = part
	if part == len(b.parts) {
		return nil
	}
	b.left = b.sizes[part]
	_, err := b.parts[part].Seek(0, io.SeekStart)
	return err
}

func (b *multipartBody) Read(p []byte) (int, error) {
	for b.at < len(b.parts) {
		if b.left == 0 {
			if err := b.start(b.at + 1); err != nil {
				return 0, err
			}
			continue
		}
		n, err := b.parts[b.at].Read(p[:min(int64(len(p)), b.left)])
		b.left -= int64(n)
		if errors.Is(err, io.EOF) {
			err = nil
			if b.left > 0 {
				err = errors.New("partnercenter: a file to attach became shorter while it was read: try again when it does not change")
			}
		}
		if n > 0 || err != nil {
			return n, err
		}
	}
	return 0, io.EOF
}

// ByID reaches one attachment.
func (c *AttachmentsClient) ByID(id string) *AttachmentClient {
	return &AttachmentClient{c.order.name("attachment").id("attachment id", id)}
}

// AttachmentClient reaches one file attached to an order. Get it from
// [AttachmentsClient.ByID].
type AttachmentClient struct{ resource }

// MaxAttachmentSize is how many bytes of a file [AttachmentClient.Download]
// gives at most: far more than any purchase order has.
const MaxAttachmentSize = 256 << 20

// AttachmentContent is a file on its way from the service.
type AttachmentContent struct {
	// Body is the file. Read it to its end, then close it. It ends in an error
	// if the file breaks off, and in [ErrAttachmentTooLarge].
	Body        io.ReadCloser
	Name        string // without folders; empty when the service gives none
	ContentType string
	Size        int64 // in bytes; -1 when the service does not say
}

// Download returns the file. The caller closes its Body.
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
	resp, _, err := c.client.do(ctx, req) //nolint:bodyclose // the caller does
	if err != nil {
		return nil, err
	}
	content := &AttachmentContent{
		Body:        &limitedBody{body: resp.Body, left: MaxAttachmentSize},
		ContentType: resp.Header.Get("Content-Type"),
		Size:        resp.ContentLength,
	}
	if _, parameters, err := mime.ParseMediaType(resp.Header.Get("Content-Disposition")); err == nil {
		name := parameters["filename"]
		content.Name = name[strings.LastIndexAny(name, `/\`)+1:]
	}
	return content, nil
}

// limitedBody fails rather than go on for ever.
type limitedBody struct {
	body io.ReadCloser
	left int64
}

func (l *limitedBody) Read(p []byte) (int, error) {
	if l.left < 0 {
		return 0, ErrAttachmentTooLarge
	}
	if int64(len(p)) > l.left+1 {
		p = p[:l.left+1] // one more, to see whether there is more
	}
	n, err := l.body.Read(p)
	if l.left -= int64(n); l.left < 0 {
		return n - 1, ErrAttachmentTooLarge
	}
	return n, err
}

func (l *limitedBody) Close() error { return l.body.Close() }
