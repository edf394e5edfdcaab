package localca

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/partnercenter-go/partnercenter/internal/textfile"
)

// Info describes an authority before it is trusted.
type Info struct {
	File        string // absolute path of the certificate
	Subject     string // as in trust stores
	Fingerprint string // SHA-256 of the certificate: pairs of hexadecimal digits
	// Names are what it may sign for: names including those below them, and ranges of
	// addresses.
	Names               []string
	NotBefore, NotAfter time.Time
	Purpose             Purpose
}

// Find returns the authorities in dir, without making any: that of Open, that of
// OpenInterception, then those of OpenPublic. It does not look at their keys.
func Find(dir string) ([]Info, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("localca: %w; give the folder as an absolute path", err)
	}
	info, err := os.Stat(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("localca: %w; give a folder that can be read", err)
	}
	if err := checkDir(dir, info, os.Geteuid()); err != nil {
		return nil, err
	}
	kinds := []kind{local, interception(nil)}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("localca: %w; give a folder that can be read", err)
	}
	for _, entry := range entries {
		host, is := strings.CutPrefix(entry.Name(), publicPrefix)
		if host, ends := strings.CutSuffix(host, publicSuffix); is && ends {
			kinds = append(kinds, public(host))
		}
	}
	var found []Info
	for _, k := range kinds {
		file := filepath.Join(dir, k.certName)
		cert, err := k.readCert(file)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		names := append([]string(nil), cert.PermittedDNSDomains...)
		for _, block := range cert.PermittedIPRanges {
			names = append(names, block.String())
		}
		sum := sha256.Sum256(cert.Raw)
		found = append(found, Info{
			File: file, Subject: cert.Subject.CommonName,
			Fingerprint: strings.ReplaceAll(fmt.Sprintf("% X", sum), " ", ":"),
			Names:       names, NotBefore: cert.NotBefore, NotAfter: cert.NotAfter,
			Purpose: k.purpose,
		})
	}
	return found, nil
}

// BundleFile is the name of the file in an authority's folder that WriteBundle writes.
const BundleFile = "ca-bundle.pem"

// WriteBundle writes the certificates of authorities into one file next to them, for
// clients that take one file only, and returns its absolute path.
func WriteBundle(authorities ...*CA) (string, error) {
	var bundle []byte
	for _, c := range authorities {
		bundle = append(bundle, c.CertPEM()...)
	}
	if len(authorities) == 0 {
		return "", errors.New("localca: no authority for the bundle; give at least one")
	}
	file := filepath.Join(filepath.Dir(authorities[0].certFile), BundleFile)
	if content, err := textfile.Read(file, textfile.Small); err == nil && bytes.Equal(content, bundle) {
		return file, nil
	}
	return file, replace(file, bundle, 0o644)
}
