package server_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/internal/contract/contracttest"
	"github.com/partnercenter-go/partnercenter/partnercentertest"
)

const (
	// boundary has characters that a content type has to quote.
	boundary = "7f0c:a=b/c"
	metadata = `{"customerPrice":"156.87","currency":"CAD"}`
	// needsPO is an order for an item that waits for its purchase order, with a
	// subscription.
	needsPO = `{"billingCycle":"one_time","lineItems":[
		{"lineItemNumber":0,"offerId":"DG7GMGF0D7FV:0003:DG7GMGF0D609","quantity":1},
		{"lineItemNumber":1,"offerId":"DG7GMGF0F19K:0004:DG7GMGF0D5XP","termDuration":"P1Y","quantity":1}]}`
)

// part is one part of a multipart body. Header stands in for all others.
type part struct{ name, file, content, header string }

func multipartBody(boundary string, parts ...part) string {
	var b strings.Builder
	for _, p := range parts {
		b.WriteString("--" + boundary + "\r\n")
		switch {
		case p.header != "":
			b.WriteString(p.header)
		case p.file != "":
			fmt.Fprintf(&b, "Content-Disposition: form-data; name=%q; filename=%q\r\nContent-Type: application/pdf\r\n", p.name, p.file)
		default:
			fmt.Fprintf(&b, "Content-Disposition: form-data; name=%q\r\n", p.name)
		}
		b.WriteString("\r\n" + p.content + "\r\n")
	}
	b.WriteString("--" + boundary + "--\r\n")
	return b.String()
}

func multipartType(boundary string) string {
	return `multipart/form-data; boundary="` + boundary + `"`
}

// upload is the row of a table for a body of parts.
func upload(name, path string, parts ...part) request {
	return request{
		name: name, method: http.MethodPost, path: path + "/attachment", header: http.Header{"Content-Type": {multipartType(boundary)}},
		body: multipartBody(boundary, parts...), status: http.StatusCreated,
	}
}

func (r request) refused(status int, code partnercenter.ErrorCode, must ...string) request {
	r.status, r.code, r.must = status, code, must
	return r
}

// placeOrder places an order and returns its path.
func placeOrder(t *testing.T, url, token, body string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url+seedOrders, strings.NewReader(body))
	must(t, err)
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	must(t, err)
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	must(t, err)
	var order partnercenter.Order
	must(t, partnercenter.Unmarshal(answer, &order))
	if resp.StatusCode != http.StatusCreated || order.Status != partnercenter.OrderStatusPendingPOUpload {
		t.Fatalf("placing answered %d %s", resp.StatusCode, answer)
	}
	return seedOrders + "/" + order.ID
}

// look makes a request that the test is not about.
func (a *api) look(t *testing.T, path string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, a.URL+path, nil)
	must(t, err)
	req.Header.Set("Authorization", "Bearer "+a.token)
	resp, err := http.DefaultClient.Do(req)
	must(t, err)
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	must(t, err)
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("%s answered %d %s", path, resp.StatusCode, answer)
	}
	return string(answer)
}

func attachments(t *testing.T, answer []byte) []*partnercenter.OrderAttachment {
	t.Helper()
	var list partnercenter.Collection[*partnercenter.OrderAttachment]
	if err := partnercenter.Unmarshal(answer, &list); err != nil {
		t.Fatalf("%v: %s", err, answer)
	}
	return list.Items
}

// TestAttachPurchaseOrder follows an order from its purchase to its
// subscription.
func TestAttachPurchaseOrder(t *testing.T) {
	log := new(syncedLog)
	a := newAPI(t, partnercentertest.Options{ProvisioningTime: 5 * time.Minute, Log: log}).as(t, adminAgent)
	a.Clock().Freeze()
	path := placeOrder(t, a.URL, a.token, needsPO)
	orderID := path[strings.LastIndex(path, "/")+1:]
	expect := func(path string, patterns ...string) {
		t.Helper()
		answer := a.look(t, path)
		for _, pattern := range patterns {
			if !regexp.MustCompile(pattern).MatchString(answer) {
				t.Errorf("%s lacks %s: %s", path, pattern, answer)
			}
		}
	}
	token := a.token
	a.Clock().Advance(time.Hour)
	a.token = a.mint(t)
	expect(path, `"status":"pending_po_upload"`)
	expect(path+"/provisioningstatus", `"lineItemNumber":0,"orderLineItemId":0,"status":"unfulfilled"`, `"lineItemNumber":1,"orderLineItemId":1,"status":"unfulfilled"`)
	expect("/v1/customers/"+seedCustomer+"/subscriptions?order_id="+orderID, `"totalCount":0`)
	a.run(t, []request{
		{name: "nothing yet", path: path + "/attachments", status: 200, must: []string{`"totalCount":0,"items":[]`, path[len("/v1"):] + "/attachments"}},
		upload("upload", path, part{name: "metadata", content: metadata}, part{name: "POFiles", file: "po.pdf", content: strings.Repeat("x", 2049)}),
	})
	expect(path, `"status":"po_upload_complete"`)
	expect(path+"/provisioningstatus", `"lineItemNumber":0,"orderLineItemId":0,"status":"prefulfillmentPending"`, `"lineItemNumber":1,"orderLineItemId":1,"status":"prefulfillmentPending"`)
	expect("/v1/customers/"+seedCustomer+"/subscriptions?order_id="+orderID, `"totalCount":0`)
	a.Clock().Advance(5 * time.Minute)
	expect(path, `"status":"po_upload_complete"`, `"subscriptionId":"`)
	expect(path+"/provisioningstatus", `"lineItemNumber":0,"orderLineItemId":0,"status":"fulfilled"`, `"lineItemNumber":1,"orderLineItemId":1,"status":"fulfilled"`)
	expect("/v1/customers/"+seedCustomer+"/subscriptions?order_id="+orderID, `"totalCount":1`, `"orderId":"`+orderID)
	log.await(t, `"event":"purchase order attached"`)
	if told := log.String(); !strings.Contains(told, `"event":"purchase order attached"`) || strings.Contains(told, "po.pdf") || strings.Contains(told, token) {
		t.Errorf("the log should tell the event and no names: %s", told)
	}
	// More files can be attached, and completed steps stay completed.
	a.run(t, []request{upload("again", path, part{name: "metadata", content: metadata}, part{name: "POFiles", file: "po2.pdf", content: "x"})})
	_, list := a.do(t, request{path: path + "/attachments", status: 200})
	if got := attachments(t, list); len(got) != 2 || got[0].FileName != "po.pdf" || *got[0].SizeInKB != 3 || got[1].FileName != "po2.pdf" || *got[1].SizeInKB != 1 {
		t.Errorf("the list is %s", list)
	}
}

// syncedLog is a log that is read while it is written.
type syncedLog struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *syncedLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *syncedLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// await waits until the log has a text.
func (l *syncedLog) await(t *testing.T, text string) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !strings.Contains(l.String(), text) && time.Now().Before(end); {
		time.Sleep(time.Millisecond)
	}
}

// TestAttachmentNames sends files under each documented spelling, with each
// spelling of their metadata, and gets them back.
func TestAttachmentNames(t *testing.T) {
	for _, name := range []string{"orders-upload-attachments.request.json", "odd/orders-upload-attachments.other-spelling.request.json"} {
		t.Run(name, func(t *testing.T) { attachmentNames(t, string(contracttest.ReadPayload(t, name))) })
	}
}

func attachmentNames(t *testing.T, metadataText string) {
	t.Helper()
	a := newAPI(t)
	every := string([]byte{0, 1, '\r', '\n', '-', '-', 0xff, 0xfe})
	files := []part{
		{name: "metadata", content: metadataText, header: "content-disposition: form-data; name=metadata\r\nContent-Type: application/json; charset=utf-8\r\n"},
		{name: "POFiles", file: "PO_Part1.pdf", content: every},
		{name: "pofiles", file: `C:\orders\PO "2" ü.pdf`, content: "x" + strings.Repeat("--"+boundary, 1000)},
		// As .NET writes it.
		{name: "POfiles", content: "\r\n", header: "Content-Type: text/html\r\nContent-Disposition: form-data; name=POfiles; filename=\"=?utf-8?B?w6Q=?=\"; filename*=utf-8''%C3%A4.html\r\n"},
		{name: "TenderFiles", file: "../../etc/passwd", content: "t"},
		{name: "Tender", file: "Tender.pdf", content: "t"},
	}
	path := placeOrder(t, a.URL, a.token, needsPO)
	_, answer := a.do(t, upload("", path, files...))
	items := attachments(t, answer)
	want := []struct{ name, kind, disposition string }{
		{"PO_Part1.pdf", "POAttachment", "attachment; filename=PO_Part1.pdf"},
		{`PO "2" ü.pdf`, "POAttachment", "attachment; filename*=utf-8''PO%20%222%22%20%C3%BC.pdf"},
		{"ä.html", "POAttachment", "attachment; filename*=utf-8''%C3%A4.html"},
		{"passwd", "TenderAttachment", "attachment; filename=passwd"},
		{"Tender.pdf", "TenderAttachment", "attachment; filename=Tender.pdf"},
	}
	if len(items) != len(want) {
		t.Fatalf("the answer is %s", answer)
	}
	for i, w := range want {
		if items[i].FileName != w.name || string(items[i].AttachmentType) != w.kind {
			t.Errorf("file %d is %+v, want %v", i, items[i], w)
		}
		for _, accept := range []string{"application/json", "application/octet-stream"} {
			resp, got := a.do(t, request{path: path + "/attachment/" + strings.ToUpper(items[i].AttachmentID), status: 200, header: http.Header{"Accept": {accept}}})
			h := resp.Header
			if resp.StatusCode != 200 || string(got) != files[i+1].content || h.Get("Content-Disposition") != w.disposition || h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Content-Type") != "application/octet-stream" {
				t.Errorf("download %d: %d %q %v", i, resp.StatusCode, got, h)
			}
			if _, values, err := mime.ParseMediaType(h.Get("Content-Disposition")); err != nil || values["filename"] != w.name {
				t.Errorf("the name is read as %q: %v", values["filename"], err)
			}
		}
	}
	foreign := "/v1/customers/" + foreignCustomer(t) + "/orders/" + path[len(seedOrders)+1:]
	a.run(t, []request{
		{name: "unknown attachment", path: path + "/attachment/00000000000000", status: 404, code: partnercenter.ErrorCodeNotFound, must: []string{"List its attachments"}},
		{name: "another order's attachment", path: seedOrders + "/" + shortOrder + "/attachment/" + items[0].AttachmentID, status: 404, code: partnercenter.ErrorCodeNotFound},
		{name: "unknown order's attachment", path: seedOrders + "/nope/attachment/" + items[0].AttachmentID, status: 404, code: partnercenter.ErrorCodeOrderNotFound},
		{name: "unknown order's attachments", path: seedOrders + "/nope/attachments", status: 404, code: partnercenter.ErrorCodeOrderNotFound},
		{name: "stranger's attachment", path: foreign + "/attachment/" + items[0].AttachmentID, status: 403, code: partnercenter.ErrorCodeNoRelationship},
		{name: "stranger's attachments", path: foreign + "/attachments", status: 403, code: partnercenter.ErrorCodeNoRelationship},
		{name: "list wants JSON", path: path + "/attachments", status: 406, code: partnercenter.ErrorCodeInvalidInput, header: http.Header{"Accept": {"application/octet-stream"}}},
		{name: "GET of the upload's path", path: path + "/attachment", status: 405, code: partnercenter.ErrorCodeOperationUnoffered, headers: map[string]string{"Allow": "^POST$"}},
	})
}

// TestUploadRefusals checks what is refused and how, and that nothing was stored.
func TestUploadRefusals(t *testing.T) {
	a := newAPI(t)
	path := placeOrder(t, a.URL, a.token, needsPO)
	meta, po := part{name: "metadata", content: metadata}, part{name: "POFiles", file: "po.pdf", content: "x"}
	typed := func(r request, contentType string) request {
		r.header = http.Header{"Content-Type": {contentType}}
		return r
	}
	cut := func(r request, n int) request {
		r.body = r.body[:n]
		return r
	}
	named := func(name string) part {
		return part{header: "Content-Disposition: form-data; name=POFiles; filename=\"" + name + "\"\r\n", content: "x"}
	}
	const invalid, property, large = partnercenter.ErrorCodeInvalidInput, partnercenter.ErrorCodeInvalidProperty, http.StatusRequestEntityTooLarge
	good := upload("", path, meta, po)
	table := []request{
		upload("no parts", path).refused(400, property, "metadata"),
		{name: "no body", method: http.MethodPost, path: path + "/attachment", header: http.Header{"Content-Type": {multipartType(boundary)}}, status: 400, code: invalid},
		{name: "no content type", method: http.MethodPost, path: path + "/attachment", status: 400, code: invalid, must: []string{"multipart/form-data"}},
		typed(upload("JSON", path, meta, po), "application/json").refused(400, invalid, "multipart/form-data"),
		typed(upload("mixed", path, meta, po), "multipart/mixed; boundary="+"x").refused(400, invalid, "multipart/form-data"),
		typed(upload("no boundary", path, meta, po), "multipart/form-data").refused(400, invalid, "boundary"),
		typed(upload("another boundary", path, meta, po), "multipart/form-data; boundary=other").refused(400, invalid, "boundary"),
		cut(upload("cut off in the end", path, meta, po), len(good.body)-4).refused(400, invalid, "multipart body"),
		cut(upload("cut off in a file", path, meta, po), len(good.body)-30).refused(400, invalid, "multipart body"),
		cut(upload("cut off before a blank line", path, meta, po), len(good.body)-21).refused(400, invalid, "multipart body"),
		cut(upload("cut off in a header", path, meta, po), 30).refused(400, invalid, "multipart body"),
		upload("no metadata", path, po).refused(400, property, "metadata"),
		upload("no purchase order", path, meta).refused(400, property, "POFiles"),
		upload("metadata twice", path, meta, po, part{name: "Metadata", content: metadata}).refused(400, invalid, "more than one part metadata"),
		upload("metadata is no JSON", path, part{name: "metadata", content: "x"}, po).refused(400, invalid, "Part metadata: ", "not JSON"),
		upload("metadata is empty", path, part{name: "metadata"}, po).refused(400, invalid, "Part metadata: ", "empty"),
		upload("metadata is deep", path, part{name: "metadata", content: `{"a":` + strings.Repeat("[", 1000) + strings.Repeat("]", 1000) + `}`}, po).refused(400, invalid, "nested"),
		upload("metadata key twice", path, part{name: "metadata", content: `{"currency":"CAD","Currency":"USD"}`}, po).refused(400, invalid, "a key is repeated"),
		upload("metadata of another type", path, part{name: "metadata", content: `{"currency":1}`}, po).refused(400, property, "Part metadata: ", `currency`),
		upload("metadata of invalid UTF-8", path, part{name: "metadata", content: "{\"currency\":\"\xff\"}"}, po).refused(400, invalid, "UTF-8"),
		upload("metadata too large", path, part{name: "metadata", content: strings.Repeat(" ", 70_000)}, po).refused(large, invalid, "metadata is larger"),
		upload("no currency", path, part{name: "metadata", content: `{"customerPrice":"1"}`}, po).refused(400, property, "currency"),
		upload("price is no number", path, part{name: "metadata", content: `{"customerPrice":"much","currency":"CAD"}`}, po).refused(400, property, "customerPrice"),
		upload("tender of nothing", path, part{name: "metadata", content: `{"isPartofTender":true,"customerPrice":"1","currency":"CAD"}`}, po).refused(400, property, "tenderLink"),
		upload("files of no tender", path, meta, po, part{name: "TenderFiles", file: "t", content: "t"}).refused(400, property, "TenderFiles"),
		upload("unknown part", path, meta, po, part{name: "PurchaseOrders", file: "t", content: "t"}).refused(400, property, "PurchaseOrders"),
		upload("part without a name", path, meta, part{header: "Content-Disposition: form-data\r\n"}).refused(400, invalid, "no name"),
		upload("part without a disposition", path, meta, part{header: "X: y\r\n"}).refused(400, invalid, "no name"),
		upload("name twice", path, meta, part{header: "Content-Disposition: form-data; name=POFiles; name=metadata\r\n"}).refused(400, invalid, "no name"),
		upload("parts within", path, meta, part{header: "Content-Disposition: form-data; name=POFiles\r\nContent-Type: Multipart/mixed; boundary=y\r\n"}).refused(400, invalid, "parts of its own"),
		upload("base64", path, meta, part{header: "Content-Disposition: form-data; name=POFiles; filename=a\r\nContent-Transfer-Encoding: base64\r\n", content: "eA=="}).refused(400, invalid, "transfer encoding"),
		upload("text in place of a file", path, meta, part{name: "POFiles", content: "x"}).refused(400, property, "no file name"),
		upload("empty file", path, meta, part{name: "POFiles", file: "po.pdf"}).refused(400, property, "is empty"),
		upload("empty name", path, meta, named("")).refused(400, property, "no file name"),
		upload("folder as a name", path, meta, named("a/")).refused(400, property, "no file name"),
		upload("dots as a name", path, meta, named("a/..")).refused(400, property, "names a folder"),
		upload("control character", path, meta, named("a\x01.pdf")).refused(400, invalid, "multipart body"),
		upload("encoded line break", path, meta, part{header: "Content-Disposition: form-data; name=POFiles; filename*=utf-8''a%0d%0ab\r\n", content: "x"}).refused(400, property, "control characters"),
		upload("text turned around", path, meta, named("fdp\u202egnp.exe")).refused(400, property, "control characters"),
		upload("name of invalid UTF-8", path, meta, named("\xff.pdf")).refused(400, property, "not UTF-8"),
		upload("long name", path, meta, named(strings.Repeat("x", 256))).refused(400, property, "255 bytes"),
		upload("many files", path, append([]part{meta}, slicesOf(po, 21)...)...).refused(large, invalid, "20 files"),
		upload("large file", path, meta, part{name: "POFiles", file: "po.pdf", content: strings.Repeat("x", 16<<20+1)}).refused(large, invalid, "po.pdf"),
		upload("large upload", path, meta, part{name: "POFiles", file: "a", content: strings.Repeat("x", 16<<20)}, part{name: "POFiles", file: "b", content: strings.Repeat("x", 16<<20)}).refused(large, invalid, "32 MiB"),
		upload("order that waits for none", seedOrders+"/"+shortOrder, meta, po).refused(400, partnercenter.ErrorCodeOperationUnoffered, "pending_po_upload"),
		upload("unknown order", seedOrders+"/nope", meta, po).refused(404, partnercenter.ErrorCodeOrderNotFound),
		upload("stranger's order", "/v1/customers/"+foreignCustomer(t)+"/orders/"+shortOrder, meta, po).refused(403, partnercenter.ErrorCodeNoRelationship),
		upload("malformed customer", "/v1/customers/x/orders/"+shortOrder, meta, po).refused(400, partnercenter.ErrorCodeInvalidCustomerID),
		{name: "nothing came of it", path: path + "/attachments", status: 200, must: []string{`"totalCount":0`}},
		{name: "nor of the order", path: path, status: 200, must: []string{`"pending_po_upload"`}},
	}
	a.run(t, table)
	longest := upload("as much as there may be", path, meta,
		part{name: "POFiles", file: strings.Repeat("x", 255), content: strings.Repeat("x", 16<<20)}, part{name: "POFiles", file: "b", content: strings.Repeat("x", 15<<20)})
	a.run(t, []request{longest, {name: "and it is there", path: path + "/attachments", status: 200, must: []string{`"sizeInKB":16384,`, `"sizeInKB":15360,`}}})
}

func slicesOf(p part, n int) []part {
	list := make([]part, n)
	for i := range list {
		list[i] = p
	}
	return list
}

// TestUploadOnce repeats an upload as a client does that lost the answer: with another
// boundary, and so another body.
func TestUploadOnce(t *testing.T) {
	a := newAPI(t)
	path := placeOrder(t, a.URL, a.token, needsPO)
	send := func(boundary, file string, status int) string {
		t.Helper()
		r := upload("", path)
		r.header = http.Header{"Content-Type": {multipartType(boundary)}, "MS-RequestId": {"65b26053-37d0-4303-9fd1-46ad8012bcb6"}}
		r.body, r.status = multipartBody(boundary, part{name: "metadata", content: metadata}, part{name: "POFiles", file: file, content: "x"}), status
		resp, answer := a.do(t, r)
		if resp.StatusCode != status {
			t.Fatalf("%d %s", resp.StatusCode, answer)
		}
		return string(answer)
	}
	first := send("one", "po.pdf", 201)
	if again := send("two", "po.pdf", 201); again != first {
		t.Errorf("the repetition was answered %s rather than %s", again, first)
	}
	if other := send("one", "other.pdf", 409); !strings.Contains(other, "800002") {
		t.Errorf("another file was answered %s", other)
	}
	if _, list := a.do(t, request{path: path + "/attachments", status: 200}); len(attachments(t, list)) != 1 {
		t.Errorf("the list is %s", list)
	}
}

// TestAttachmentsClient attaches, lists and downloads with the SDK.
func TestAttachmentsClient(t *testing.T) {
	a := newAPI(t)
	path := placeOrder(t, a.URL, a.token, needsPO)
	ctx, order := t.Context(), a.Client().Customers.ByID(seedCustomer).Orders.ByID(path[len(seedOrders)+1:])
	attached, err := order.Attachments.Upload(ctx, &partnercenter.AttachmentUpload{
		Metadata:       partnercenter.AttachmentMetadata{IsPartOfTender: new(true), CustomerPrice: "156.87", Currency: "CAD"},
		PurchaseOrders: []partnercenter.AttachmentFile{{Name: `PO "ä".pdf`, Content: strings.NewReader("first")}},
		Tenders:        []partnercenter.AttachmentFile{{Name: "Tender.pdf", Content: strings.NewReader(strings.Repeat("x", 100_000))}},
	})
	must(t, err)
	list, err := order.Attachments.Get(ctx)
	must(t, err)
	if len(list.Items) != 2 || len(attached.Items) != 2 || list.Items[1].AttachmentType != "TenderAttachment" {
		t.Fatalf("attached %+v, listed %+v", attached, list)
	}
	content, err := order.Attachments.ByID(list.Items[0].AttachmentID).Download(ctx)
	must(t, err)
	defer content.Body.Close()
	if data, err := io.ReadAll(content.Body); err != nil || string(data) != "first" || content.SentName != `PO "ä".pdf` || content.Name != "PO _ä_.pdf" {
		t.Errorf("%q, sent as %q, is %q, %v", content.Name, content.SentName, data, err)
	}
}

// endless yields n bytes of a file's content without holding them.
type endless struct{ left int64 }

func (e *endless) Read(p []byte) (int, error) {
	if e.left == 0 {
		return 0, io.EOF
	}
	n := int(min(int64(len(p)), e.left))
	for i := range p[:n] {
		p[i] = 'x'
	}
	e.left -= int64(n)
	return n, nil
}

// streamed is an upload of one file of some size that is made while it is sent.
func streamed(t *testing.T, address, token string, size int64, known bool) *http.Request {
	t.Helper()
	head, tail, _ := strings.Cut(multipartBody(boundary, part{name: "metadata", content: metadata}, part{name: "POFiles", file: "po.pdf", content: "\x00"}), "\x00")
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, address, io.MultiReader(strings.NewReader(head), &endless{size}, strings.NewReader(tail)))
	must(t, err)
	if known {
		req.ContentLength = int64(len(head)+len(tail)) + size
	}
	req.Header.Set("Content-Type", multipartType(boundary))
	req.Header.Set("Authorization", "Bearer "+token)
	return req
}

// TestUploadOverListeners uploads through the program's listeners, which limit every
// other body to 1 MiB: about the maximum of a file, and more than the maximum of an
// upload, which is refused in time for its sender to read why, without being buffered.
func TestUploadOverListeners(t *testing.T) {
	r := newRunning(t)
	token := r.token(t)
	secure := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: r.ca.Pool(), MinVersion: tls.VersionTLS12}, ForceAttemptHTTP2: true}}
	t.Cleanup(secure.CloseIdleConnections)
	for _, tt := range []struct {
		name    string
		client  *http.Client
		address string
		size    int64
		known   bool
		status  int
		most    uint64 // MiB to allocate, which bounds what is held
	}{
		{"15 MiB", http.DefaultClient, "http://" + r.api, 15 << 20, true, 201, 128},
		{"15 MiB over h2", secure, "https://" + r.tls, 15 << 20, false, 201, 128},
		{"48 MiB", http.DefaultClient, "http://" + r.api, 48 << 20, true, 413, 40},
		{"48 MiB in chunks", http.DefaultClient, "http://" + r.api, 48 << 20, false, 413, 96},
		{"48 MiB over h2", secure, "https://" + r.tls, 48 << 20, true, 413, 40},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path := placeOrder(t, "http://"+r.api, token, needsPO)
			req := streamed(t, tt.address+path+"/attachment", token, tt.size, tt.known)
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			resp, err := tt.client.Do(req)
			must(t, err)
			defer resp.Body.Close()
			answer, err := io.ReadAll(resp.Body)
			must(t, err)
			runtime.ReadMemStats(&after)
			if resp.StatusCode != tt.status {
				t.Fatalf("%d %s", resp.StatusCode, answer)
			}
			if tt.status == 413 && !bytes.Contains(answer, []byte(`"code":800002`)) {
				t.Errorf("the refusal is %s", answer)
			}
			allocated := (after.TotalAlloc - before.TotalAlloc) >> 20
			t.Logf("%d MiB were allocated", allocated)
			if allocated > tt.most {
				t.Errorf("%d MiB were allocated, at most %d may be", allocated, tt.most)
			}
		})
	}
}

// TestUploadAskedBefore checks that a client that asks before sending too much is
// refused.
func TestUploadAskedBefore(t *testing.T) {
	a := newAPI(t)
	conn, err := net.Dial("tcp", strings.TrimPrefix(a.URL, "http://"))
	must(t, err)
	defer conn.Close()
	_, err = fmt.Fprintf(conn, "POST %s/%s/attachment HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nExpect: 100-continue\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n",
		seedOrders, shortOrder, a.token, multipartType(boundary), 100<<20)
	must(t, err)
	must(t, conn.SetReadDeadline(time.Now().Add(2*time.Minute)))
	if line, err := bufio.NewReader(conn).ReadString('\n'); err != nil || !strings.Contains(line, " 413 ") {
		t.Errorf("the answer begins with %q, %v", line, err)
	}
}

// deadlines notes until when a handler wants to read.
type deadlines struct {
	http.ResponseWriter
	until *time.Time
}

func (d deadlines) SetReadDeadline(t time.Time) error {
	*d.until = t
	return nil
}

// TestUploadTakesItsTime checks that an upload may take longer than other bodies, also
// for clients that accept compression.
func TestUploadTakesItsTime(t *testing.T) {
	var until time.Time
	a := newAPI(t, partnercentertest.Options{Wrap: func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { next.ServeHTTP(deadlines{w, &until}, r) })
	}})
	path := placeOrder(t, a.URL, a.token, needsPO)
	for _, encoding := range []string{"", "gzip"} {
		until = time.Time{}
		r := upload("", path, part{name: "metadata", content: metadata}, part{name: "POFiles", file: "po.pdf", content: "x"})
		r.header["Accept-Encoding"] = []string{encoding}
		a.do(t, r)
		if left := time.Until(until); left < 2*time.Minute || left > 3*time.Minute {
			t.Errorf("Accept-Encoding %q: it may take %s", encoding, left)
		}
	}
}

// slowUpload announces an upload of 32 MiB and sends the first bytes of it.
func slowUpload(t *testing.T, url, path, token string, first int) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
	must(t, err)
	t.Cleanup(func() { conn.Close() })
	_, err = fmt.Fprintf(conn, "POST %s/attachment HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s",
		path, token, multipartType(boundary), 32<<20, strings.Repeat("-", first))
	must(t, err)
	return conn
}

// statusOn returns the status of the answer on a connection.
func statusOn(t *testing.T, conn net.Conn) int {
	t.Helper()
	must(t, conn.SetReadDeadline(time.Now().Add(10*time.Second)))
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatalf("no answer: %v", err)
	}
	resp.Body.Close()
	return resp.StatusCode
}

// TestSlowUploads sends the beginnings of large uploads. They keep nobody waiting, take
// no memory, and are refused before their bodies come if they cannot be accepted.
func TestSlowUploads(t *testing.T) {
	a := newAPI(t)
	path := placeOrder(t, a.URL, a.token, needsPO)
	upload := func(token string) int {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		resp, err := http.DefaultClient.Do(streamed(t, a.URL+path+"/attachment", token, 1000, true).WithContext(ctx))
		must(t, err)
		resp.Body.Close()
		return resp.StatusCode
	}
	for _, refused := range []struct {
		path, token string
		status      int
	}{
		{seedOrders + "/nope", a.token, 404},
		{"/v1/customers/" + foreignCustomer(t) + "/orders/" + shortOrder, a.token, 403},
		{path, "x" + a.token, 401},
		{seedOrders + "/" + shortOrder, a.token, 400}, // it waits for none
	} {
		conn := slowUpload(t, a.URL, refused.path, refused.token, 5)
		if got := statusOn(t, conn); got != refused.status {
			t.Errorf("%s: answered %d, want %d", refused.path, got, refused.status)
		}
	}

	var before, after runtime.MemStats
	runtime.GC()
	runtime.GC() // what pools keep over the first one
	runtime.ReadMemStats(&before)
	const transfers = 8 // of one caller
	var slow []net.Conn
	for range 2 {
		slow = append(slow, slowUpload(t, a.URL, path, a.token, 5))
	}
	if got := upload(a.token); got != http.StatusCreated {
		t.Errorf("beside two slow ones an upload was answered %d", got)
	}
	for range transfers - len(slow) {
		slow = append(slow, slowUpload(t, a.URL, path, a.token, 4<<20))
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	if held := int64(after.HeapAlloc) - int64(before.HeapAlloc); held > 6<<20 {
		t.Errorf("%d KiB are held for slow uploads", held>>10)
	} else {
		t.Logf("%d KiB are held", held>>10)
	}

	// The caller's own further ones wait, those of others do not.
	waiting := make(chan int, 1)
	next := streamed(t, a.URL+path+"/attachment", a.token, 1000, true)
	go func() {
		resp, err := http.DefaultClient.Do(next)
		if err != nil {
			t.Error(err)
			waiting <- 0
			return
		}
		resp.Body.Close()
		waiting <- resp.StatusCode
	}()
	if got := upload(a.as(t, adminAgent).token); got != http.StatusCreated {
		t.Errorf("another caller was answered %d", got)
	}
	select {
	case status := <-waiting:
		t.Errorf("the caller's next upload did not wait and was answered %d", status)
	case <-time.After(50 * time.Millisecond): // a server that lets it through is quicker
	}
	must(t, slow[0].Close())
	if status := <-waiting; status != http.StatusCreated {
		t.Errorf("the upload that waited was answered %d", status)
	}
}

// hurried lets reading end sooner than the handler wants.
type hurried struct{ http.ResponseWriter }

func (h hurried) Unwrap() http.ResponseWriter { return h.ResponseWriter }

func (h hurried) SetReadDeadline(t time.Time) error {
	return http.NewResponseController(h.ResponseWriter).SetReadDeadline(time.Now().Add(time.Until(t) / 100))
}

// TestUploadTooSlow sends the beginning of an upload and nothing else.
func TestUploadTooSlow(t *testing.T) {
	a := newAPI(t, partnercentertest.Options{Wrap: func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { next.ServeHTTP(hurried{w}, r) })
	}})
	path := placeOrder(t, a.URL, a.token, needsPO)
	if got := statusOn(t, slowUpload(t, a.URL, path, a.token, 5)); got != http.StatusRequestTimeout {
		t.Errorf("answered %d", got)
	}
}

// TestSlowDownloads leaves large downloads unread. They keep no other caller waiting.
func TestSlowDownloads(t *testing.T) {
	a := newAPI(t)
	path := placeOrder(t, a.URL, a.token, needsPO)
	resp, err := http.DefaultClient.Do(streamed(t, a.URL+path+"/attachment", a.token, 15<<20, true))
	must(t, err)
	answer, err := io.ReadAll(resp.Body)
	must(t, err)
	resp.Body.Close()
	file := path + "/attachment/" + attachments(t, answer)[0].AttachmentID
	download := func() net.Conn {
		t.Helper()
		conn, err := net.Dial("tcp", strings.TrimPrefix(a.URL, "http://"))
		must(t, err)
		t.Cleanup(func() { conn.Close() })
		must(t, conn.(*net.TCPConn).SetReadBuffer(4<<10))
		_, err = fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n\r\n", file, a.token)
		must(t, err)
		return conn
	}
	begins := func(conn net.Conn, within time.Duration) error {
		t.Helper()
		must(t, conn.SetReadDeadline(time.Now().Add(within)))
		line, err := bufio.NewReader(conn).ReadString('\n')
		if err == nil && !strings.Contains(line, " 200 ") {
			t.Fatalf("the answer begins with %q", line)
		}
		return err
	}
	var slow []net.Conn
	const transfers = 8 // of one caller; more than have room in memory together
	for range transfers {
		conn := download()
		must(t, begins(conn, 20*time.Second))
		slow = append(slow, conn)
	}
	// The caller's next one waits for one of them.
	next := download()
	if err := begins(next, 50*time.Millisecond); err == nil {
		t.Error("a caller has more downloads than its share")
	}
	must(t, slow[0].Close())
	must(t, begins(next, 20*time.Second))
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, a.URL+file, nil)
	must(t, err)
	req.Header.Set("Authorization", "Bearer "+a.as(t, adminAgent).token)
	resp, err = http.DefaultClient.Do(req)
	must(t, err)
	defer resp.Body.Close()
	if n, err := io.Copy(io.Discard, resp.Body); err != nil || n != 15<<20 || resp.StatusCode != http.StatusOK {
		t.Errorf("another caller gets %d, %d bytes, %v", resp.StatusCode, n, err)
	}
}

var manyUploads = flag.Int("uploads", 4, "uploads of 8 MiB to send at once, in TestManyUploads")

// TestManyUploads sends large uploads concurrently. All are accepted. Of 32 and more, as
// in make soak, not all are in memory at once.
func TestManyUploads(t *testing.T) {
	a := newAPI(t)
	path := placeOrder(t, a.URL, a.token, needsPO)
	const size = 8 << 20
	uploads := *manyUploads
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	before, most := stats.HeapAlloc, uint64(0)
	over, sampled := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(sampled)
		for {
			select {
			case <-over:
				return
			case <-time.After(2 * time.Millisecond):
				runtime.GC() // leaves what is held
				runtime.ReadMemStats(&stats)
				most = max(most, stats.HeapAlloc)
			}
		}
	}()
	var wait sync.WaitGroup
	for range uploads {
		req := streamed(t, a.URL+path+"/attachment", a.token, size, true)
		wait.Go(func() {
			resp, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Error(err)
				return
			}
			defer resp.Body.Close()
			if answer, _ := io.ReadAll(resp.Body); resp.StatusCode != http.StatusCreated {
				t.Errorf("%d %s", resp.StatusCode, answer)
			}
		})
	}
	wait.Wait()
	close(over)
	<-sampled
	if _, list := a.do(t, request{path: path + "/attachments", status: 200}); len(attachments(t, list)) != uploads {
		t.Errorf("the list is %s", list)
	}
	held := max(most, before) - before
	t.Logf("at most %d MiB were held", held>>20)
	if uploads >= 32 && held > uint64(uploads)*size { // each takes two or three times its size while it grows
		t.Errorf("%d MiB of %d were held at a time", held>>20, uploads*size>>20)
	}
}

// TestUploadBreaksOff closes the connection in the middle of an upload. Nothing is
// stored, and the complete upload can use the same MS-RequestId.
func TestUploadBreaksOff(t *testing.T) {
	a := newAPI(t)
	path := placeOrder(t, a.URL, a.token, needsPO)
	const id = "65b26053-37d0-4303-9fd1-46ad8012bcb6"
	r := upload("", path, part{name: "metadata", content: metadata}, part{name: "POFiles", file: "po.pdf", content: strings.Repeat("x", 1<<20)})
	r.header["MS-RequestId"] = []string{id}
	conn, err := net.Dial("tcp", strings.TrimPrefix(a.URL, "http://"))
	must(t, err)
	w := bufio.NewWriter(conn)
	fmt.Fprintf(w, "POST %s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nMS-RequestId: %s\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n",
		r.path, a.token, id, multipartType(boundary), len(r.body))
	w.WriteString(r.body[:len(r.body)/2])
	must(t, w.Flush())
	must(t, conn.Close())
	if list := a.look(t, path+"/attachments"); !strings.Contains(list, `"totalCount":0`) {
		t.Errorf("the list is %s", list)
	}
	a.run(t, []request{r, {name: "one file", path: path + "/attachments", status: 200, must: []string{`"totalCount":1`}}})
	var order struct{ Status string }
	must(t, json.Unmarshal([]byte(a.look(t, path)), &order))
	if order.Status != "po_upload_complete" {
		t.Errorf("the order is %s", order.Status)
	}
}

// An order's files are bounded over all its uploads.
func TestManyAttachments(t *testing.T) {
	srv := partnercentertest.NewServer(t)
	orders := srv.Client().Customers.ByID(seedCustomer).Orders
	order, err := orders.Create(t.Context(), &partnercenter.Order{LineItems: []partnercenter.OrderLineItem{{OfferID: "DG7GMGF0D7FV:0003:DG7GMGF0D609", Quantity: new(1)}}})
	if err != nil {
		t.Fatal(err)
	}
	upload := &partnercenter.AttachmentUpload{Metadata: partnercenter.AttachmentMetadata{CustomerPrice: "1", Currency: "USD"}}
	for range 20 {
		upload.PurchaseOrders = append(upload.PurchaseOrders, partnercenter.AttachmentFile{Name: "order.pdf", Content: strings.NewReader("x")})
	}
	for n := range 6 {
		_, err := orders.ByID(order.ID).Attachments.Upload(t.Context(), upload)
		if n < 5 && err != nil {
			t.Fatalf("upload %d: %v", n, err)
		}
		var refused *partnercenter.Error
		if n == 5 && (!errors.As(err, &refused) || refused.StatusCode != http.StatusBadRequest || refused.Code != partnercenter.ErrorCodeInvalidProperty) {
			t.Errorf("120 files: %v", err)
		}
	}
}
