// Package keypair serves TLS with a certificate and a key from files, and reads them
// again when they change, so that a renewed certificate needs no restart. It makes no
// certificates; package localca does.
package keypair

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/partnercenter-go/partnercenter/internal/textfile"
)

// checkInterval is how often the files are checked while there are handshakes.
const checkInterval = time.Second

// Files is a certificate and its key on disk. Its methods may be called concurrently.
type Files struct {
	certFile, keyFile string
	log               *slog.Logger
	now               func() time.Time

	mu      sync.Mutex // guards the following fields
	pair    *tls.Certificate
	read    stamps    // of the files when they were last read, valid or not
	checked time.Time // when they were last checked
}

// stamps show whether the certificate's file and the key's have changed.
type stamps [2]stamp

type stamp struct {
	modified time.Time
	size     int64
}

// Load reads a certificate with its intermediates, the server's own first, and its key,
// both in PEM. It refuses what no client would accept, and says what to do. The clock
// must be the clients', not a simulated one.
func Load(certFile, keyFile string, now func() time.Time, log *slog.Logger) (*Files, error) {
	f := &Files{certFile: certFile, keyFile: keyFile, log: log, now: now, checked: now()}
	var err error
	if f.read, err = f.look(); err != nil {
		return nil, err
	}
	if f.pair, err = f.load(); err != nil {
		return nil, err
	}
	return f, nil
}

// Certificate returns the pair on disk. If that is not usable, it returns the last
// usable one, and the log says why.
func (f *Files) Certificate() *tls.Certificate {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := f.now()
	if now.Sub(f.checked) < checkInterval {
		return f.pair
	}
	f.checked = now
	found, err := f.look()
	if err == nil && found == f.read {
		return f.pair
	}
	// An unusable pair is reported once and not read again until it changes: perhaps
	// only one of its files has been replaced yet.
	again := found == f.read
	f.read = found
	if err == nil {
		var pair *tls.Certificate
		if pair, err = f.load(); err == nil {
			f.pair = pair
			f.log.Info("the TLS certificate was read again", "file", f.certFile, "names", Names(pair.Leaf), "expires", pair.Leaf.NotAfter)
			return f.pair
		}
	}
	if !again {
		f.log.Error("the new TLS certificate is not used, the earlier one stays", "error", err)
	}
	return f.pair
}

// look returns the stamps of the files.
func (f *Files) look() (found stamps, err error) {
	for i, file := range []string{f.certFile, f.keyFile} {
		info, err := os.Stat(file)
		if err != nil {
			return stamps{}, unreadable(file, err)
		}
		found[i] = stamp{info.ModTime(), info.Size()}
	}
	return found, nil
}

func unreadable(file string, err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("there is no file %s; give the path of a PEM file", file)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("%w; make it readable to this user", err)
	}
	return err
}

func read(file string) ([]byte, error) {
	data, err := textfile.ReadText(file)
	if err != nil {
		return nil, unreadable(file, err)
	}
	return data, nil
}

// load reads and checks the pair. No error quotes the content of the key's file.
func (f *Files) load() (*tls.Certificate, error) {
	certPEM, err := read(f.certFile)
	if err != nil {
		return nil, err
	}
	keyPEM, err := read(f.keyFile)
	if err != nil {
		return nil, err
	}
	if !has(certPEM, "CERTIFICATE") {
		return nil, fmt.Errorf("%s holds no certificate in PEM (-----BEGIN CERTIFICATE-----); give the server's certificate, followed by its intermediates", f.certFile)
	}
	if has(keyPEM, "ENCRYPTED PRIVATE KEY") {
		return nil, fmt.Errorf("the key in %s is encrypted; decrypt it into a file that only this user can read", f.keyFile)
	}
	pair, err := tls.X509KeyPair(certPEM, keyPEM)
	if err != nil {
		return nil, fmt.Errorf("%s and %s do not match: %w; give the server's own certificate first in its file, and the PEM key that it was made for", f.certFile, f.keyFile, err)
	}
	now := f.now()
	switch leaf := pair.Leaf; {
	case now.After(leaf.NotAfter):
		return nil, fmt.Errorf("the certificate in %s expired at %s; have it renewed", f.certFile, leaf.NotAfter.Format(time.RFC3339))
	case now.Before(leaf.NotBefore):
		return nil, fmt.Errorf("the certificate in %s is valid from %s, but it is %s; set the clock, or have the certificate issued again", f.certFile, leaf.NotBefore.Format(time.RFC3339), now.UTC().Format(time.RFC3339))
	case len(Names(leaf)) == 0:
		return nil, fmt.Errorf("the certificate in %s names no host (subject alternative name), so no client accepts it; have it issued with one", f.certFile)
	}
	return &pair, nil
}

func has(content []byte, blockType string) bool {
	for block, rest := pem.Decode(content); block != nil; block, rest = pem.Decode(rest) {
		if block.Type == blockType {
			return true
		}
	}
	return false
}

// Names returns the hosts that a certificate is for, as in URLs.
func Names(leaf *x509.Certificate) []string {
	names := append([]string(nil), leaf.DNSNames...)
	for _, ip := range leaf.IPAddresses {
		names = append(names, ip.String())
	}
	return names
}
