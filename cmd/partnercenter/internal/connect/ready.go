package connect

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/gofrs/flock"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/terminal"
	"github.com/partnercenter-go/partnercenter/internal/private"
	"github.com/partnercenter-go/partnercenter/internal/textfile"
)

// ReadyFacts is the content of a server's ready file: where it listens and how
// to sign in.
type ReadyFacts struct {
	PID       int    `json:"pid"`
	APIURL    string `json:"apiUrl"`
	APIURLTLS string `json:"apiUrlTls,omitempty"`
	// APIURLs are all addresses of the API; these two are the first of their kind.
	APIURLs []string `json:"apiUrls,omitempty"`
	// PublicURLs are where others reach the API.
	PublicURLs []string `json:"publicUrls,omitempty"`
	ControlURL string   `json:"controlUrl,omitempty"`
	ProxyURL   string   `json:"proxyUrl,omitempty"`
	OpsURL     string   `json:"opsUrl,omitempty"`
	CAFile     string   `json:"caFile,omitempty"` // for all TLS addresses, unless OwnCertificate
	// OwnCertificate reports that the TLS listener's certificate is the user's own, and
	// not signed by the authority in CAFile.
	OwnCertificate bool   `json:"ownCertificate,omitzero"`
	Cloud          string `json:"cloud,omitempty"`     // the emulated cloud
	Auth           string `json:"auth,omitempty"`      // whose tokens are accepted; see authOptions
	Authority      string `json:"authority,omitempty"` // their issuer, if not the server
	TenantID       string `json:"tenantId,omitempty"`
	ClientID       string `json:"clientId,omitempty"`
	ClientSecret   string `json:"clientSecret,omitempty"`
	// A user to sign in as.
	UserPrincipalName string `json:"userPrincipalName,omitempty"`
	Password          string `json:"password,omitempty"`
}

// LocalReadyFile returns the default ready file, which --profile local reads.
func LocalReadyFile() (string, error) {
	dir, err := StateDir()
	if err != nil {
		return "", err
	}
	return filepath.Join(dir, "local.json"), nil
}

// ErrNoStateDir reports that there is no folder for this user, as in services and
// containers that run without HOME, or with one that is no folder. Commands that only read optional files continue
// without it.
var ErrNoStateDir = errors.New("no folder for this user's settings")

// StateDir returns the folder for this program's files.
func StateDir() (string, error) {
	dir, err := os.UserConfigDir()
	switch {
	case err != nil && os.Getenv("XDG_CONFIG_HOME") != "": // set, but unusable
		return "", terminal.Settingsf("no folder for this user's settings: %v; set HOME, or XDG_CONFIG_HOME to a whole path", err)
	case err != nil:
		return "", fmt.Errorf("%w: %w; set HOME, or XDG_CONFIG_HOME to a whole path", ErrNoStateDir, err)
	}
	if !filepath.IsAbs(dir) { // the library takes any HOME
		return "", fmt.Errorf("%w: %s is no whole path; set HOME, or XDG_CONFIG_HOME to a whole path", ErrNoStateDir, dir)
	}
	dir = filepath.Join(dir, "partnercenter")
	if file := fileAbove(dir); file != "" {
		return "", fmt.Errorf("%w: %s is no folder; set HOME, or XDG_CONFIG_HOME to a whole path", ErrNoStateDir, file)
	}
	return dir, nil
}

// fileAbove returns what is in the place of a folder or of one that it would be in, and is
// none.
func fileAbove(dir string) string {
	for {
		info, err := os.Stat(dir)
		switch above := filepath.Dir(dir); {
		case err == nil && !info.IsDir():
			return dir
		case err == nil, !Missing(err), above == dir:
			return ""
		default:
			dir = above
		}
	}
}

// otherwise ends an error of StateDir with what does without a folder. Other errors stay
// as they are.
func otherwise(err error, how string) error {
	if errors.Is(err, ErrNoStateDir) {
		return fmt.Errorf("%w; or %s", err, how)
	}
	return err
}

// CheckReadyFile fails if there is something else in the ready file's place that would be
// lost.
func CheckReadyFile(path string) error {
	info, err := os.Lstat(path)
	if err != nil || info.IsDir() {
		return nil //nolint:nilerr // explained when the file is written
	}
	switch {
	case info.Mode()&fs.ModeSymlink != 0:
		return terminal.Usagef("%s is a link, which would be replaced: name the file itself, or another one, with --ready-file", path)
	case info.Mode().IsRegular() && (info.Size() == 0 || isReadyFile(path)):
		return nil
	}
	return terminal.Usagef("%s is no ready file of an earlier server, and would be replaced: name another file with --ready-file, or remove it", path)
}

// isReadyFile reports whether a file has what a server writes, and nothing else.
func isReadyFile(path string) bool {
	data, err := textfile.Read(path, textfile.Small)
	if err != nil {
		return false
	}
	var facts ReadyFacts
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	if decoder.Decode(&facts) != nil || decoder.Decode(new(any)) != io.EOF { //nolint:errorlint // as documented
		return false
	}
	address, err := url.Parse(cmp.Or(facts.APIURL, facts.APIURLTLS))
	return err == nil && address.Host != "" && facts.PID > 0
}

// ClaimReadyFile writes facts atomically, unless a server that is running has the file: of
// several that start at the same moment, one gets it. It returns that server's address.
// The file contains a secret, so only its owner can read it.
func ClaimReadyFile(ctx context.Context, path string, facts ReadyFacts) (owner string, err error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return "", err
	}
	if otherThanFile(path) {
		return "", fmt.Errorf("%s is no regular file", path)
	}
	unlock := lockBriefly(ctx, path+".lock")
	defer unlock()
	if address, running := RunningServer(ctx, path, facts); running {
		return address, nil
	}
	data, err := partnercenter.Marshal(facts)
	if err != nil {
		return "", err
	}
	return "", writePrivateFile(path, append(data, '\n'))
}

const (
	lockTries = 100 // far more than there are servers that start at the same moment
	lockPoll  = 10 * time.Millisecond
)

// lockBriefly locks a file that is there for no longer than the lock, and returns how to
// unlock it. Where nothing can be locked, it does nothing.
func lockBriefly(ctx context.Context, path string) (unlock func()) {
	for range lockTries {
		if otherThanFile(path) {
			break // a link would make a file somewhere else
		}
		lock := flock.New(path, flock.SetPermissions(0o600))
		if locked, _ := lock.TryLockContext(ctx, lockPoll); !locked {
			break
		}
		held, err := lock.Stat()
		if there, thereErr := os.Lstat(path); err == nil && thereErr == nil && os.SameFile(held, there) {
			return func() {
				os.Remove(path)
				lock.Close()
			}
		}
		lock.Close() // who held it before has removed it
	}
	return func() {}
}

// localFacts returns the facts of the local server.
func localFacts() (ReadyFacts, error) {
	path, err := LocalReadyFile()
	if err != nil {
		return ReadyFacts{}, otherwise(err, "name the server's control plane with --control")
	}
	return followReadyFile(path)
}

// followReadyFile reads a ready file whose server gets passwords and secrets.
func followReadyFile(path string) (ReadyFacts, error) {
	if err := checkWriter(path); err != nil && !Missing(err) {
		return ReadyFacts{}, terminal.Settingsf("the local server is not asked: %v", err)
	}
	return readReadyFile(path)
}

// checkWriter refuses a ready file that other users than this one and root could have
// written.
func checkWriter(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	const what = "the address that secrets are sent to"
	user := os.Geteuid()
	if owner, foreign := private.ForeignOwner(info, user); foreign {
		return fmt.Errorf("%s belongs to another user (uid %d, this is %d), who decides %s; remove it, and start the server again", path, owner, user, what)
	}
	if private.IsWritable(info) {
		return fmt.Errorf("%s can be changed by other users (mode %04o), who could replace %s; run: chmod go-w %s", path, info.Mode().Perm(), what, path)
	}
	return nil
}

// CheckReadyFolder refuses a folder in which others could replace a ready file.
func CheckReadyFolder(path string) error {
	dir := filepath.Dir(path)
	info, err := os.Stat(dir)
	if err != nil {
		return nil //nolint:nilerr // it was written there a moment ago
	}
	if _, foreign := private.ForeignOwner(info, os.Geteuid()); !foreign && info.Mode()&fs.ModeSticky != 0 {
		return nil // as in /tmp, they can add files only
	}
	return private.CheckFolder(dir, info, os.Geteuid(), "the ready file")
}

// ErrNoServer reports that no server has written its ready file.
var ErrNoServer = errors.New("there is no local server")

func readReadyFile(path string) (ReadyFacts, error) {
	const start = "start one with: partnercenter serve (without --ready-file, which replaces this file)"
	data, err := textfile.ReadText(path)
	switch {
	case Missing(err):
		return ReadyFacts{}, fmt.Errorf("%w: %s does not exist; %s", ErrNoServer, path, start)
	case err != nil:
		return ReadyFacts{}, err
	case len(data) == 0: // made for a server that is to start, as by mktemp
		return ReadyFacts{}, fmt.Errorf("%w: %s is empty; %s", ErrNoServer, path, start)
	}
	var facts ReadyFacts
	if err := json.Unmarshal(data, &facts); err != nil {
		return ReadyFacts{}, fmt.Errorf("%s is not a server's ready file: %w; remove it and start the server again", path, err)
	}
	return facts, nil
}

// otherThanFile reports whether there is something other than a regular file, such as a
// link or a pipe.
func otherThanFile(path string) bool {
	info, err := os.Lstat(path)
	return err == nil && !info.Mode().IsRegular()
}

// RemoveReadyFile removes the file of a server with these facts, unless another has
// replaced it.
func RemoveReadyFile(path string, facts ReadyFacts) {
	if otherThanFile(path) {
		return
	}
	if found, err := readReadyFile(path); err == nil && found.PID == facts.PID && slices.Equal(found.APIURLs, facts.APIURLs) {
		os.Remove(path)
	}
}

// runningTimeout bounds how long a server may take to say that it is running. Servers on
// this machine answer at once.
const runningTimeout = 5 * time.Second

// RunningServer reports whether the server that wrote a ready file is running, and its
// address. It asks the server: process ids are used again, and those of containers mean
// nothing outside. One that takes the connection and does not answer counts as running,
// but not at an address where the caller itself listens: who had that before is gone.
func RunningServer(ctx context.Context, path string, caller ReadyFacts) (address string, running bool) {
	if otherThanFile(path) {
		return "", false
	}
	facts, err := readReadyFile(path)
	if err != nil {
		return "", false
	}
	address = cmp.Or(facts.APIURL, facts.APIURLTLS)
	if address == cmp.Or(caller.APIURL, caller.APIURLTLS) || slices.Contains(caller.APIURLs, address) {
		return address, false
	}
	transport, err := NewTransport(facts.CAFile)
	if err != nil {
		if transport, err = NewTransport(""); err != nil {
			return address, false
		}
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address+"/readyz", nil)
	if err != nil {
		return address, false
	}
	answer, err := Ask(transport, req, runningTimeout)
	if answer == nil {
		return address, errors.Is(err, context.DeadlineExceeded) || errors.As(err, new(*tls.CertificateVerificationError))
	}
	var health struct {
		Status string `json:"status"`
	}
	return address, json.Unmarshal(answer.Body, &health) == nil && health.Status != ""
}
