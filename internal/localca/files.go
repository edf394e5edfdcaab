package localca

import (
	"crypto/ecdsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"time"
)

// The types of the PEM blocks in the authority's files.
const (
	certBlock = "CERTIFICATE"
	keyBlock  = "PRIVATE KEY" // PKCS#8
)

// startOver ends the errors that only a new authority helps against.
const startOver = "remove both ca.pem and ca-key.pem to have a new authority made, and trust its ca.pem anew"

func makeDir(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("localca: make folder %s: %w; give a folder that can be written", dir, err)
	}
	return nil
}

// openKey reads the authority's key, or makes it if there is no certificate yet
// either.
func openKey(keyFile, certFile string) (*ecdsa.PrivateKey, error) {
	key, err := readKey(keyFile)
	if !errors.Is(err, fs.ErrNotExist) {
		return key, err
	}
	if _, err := os.Lstat(certFile); err == nil {
		// Another process may have made both since; the key was first.
		if key, err = readKey(keyFile); errors.Is(err, fs.ErrNotExist) {
			err = fmt.Errorf("localca: %s is missing, but %s is there; restore the key, or %s", keyFile, certFile, startOver)
		}
		return key, err
	}
	made, err := newKey()
	if err != nil {
		return nil, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(made)
	if err != nil {
		return nil, fmt.Errorf("localca: encode the key: %w", err)
	}
	if err := create(keyFile, encodePEM(keyBlock, der), 0o600); err != nil {
		return nil, err
	}
	return readKey(keyFile)
}

// readKey reads the key, unless others could too. The error never quotes the
// file's content.
func readKey(file string) (*ecdsa.PrivateKey, error) {
	info, err := os.Stat(file)
	if err != nil {
		return nil, fmt.Errorf("localca: %w; make it readable to this user", err)
	}
	// Windows has access control lists instead, which the mode does not show.
	if mode := info.Mode().Perm(); mode&0o077 != 0 && runtime.GOOS != "windows" {
		return nil, fmt.Errorf("localca: %s can be read or changed by other users (mode %04o); run: chmod 600 %s (on a file system that keeps permissions)", file, mode, file)
	}
	der, err := readPEM(file, keyBlock)
	if err != nil {
		return nil, err
	}
	parsed, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, fmt.Errorf("localca: %s does not hold a PKCS#8 key; restore it, or %s", file, startOver)
	}
	key, ok := parsed.(*ecdsa.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("localca: the key in %s is not an ECDSA key; restore it, or %s", file, startOver)
	}
	return key, nil
}

// openCert reads the authority's certificate, or makes it for key.
func openCert(file string, key *ecdsa.PrivateKey, now time.Time) (*x509.Certificate, error) {
	cert, err := readCert(file)
	if !errors.Is(err, fs.ErrNotExist) {
		return cert, err
	}
	der, err := newCert(key, now)
	if err != nil {
		return nil, err
	}
	if err := create(file, encodePEM(certBlock, der), 0o644); err != nil {
		return nil, err
	}
	return readCert(file)
}

func readCert(file string) (*x509.Certificate, error) {
	der, err := readPEM(file, certBlock)
	if err != nil {
		return nil, err
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("localca: the certificate in %s cannot be read: %w; restore it, or %s", file, err, startOver)
	}
	if !cert.IsCA {
		return nil, fmt.Errorf("localca: %s is not the certificate of an authority; restore it, or %s", file, startOver)
	}
	return cert, nil
}

func readPEM(file, blockType string) ([]byte, error) {
	content, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("localca: %w; make it readable to this user", err)
	}
	block, _ := pem.Decode(content)
	if block == nil || block.Type != blockType {
		return nil, fmt.Errorf("localca: %s does not hold a PEM block of type %s; restore it, or %s", file, blockType, startOver)
	}
	return block.Bytes, nil
}

// create makes a file that is there with all of its content or not at all. A
// file that another process has made meanwhile is left as it is.
func create(file string, content []byte, mode fs.FileMode) error {
	dir := filepath.Dir(file)
	temp, err := os.CreateTemp(dir, "."+filepath.Base(file)+".*")
	if err != nil {
		return fmt.Errorf("localca: %w; make %s writable, or give another folder", err, dir)
	}
	defer os.Remove(temp.Name())
	_, err = temp.Write(content)
	err = errors.Join(err, temp.Chmod(mode), temp.Sync(), temp.Close())
	if err != nil {
		return fmt.Errorf("localca: write %s: %w; make room on the disk, or give another folder", file, err)
	}
	// Unlike a rename, a link does not replace what is there.
	if err := os.Link(temp.Name(), file); err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("localca: %w; give a folder on a file system with hard links", err)
	}
	return nil
}
