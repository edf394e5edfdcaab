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
	"time"

	"github.com/partnercenter-go/partnercenter/internal/private"
	"github.com/partnercenter-go/partnercenter/internal/textfile"
)

// The types of the PEM blocks in the authority's files.
const (
	certBlock = "CERTIFICATE"
	keyBlock  = "PRIVATE KEY" // PKCS#8
)

// openDir creates the folder if it is missing, and refuses one in which others could
// replace the authority.
func openDir(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("localca: make folder %s: %w; give a folder that can be written", dir, err)
	}
	info, err := os.Stat(dir)
	if err != nil {
		return fmt.Errorf("localca: %w; give a folder that can be read", err)
	}
	return checkDir(dir, info, os.Geteuid())
}

// checkDir refuses a folder that a user other than user and root can change: whoever
// can replace the authority's key can read what its clients send.
func checkDir(dir string, info fs.FileInfo, user int) error {
	if !info.IsDir() {
		return fmt.Errorf("localca: %s is a file; give a folder that can be written", dir)
	}
	if err := private.CheckFolder(dir, info, user, "the authority"); err != nil {
		return fmt.Errorf("localca: %w", err)
	}
	return nil
}

// openKey reads the authority's key, or makes it if there is no certificate either.
func (k kind) openKey(keyFile, certFile string) (*ecdsa.PrivateKey, error) {
	key, err := k.readKey(keyFile)
	if !errors.Is(err, fs.ErrNotExist) {
		return key, err
	}
	if _, err := os.Lstat(certFile); err == nil {
		// Another process may have made both since; the key was first.
		if key, err = k.readKey(keyFile); errors.Is(err, fs.ErrNotExist) {
			err = fmt.Errorf("localca: %s is missing, but %s is there; restore the key, or %s", keyFile, certFile, k.startOver())
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
	return k.readKey(keyFile)
}

// readKey reads the key, unless others can read it, too. The error never quotes the
// file's content.
func (k kind) readKey(file string) (*ecdsa.PrivateKey, error) {
	info, err := os.Stat(file)
	if err != nil {
		return nil, fmt.Errorf("localca: %w; make it readable to this user", err)
	}
	if private.IsOpen(info) {
		return nil, fmt.Errorf("localca: %s can be read or changed by other users (mode %04o); run: chmod 600 %s (on a file system that keeps permissions)", file, info.Mode().Perm(), file)
	}
	if owner, foreign := private.ForeignOwner(info, os.Geteuid()); foreign {
		return nil, fmt.Errorf("localca: %s belongs to another user (uid %d), who could replace it; give another folder, or run: chown %d %s", file, owner, os.Geteuid(), file)
	}
	der, err := k.readPEM(file, keyBlock)
	if err != nil {
		return nil, err
	}
	parsed, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, fmt.Errorf("localca: %s does not hold a PKCS#8 key; restore it, or %s", file, k.startOver())
	}
	key, ok := parsed.(*ecdsa.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("localca: the key in %s is not an ECDSA key; restore it, or %s", file, k.startOver())
	}
	return key, nil
}

// openCert reads the authority's certificate, or makes it for key.
func (k kind) openCert(file string, key *ecdsa.PrivateKey, now time.Time) (*x509.Certificate, error) {
	cert, err := k.readCert(file)
	if !errors.Is(err, fs.ErrNotExist) {
		return cert, err
	}
	der, err := k.newCert(key, now)
	if err != nil {
		return nil, err
	}
	if err := create(file, encodePEM(certBlock, der), 0o644); err != nil {
		return nil, err
	}
	return k.readCert(file)
}

func (k kind) readCert(file string) (*x509.Certificate, error) {
	der, err := k.readPEM(file, certBlock)
	if err != nil {
		return nil, err
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("localca: the certificate in %s cannot be read: %w; restore it, or %s", file, err, k.startOver())
	}
	if !cert.IsCA {
		return nil, fmt.Errorf("localca: %s is not the certificate of an authority; restore it, or %s", file, k.startOver())
	}
	return cert, nil
}

func (k kind) readPEM(file, blockType string) ([]byte, error) {
	content, err := textfile.ReadText(file)
	if errors.Is(err, fs.ErrPermission) {
		return nil, fmt.Errorf("localca: %w; make it readable to this user", err)
	}
	if err != nil {
		return nil, fmt.Errorf("localca: %w", err)
	}
	block, _ := pem.Decode(content)
	if block == nil || block.Type != blockType {
		return nil, fmt.Errorf("localca: %s does not hold a PEM block of type %s; restore it, or %s", file, blockType, k.startOver())
	}
	return block.Bytes, nil
}

// create creates a file with all of its content or not at all. A file that another
// process has created in the meantime is left as it is.
func create(file string, content []byte, mode fs.FileMode) error {
	temp, err := writeTemp(file, content, mode)
	if err != nil {
		return err
	}
	defer os.Remove(temp)
	// Unlike a rename, a link does not replace an existing file.
	if err := os.Link(temp, file); err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("localca: %w; give a folder on a file system with hard links", err)
	}
	return nil
}

// replace replaces the content of a file atomically.
func replace(file string, content []byte, mode fs.FileMode) error {
	if err := textfile.CheckReplaceable(file); err != nil {
		return fmt.Errorf("localca: %w", err)
	}
	temp, err := writeTemp(file, content, mode)
	if err != nil {
		return err
	}
	if err := os.Rename(temp, file); err != nil {
		os.Remove(temp)
		return fmt.Errorf("localca: %w; make it writable to this user", err)
	}
	return nil
}

// writeTemp writes a temporary file next to its destination.
func writeTemp(file string, content []byte, mode fs.FileMode) (string, error) {
	dir := filepath.Dir(file)
	temp, err := os.CreateTemp(dir, "."+filepath.Base(file)+".*")
	if err != nil {
		return "", fmt.Errorf("localca: %w; make %s writable, or give another folder", err, dir)
	}
	_, err = temp.Write(content)
	if err = errors.Join(err, temp.Chmod(mode), temp.Sync(), temp.Close()); err != nil {
		os.Remove(temp.Name())
		return "", fmt.Errorf("localca: write %s: %w; make room on the disk, or give another folder", file, err)
	}
	return temp.Name(), nil
}
