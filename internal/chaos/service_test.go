//go:build linux

package chaos

import (
	"bytes"
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
