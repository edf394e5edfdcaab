package server

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/internal/ascii"
	"github.com/partnercenter-go/partnercenter/internal/lifecycle"
	"github.com/partnercenter-go/partnercenter/internal/quote"
	"github.com/partnercenter-go/partnercenter/internal/store"
)

// Limits of an upload. The service documents none; these fit any scanned purchase
// order, and keep memory and database small.
const (
	maxUpload   = 32 << 20 // bytes of the whole body
	maxFile     = 16 << 20 // bytes
	maxFiles    = 20
	maxMetadata = 64 << 10 // bytes
	maxFileName = 255      // bytes, as file systems have it
	// maxUploadDrained is how much of a refused upload is read and discarded, so that
	// the sender gets the refusal instead of a broken connection.
	maxUploadDrained = 128 << 20
	// uploadTimeout bounds an upload, including the wait for its turn, and leaves some
	// time for the answer.
	uploadTimeout = writeTimeout - 30*time.Second
)

// upload is the content of a body's parts.
type upload struct {
	metadata *partnercenter.AttachmentMetadata // nil when there is none
	raw      []byte                            // the metadata as it was sent
	files    []store.Attachment                // without ids
}

// command returns the command for the rules.
func (u *upload) command() lifecycle.Attachment {
	a := lifecycle.Attachment{Metadata: u.metadata}
	for i := range u.files {
		if u.files[i].Tender {
			a.Tenders++
		} else {
			a.PurchaseOrders++
		}
	}
	return a
}

// fingerprint identifies the upload's content: kinds, names and bytes. The encoding of
// a body, such as its boundary, differs between tries.
func (u *upload) fingerprint() []byte {
	var all []byte
	add := func(data []byte) {
		sum := sha256.Sum256(data)
		all = append(all, sum[:]...)
	}
	add(u.raw)
	for i := range u.files {
		add([]byte(attachmentType(&u.files[i])))
		add([]byte(u.files[i].FileName))
		add(u.files[i].Content)
	}
	return all
}

// boundaryOf returns what separates the parts of a body.
func boundaryOf(contentType string) (string, error) {
	mediaType, parameters, err := mime.ParseMediaType(contentType)
	switch {
	case err != nil || mediaType != "multipart/form-data":
		return "", errBody("its content type is "+quote.Text(contentType)+" rather than multipart/form-data", "send metadata and files as parts of such a body")
	case parameters["boundary"] == "":
		return "", errBody("its content type names no boundary", "let the HTTP library write the Content-Type header, as it knows the boundary")
	}
	return parameters["boundary"], nil
}

// parseUpload reads the parts of a multipart body; the only limit it does not check is
// that of the body's size. It does not look at extension or content, which are the
// sender's business.
func parseUpload(body io.Reader, boundary string) (*upload, error) {
	u := new(upload)
	for parts := multipart.NewReader(requireFinalBoundary(body), boundary); ; {
		part, err := parts.NextRawPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err == nil {
			err = u.add(part)
		}
		if err != nil {
			return nil, uploadError(err)
		}
	}
	if _, err := io.Copy(io.Discard, body); err != nil { // ignore what follows the last part
		return nil, uploadError(err)
	}
	return u, nil
}

// requireFinalBoundary makes a body that ends before its final boundary fail: the
// multipart reader accepts some such ends, and so would lose files. A final boundary
// does not need the line break that is added.
func requireFinalBoundary(body io.Reader) io.Reader {
	return io.MultiReader(body, strings.NewReader("\r\n"), unexpectedEOF{})
}

type unexpectedEOF struct{}

func (unexpectedEOF) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// uploadError words the error of reading a body.
func uploadError(err error) error {
	var worded *apiError
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &worded):
		return err
	case errors.As(err, &tooLarge):
		return errUploadTooLarge
	}
	return errBody("it is not a complete, well-formed multipart body with the boundary in its content type", "send it again, as an HTTP library writes it")
}

// add reads one part. Names are case-insensitive, because the documented samples
// disagree about them.
func (u *upload) add(part *multipart.Part) error {
	disposition, values, err := mime.ParseMediaType(part.Header.Get("Content-Disposition"))
	name := values["name"]
	switch {
	case err != nil || disposition != "form-data" || name == "":
		return errBody("a part has no name", "give each part a Content-Disposition such as "+`form-data; name="POFiles"; filename="po.pdf"`)
	case strings.HasPrefix(ascii.ToLower(ascii.TrimSpace(part.Header.Get("Content-Type"))), "multipart/"):
		return errBody("part "+quote.Text(name)+" has parts of its own", "send each file as a part of the whole body")
	}
	switch ascii.ToLower(part.Header.Get("Content-Transfer-Encoding")) {
	case "", "binary", "8bit", "7bit":
	default:
		return errBody("part "+quote.Text(name)+" is in a transfer encoding", "send its bytes as they are")
	}
	switch ascii.ToLower(name) {
	case "metadata":
		return u.addMetadata(part)
	case "pofiles":
		return u.addFile(part, name, values, false)
	case "tenderfiles", "tender":
		return u.addFile(part, name, values, true)
	}
	return errBadQuery("part "+quote.Text(name)+" is not one of an upload's", "send the parts metadata, POFiles and TenderFiles only")
}

func (u *upload) addMetadata(part io.Reader) error {
	if u.metadata != nil {
		return errBody("it has more than one part metadata", "send one for all files")
	}
	data, err := io.ReadAll(io.LimitReader(part, maxMetadata+1))
	if err != nil {
		return err
	}
	if len(data) > maxMetadata {
		return errPartTooLarge("part metadata", maxMetadata)
	}
	u.raw, u.metadata = bytes.TrimPrefix(data, byteOrderMark), new(partnercenter.AttachmentMetadata)
	err = decodeJSON(u.raw, u.metadata)
	if worded, ok := errors.AsType[*apiError](err); ok { // its words are about the body
		return fail(worded.status, worded.code, "Part metadata: "+worded.description)
	}
	return err
}

func (u *upload) addFile(part *multipart.Part, name string, values map[string]string, tender bool) error {
	fileName, err := baseName(values["filename"])
	if err != nil {
		return err
	}
	if fileName == "" {
		return errBadQuery("part "+quote.Text(name)+" has no file name", "send each file with a name, without a folder")
	}
	if len(u.files) == maxFiles {
		return fail(http.StatusRequestEntityTooLarge, partnercenter.ErrorCodeInvalidInput, fmt.Sprintf("Invalid request input: the upload has more than %d files. Send the others in further uploads.", maxFiles))
	}
	content, err := io.ReadAll(io.LimitReader(part, maxFile+1))
	switch {
	case err != nil:
		return err
	case len(content) > maxFile:
		return errPartTooLarge("file "+quote.Text(fileName), maxFile)
	case len(content) == 0:
		return errBadQuery("file "+quote.Text(fileName)+" is empty", "send the file with its content")
	}
	u.files = append(u.files, store.Attachment{
		FileName: fileName, ContentType: mediaTypeOf(part.Header.Get("Content-Type")), Tender: tender,
		Size: int64(len(content)), Content: content,
	})
	return nil
}

// baseName strips the folders from a file name, also Windows ones: some browsers and
// scripts send whole paths. The server never uses the name as a path, but clients that
// download the file may; names that could harm or mislead them are refused.
func baseName(sent string) (string, error) {
	name := strings.TrimSpace(sent[strings.LastIndexAny(sent, `/\`)+1:])
	var problem string
	switch {
	case name == "." || name == "..":
		problem = "names a folder"
	case len(name) > maxFileName:
		problem = fmt.Sprintf("has more than %d bytes", maxFileName)
	case !utf8.ValidString(name):
		problem = "is not UTF-8"
	case strings.ContainsFunc(name, func(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) }):
		problem = "has control characters"
	default:
		return name, nil
	}
	return "", errBadQuery("the file name "+quote.Text(sent)+" "+problem, "send a plain name such as po.pdf")
}

// mediaTypeOf normalizes the content type of a part.
func mediaTypeOf(sent string) string {
	mediaType, _, err := mime.ParseMediaType(sent)
	if err != nil || len(mediaType) > maxEchoed {
		return binaryType
	}
	return mediaType
}
