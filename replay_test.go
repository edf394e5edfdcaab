package partnercenter_test

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/partnercenter-go/partnercenter"
)

// lingeringTransport breaks off the first try while its body is read, and goes on
// to read it during the second, as net/http may.
type lingeringTransport struct {
	readers sync.WaitGroup
	again   chan struct{} // closed when the second try reads
	tries   int
	second  []byte
	late    error // what the first try's reader ended with
}

func (l *lingeringTransport) Do(req *http.Request) (*http.Response, error) {
	if l.tries++; l.tries == 1 {
		body, started := req.Body, make(chan struct{})
		l.again = make(chan struct{})
		l.readers.Go(func() {
			buffer := make([]byte, 7)
			_, l.late = body.Read(buffer)
			close(started)
			for <-l.again; l.late == nil; {
				_, l.late = body.Read(buffer)
			}
		})
		<-started
		return nil, errors.New("the connection broke")
	}
	close(l.again)
	var err error
	if l.second, err = io.ReadAll(iotest.OneByteReader(req.Body)); err != nil {
		return nil, err
	}
	l.readers.Wait()
	return &http.Response{
		StatusCode: http.StatusCreated, Header: http.Header{"Content-Type": {"application/json"}}, Request: req,
		Body: io.NopCloser(strings.NewReader(anyAnswer)),
	}, nil
}

// TestTriesDoNotShareABody sends a body again while the last try still reads it.
func TestTriesDoNotShareABody(t *testing.T) {
	opts := &partnercenter.ClientOptions{Endpoint: "https://partner.example"}
	opts.Retry = policy.RetryOptions{RetryDelay: time.Millisecond}
	file := bytes.Repeat([]byte("purchase order "), 10_000)
	for name, call := range map[string]func(*partnercenter.Client) error{
		"an order": func(pc *partnercenter.Client) error {
			order := &partnercenter.Order{ReferenceCustomerID: strings.Repeat("x", 50_000)}
			_, err := pc.Customers.ByID("c").Orders.Create(t.Context(), order)
			return err
		},
		"an upload": func(pc *partnercenter.Client) error {
			_, err := pc.Customers.ByID("c").Orders.ByID("o").Attachments.Upload(t.Context(), &partnercenter.AttachmentUpload{
				PurchaseOrders: []partnercenter.AttachmentFile{{Name: "po.txt", Content: bytes.NewReader(file)}},
			})
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			transport := new(lingeringTransport)
			opts.Transport = transport
			pc, err := partnercenter.NewClient(new(fakeCredential), opts)
			if err != nil {
				t.Fatal(err)
			}
			if err := call(pc); err != nil {
				t.Fatal(err)
			}
			if transport.tries != 2 || transport.late == nil || errors.Is(transport.late, io.EOF) {
				t.Errorf("%d tries; the first one's reader ended with %v", transport.tries, transport.late)
			}
			if name == "an upload" && !bytes.Contains(transport.second, file) || name == "an order" && !bytes.HasSuffix(transport.second, []byte("}")) {
				t.Errorf("the second try's body of %d bytes has holes", len(transport.second))
			}
		})
	}
}
