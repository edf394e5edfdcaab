//go:build linux

package chaos

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/partnercenter-go/partnercenter/internal/guid"
	"github.com/partnercenter-go/partnercenter/internal/history"
)

// How long anything may take before a test gives up, and a write while servers are killed
// again and again.
const patience, muchPatience = time.Minute, 10 * time.Minute

// program is the program as users have it.
var program = sync.OnceValues(func() (string, error) {
	if path := os.Getenv(inside); path != "" {
		return path, nil
	}
	dir, err := os.MkdirTemp("", "partnercenter-chaos-")
	if err != nil {
		return "", err
	}
	built = dir
	path := filepath.Join(dir, "partnercenter")
	out, err := exec.Command("go", "build", "-o", path, "github.com/partnercenter-go/partnercenter/cmd/partnercenter").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%w\n%s", err, out)
	}
	return path, nil
})

// built is the folder of the program, or nothing.
var built string

// How many customers a database has.
const customers = 200

func customerID(n int) string { return fmt.Sprintf("c0000000-0000-4000-8000-%012d", n) }

// service is one server, or several of one database.
type service struct {
	dir       string
	servers   []*server
	exhausted int // customers that were used
}

// newService starts servers on a new database, one for each address of it.
func newService(t *testing.T, dir string, databases ...string) *service {
	t.Helper()
	seed := filepath.Join(dir, "seed.json")
	if err := os.WriteFile(seed, seedFile(), 0o600); err != nil {
		t.Fatal(err)
	}
	s := &service{dir: dir}
	for i, database := range databases {
		s.servers = append(s.servers, newServer(t, filepath.Join(dir, fmt.Sprint(i)), "--db", database, "--seed", seed))
	}
	s.heal(t)
	return s
}

// seedFile returns a partner with customers who have nothing.
func seedFile() []byte {
	type object = map[string]any
	var list []object
	for n := range customers {
		list = append(list, object{"id": customerID(n), "companyProfile": object{"companyName": fmt.Sprint("Customer ", n), "domain": fmt.Sprintf("c%d.example", n)}})
	}
	text, err := json.Marshal(object{"format": "partnercenter-seed/1", "partners": []object{{
		"tenantId": "0f2a9c14-5b7e-4d38-9a61-c3e8d70b4f25", "name": "Contoso", "domain": "contoso.example", "mpnId": 5080911, "country": "US",
		"apps":      []object{{"clientId": "7b1d4e90-2c85-4f6a-8e37-d90a5c62b1f8", "name": "chaos", "secret": "not-a-real-secret"}},
		"customers": list,
	}}})
	if err != nil {
		panic(err) // it has only text and numbers
	}
	return text
}

// heal starts the servers that do not run, and waits until all are ready.
func (s *service) heal(t *testing.T) {
	t.Helper()
	for _, one := range s.servers {
		if !one.runs() {
			one.start(t)
		}
	}
	for _, one := range s.servers {
		one.await(t)
	}
}

func (s *service) any() *server { return s.servers[rand.IntN(len(s.servers))] }

// server is a server process, which keeps its addresses when it is started again.
type server struct {
	dir, address, control string
	args                  []string
	health                string // what it last said

	mu      sync.Mutex // guards what follows
	process *exec.Cmd
	ended   chan struct{} // closed when the process has ended
	token   string
	output  *bytes.Buffer // of the process; to be read when it has ended
}

func newServer(t *testing.T, dir string, args ...string) *server {
	t.Helper()
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	s := &server{dir: dir, address: freeAddress(t), control: freeAddress(t)}
	s.args = append([]string{
		"serve", "--quiet", "--listen", s.address, "--listen-tls", "", "--control", s.control, "--log-level", "warn",
		"--ready-file", filepath.Join(dir, "ready.json"), "--ca-dir", filepath.Join(dir, "ca"),
	}, args...)
	t.Cleanup(s.kill)
	return s
}

// freeAddress returns an address that nothing listens at, with a port that the system does
// not give to clients.
func freeAddress(t *testing.T) string {
	t.Helper()
	for range 100 {
		address := fmt.Sprintf("127.0.0.1:%d", 10_000+rand.IntN(22_000))
		if l, err := net.Listen("tcp", address); err == nil {
			l.Close()
			return address
		}
	}
	t.Fatal("none of a hundred ports is free")
	return ""
}

func (s *server) url() string { return "http://" + s.address }

// start starts the process.
func (s *server) start(t *testing.T) {
	t.Helper()
	path, err := program()
	if err != nil {
		t.Fatal(err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.process, s.ended, s.output = exec.Command(path, s.args...), make(chan struct{}), new(bytes.Buffer)
	s.process.Env = []string{"HOME=" + s.dir, "PATH=" + os.Getenv("PATH")}
	s.process.Stdout, s.process.Stderr = s.output, s.output
	s.process.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} // with this one
	if err := s.process.Start(); err != nil {
		t.Fatal(err)
	}
	go func(p *exec.Cmd, ended chan struct{}) {
		_ = p.Wait() // it is killed, or what it printed says why it ended
		close(ended)
	}(s.process, s.ended)
}

func (s *server) runs() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.process == nil {
		return false
	}
	select {
	case <-s.ended:
		return false
	default:
		return true
	}
}

// signal sends a signal and waits for the end of the process.
func (s *server) signal(signal syscall.Signal) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.process == nil {
		return
	}
	_ = s.process.Process.Signal(signal) // it may have ended
	<-s.ended
	s.process = nil
}

func (s *server) kill() { s.signal(syscall.SIGKILL) }

// printed returns what a process that has ended printed.
func (s *server) printed() string {
	<-s.ended
	return s.output.String()
}

var httpClient = &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 64}}

// ready reports whether it would serve requests.
func (s *server) ready() bool {
	resp, err := httpClient.Get("http://" + s.control + "/readyz")
	if err != nil {
		return false
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(resp.Body)
	s.health = string(body)
	return resp.StatusCode == http.StatusOK
}

// alive reports whether it answers at all.
func (s *server) alive() bool {
	resp, err := httpClient.Get("http://" + s.control + "/livez")
	if err != nil {
		return false
	}
	resp.Body.Close()
	return true
}

// await waits until it is ready.
func (s *server) await(t *testing.T) {
	t.Helper()
	defer func() {
		if t.Failed() {
			t.Log(s.health)
		}
	}()
	await(t, "ready", func() bool {
		if !s.runs() {
			t.Fatalf("the server ended: %s", s.printed())
		}
		return s.ready()
	})
}

// await waits until something is so.
func await(t *testing.T, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !is(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("after %v: not %s", patience, what)
		}
	}
}

// forget has clients get new tokens.
func (s *server) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.token = ""
}

// bearer returns a token for the server.
func (s *server) bearer() (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.token != "" {
		return s.token, nil
	}
	resp, err := httpClient.PostForm(s.url()+"/0f2a9c14-5b7e-4d38-9a61-c3e8d70b4f25/oauth2/v2.0/token", url.Values{
		"grant_type": {"client_credentials"}, "scope": {"https://api.partnercenter.microsoft.com/.default"},
		"client_id": {"7b1d4e90-2c85-4f6a-8e37-d90a5c62b1f8"}, "client_secret": {"not-a-real-secret"},
	})
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return "", err
	}
	var answer struct {
		Token string `json:"access_token"`
	}
	if err := json.Unmarshal(body, &answer); err != nil || answer.Token == "" {
		return "", errors.New(string(body))
	}
	s.token = answer.Token
	return s.token, nil
}

func (s *server) client(log *history.Log) *history.Client {
	return &history.Client{Log: log, HTTP: &http.Client{Timeout: httpClient.Timeout, Transport: s}, Server: s.url(), Token: s.bearer}
}

// RoundTrip sends a request, and again with a new token if the old one is refused.
func (s *server) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := httpClient.Transport.RoundTrip(req)
	if err != nil || resp.StatusCode != http.StatusUnauthorized {
		return resp, err
	}
	s.forget()
	token, err := s.bearer()
	if err != nil {
		return resp, nil //nolint:nilerr // the refusal is the answer
	}
	resp.Body.Close()
	again := req.Clone(req.Context())
	if req.GetBody != nil {
		if again.Body, err = req.GetBody(); err != nil {
			return nil, err
		}
	}
	again.Header.Set("Authorization", "Bearer "+token)
	return httpClient.Transport.RoundTrip(again)
}

// adjust changes the clock of the server.
func (s *server) adjust(method, path, body string) error {
	req, err := http.NewRequest(method, "http://"+s.control+"/clock"+path, strings.NewReader(body))
	if err != nil {
		return err
	}
	resp, err := httpClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		answer, _ := io.ReadAll(resp.Body)
		return fmt.Errorf("%s %s: %d %s", path, body, resp.StatusCode, answer)
	}
	return nil
}

// work is what clients do at a service until they are told to end.
type work struct {
	service   *service
	log       *history.Log
	customers []string
	subjects  []string // orders that many change at once, of the first customer

	ending chan struct{} // closed when nothing new is to begin
	over   func()        // closes it, once
	wait   sync.WaitGroup
}

const writers = 16

// The offers that are bought.
const (
	premium    = "031C9E47-4802-4248-838E-778FB1D2CC05"
	enterprise = "91FD106F-4B2C-4938-95AC-F54F74E9A239"
)

// begin lets clients begin to work, with customers who have not many orders yet.
func (s *service) begin(t *testing.T, log *history.Log) *work {
	t.Helper()
	w := &work{service: s, log: log, ending: make(chan struct{})}
	w.over = sync.OnceFunc(func() { close(w.ending) })
	for range 4 {
		w.customers = append(w.customers, customerID(s.exhausted%customers))
		s.exhausted++
	}
	for range 2 {
		call, err := w.settle(t.Context(), w.order(w.customers[0]))
		if err != nil || call.Outcome() != history.Acknowledged {
			t.Fatalf("placing an order: %v, %d %s", err, call.Status, call.Body)
		}
		var order struct{ ID string }
		if err := json.Unmarshal(call.Body, &order); err != nil {
			t.Fatal(err)
		}
		w.subjects = append(w.subjects, order.ID)
	}
	for n := range writers {
		w.wait.Go(func() {
			for {
				select {
				case <-w.ending:
					return
				case <-time.After(rand.N(40 * time.Millisecond)):
				}
				w.act(t, n)
			}
		})
	}
	return w
}

// end lets the clients finish what they have begun.
func (w *work) end() {
	w.over()
	w.wait.Wait()
}

// settle makes a write, at any servers, until there is an answer.
func (w *work) settle(ctx context.Context, call history.Call) (history.Call, error) {
	ctx, cancel := context.WithTimeout(ctx, muchPatience)
	defer cancel()
	return history.Settle(ctx, call, 10*time.Millisecond, func() *history.Client { return w.service.any().client(w.log) })
}

// order returns an order to place.
func (w *work) order(customer string) history.Call {
	lines := []history.Line{{Offer: premium, Quantity: 1 + rand.IntN(9)}, {Offer: enterprise, Quantity: 1 + rand.IntN(9)}}
	return history.Call{Kind: history.Place, Customer: customer, RequestID: guid.New(), Name: w.log.Name(), Lines: lines[:1+rand.IntN(2)]}
}

// act does something that a client does.
func (w *work) act(t *testing.T, n int) {
	ctx := t.Context()
	customer := w.customers[rand.IntN(len(w.customers))]
	server := w.service.any().client(w.log)
	settle := func(call history.Call) history.Call {
		done, err := w.settle(ctx, call)
		if err != nil {
			t.Errorf("a write is not answered for %v: %v, %s %s", muchPatience, err, &done, done.Body)
		}
		return done
	}
	switch what := rand.IntN(10); {
	case n < 4 && what < 6: // these change one order
		id := w.subjects[n%2]
		call := history.Call{Kind: history.Change, Customer: w.customers[0], Order: id, RequestID: guid.New(), Cycle: []string{"monthly", "annual"}[rand.IntN(2)]}
		if read, err := server.Do(ctx, history.Call{Kind: history.Read, Customer: w.customers[0], Order: id}); err == nil && what > 0 {
			var order struct{ Attributes struct{ Etag string } }
			if json.Unmarshal(read.Body, &order) == nil {
				call.IfMatch = order.Attributes.Etag
			}
		}
		settle(call)
	case what == 9:
		_, _ = server.Do(ctx, history.Call{Kind: history.List, Customer: customer})
	case what == 8: // once, and never again
		_, _ = server.Do(ctx, w.order(customer))
	case what == 7: // twice at once
		call := w.order(customer)
		var twin sync.WaitGroup
		twin.Go(func() { _, _ = w.service.any().client(w.log).Do(ctx, call) })
		settle(call)
		twin.Wait()
	default:
		call := settle(w.order(customer))
		_, _ = w.service.any().client(w.log).Do(ctx, history.Call{Kind: history.List, Customer: customer})
		if what == 6 { // a late repetition
			settle(call)
		}
	}
}

// look looks at everything at every server, a second after the last write, and checks.
func (w *work) look(t *testing.T) []history.Violation {
	t.Helper()
	time.Sleep(history.Lag + 10*time.Millisecond)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for _, s := range w.service.servers {
		if err := s.client(w.log).Look(ctx, w.customers); err != nil {
			t.Fatal(err)
		}
	}
	return w.log.Check()
}
