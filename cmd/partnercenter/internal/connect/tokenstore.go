package connect

import (
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/gofrs/flock"

	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/terminal"
	"github.com/partnercenter-go/partnercenter/internal/private"
	"github.com/partnercenter-go/partnercenter/internal/textfile"
)

// TokenKeyVariable is the environment variable for the key of the token file.
// If it is not set, the key is in a file of its own.
const TokenKeyVariable = "PARTNERCENTER_TOKEN_KEY"

// TokenStore stores the sign-ins of users in an encrypted file. The key, unless
// it is in the environment, and a lock file are next to it. The lock keeps
// processes from using a refresh token concurrently: authorities replace it at
// each use, and may treat an old one as stolen.
type TokenStore struct {
	path   string
	keyEnv string // the key from the environment; may be empty
}

// The token file consists of this header, a nonce and the sign-ins in JSON,
// sealed with AES-256-GCM. The header is authenticated.
const tokenFileHeader = "partnercenter tokens, AES-256-GCM, 1\n"

const (
	tokenKeySize = 32
	// maxTokenFile is far more than some dozens of sign-ins need.
	maxTokenFile = 16 << 20
	// tokenLockPoll is the interval of attempts to get a lock held by another
	// process.
	tokenLockPoll = 50 * time.Millisecond
)

// NewTokenStore returns the store in this user's folder without reading it.
func NewTokenStore(term *terminal.Terminal) (*TokenStore, error) {
	dir, err := StateDir()
	if err != nil {
		return nil, otherwise(err, "do without a sign-in, as an app, with --as app")
	}
	return &TokenStore{path: filepath.Join(dir, "tokens.bin"), keyEnv: term.Getenv(TokenKeyVariable)}, nil
}

func (t *TokenStore) keyPath() string { return filepath.Join(filepath.Dir(t.path), "token.key") }

// load returns the sign-ins, none if there is no file.
func (t *TokenStore) load() ([]*SignIn, error) {
	if !isThere(t.path) {
		return nil, nil // commands that need no sign-in work whatever the folder is like
	}
	if err := t.checkFolder(); err != nil {
		return nil, err
	}
	sealed, err := readPrivateFile(t.path, maxTokenFile)
	if Missing(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	key, err := t.key()
	if Missing(err) {
		return nil, unreadable(fmt.Sprintf("%s is encrypted, and its key is missing: neither %s nor %s has one", t.path, t.keyPath(), TokenKeyVariable))
	}
	if err != nil {
		return nil, err
	}
	plain, ok := openSealed(sealed, key)
	if !ok {
		return nil, t.damaged()
	}
	var content tokenFileContent
	if err := json.Unmarshal(plain, &content); err != nil {
		return nil, t.damaged() // a JSON error could quote a token
	}
	return content.SignIns, nil
}

// tokenFileContent is the sealed content.
type tokenFileContent struct {
	SignIns []*SignIn `json:"signIns"`
}

// damaged returns the error for a file that cannot be opened with the key.
func (t *TokenStore) damaged() error {
	key := "the key in " + t.keyPath()
	if t.keyEnv != "" {
		key = "the key in " + TokenKeyVariable
	}
	return unreadable(fmt.Sprintf("%s is damaged, or was written with a key other than %s", t.path, key))
}

func unreadable(why string) error {
	return &SignInError{
		Text: "the sign-ins cannot be read: " + why,
		Next: "Give the right key. If it is lost, start over: partnercenter logout --all, then partnercenter login.\n" +
			"Commands that do not need a user work with --as app.",
	}
}

// Change calls f with the sign-ins, under the lock, and stores what it returns
// unless that is nil.
func (t *TokenStore) Change(ctx context.Context, f func([]*SignIn) ([]*SignIn, error)) error {
	unlock, err := t.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	signIns, err := t.load()
	if err != nil {
		return err
	}
	// A code or refresh token can be redeemed only once.
	if err := t.writable(); errors.As(err, new(*terminal.UsageError)) {
		return err
	} else if err != nil {
		return fmt.Errorf("the sign-ins cannot be written: %w; free some space, and make the folder writable for this user", err)
	}
	// A new refresh token must not be lost, even with an error.
	changed, failed := f(signIns)
	if changed != nil {
		if err := t.save(changed); err != nil {
			return err
		}
	}
	return failed
}

// writable checks whether a file can be created in the folder.
func (t *TokenStore) writable() error {
	for _, path := range []string{t.path, t.keyPath()} {
		if err := textfile.CheckReplaceable(path); err != nil {
			return terminal.Usagef("%v", err)
		}
	}
	f, err := os.CreateTemp(filepath.Dir(t.path), ".new-*")
	if err != nil {
		return err
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}

// Clear removes the file, even if it is unreadable, and reports whether there
// was one. It also removes the key that was created for it or for an earlier
// file.
func (t *TokenStore) Clear(ctx context.Context) (removed bool, err error) {
	files := []string{t.path, t.keyPath()}
	if !slices.ContainsFunc(files, isThere) {
		return false, nil
	}
	unlock, err := t.lock(ctx)
	if err != nil {
		return false, err
	}
	defer unlock()
	for _, path := range files {
		switch err := os.Remove(path); {
		case err == nil:
			removed = removed || path == t.path
		case !Missing(err):
			return removed, fmt.Errorf("the sign-ins cannot be removed: %w; remove the file yourself", err)
		}
	}
	return removed, nil
}

func isThere(path string) bool {
	_, err := os.Lstat(path)
	return !Missing(err)
}

// checkFolder refuses a folder in which others could replace the sign-ins and their key,
// and so have this user act for somebody else. It is fine if there is none.
func (t *TokenStore) checkFolder() error {
	dir := filepath.Dir(t.path)
	info, err := os.Stat(dir)
	if Missing(err) {
		return nil
	}
	if err == nil {
		err = private.CheckFolder(dir, info, os.Geteuid(), "the sign-ins")
	}
	if err != nil {
		return terminal.Settingsf("%v", err)
	}
	return nil
}

func (t *TokenStore) lock(ctx context.Context) (unlock func(), err error) {
	if err := os.MkdirAll(filepath.Dir(t.path), 0o700); err != nil {
		return nil, fmt.Errorf("there is no folder for sign-ins: %w; make the folder writable for this user", err)
	}
	if err := t.checkFolder(); err != nil {
		return nil, err
	}
	path := strings.TrimSuffix(t.path, ".bin") + ".lock"
	if info, err := os.Lstat(path); err == nil && info.Mode()&fs.ModeSymlink != 0 {
		// It would make a file somewhere else.
		return nil, terminal.Settingsf("%s is a link, which locks are not written through: remove it", path)
	}
	lock := flock.New(path, flock.SetPermissions(0o600))
	if _, err := lock.TryLockContext(ctx, tokenLockPoll); err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, fmt.Errorf("the file of sign-ins cannot be locked: %w; make its folder writable for this user", err)
	}
	return func() { lock.Close() }, nil
}

func (t *TokenStore) save(signIns []*SignIn) error {
	plain, err := json.Marshal(tokenFileContent{SignIns: signIns})
	if err != nil {
		return err
	}
	key, err := t.key()
	if Missing(err) {
		key, err = t.makeKey()
	}
	if err != nil {
		return err
	}
	if err := writePrivateFile(t.path, seal(plain, key)); err != nil {
		return fmt.Errorf("the sign-ins cannot be written: %w; free some space, and make the folder writable for this user", err)
	}
	return nil
}

// key returns the key from the environment or the key file. The error is
// fs.ErrNotExist if there is neither.
func (t *TokenStore) key() ([]byte, error) {
	text, from := []byte(t.keyEnv), TokenKeyVariable
	if t.keyEnv == "" {
		var err error
		from = t.keyPath()
		if text, err = readPrivateFile(from, maxSecret); err != nil {
			return nil, err
		}
	}
	text, err := textfile.Decode(text)
	if err != nil {
		return nil, terminal.Settingsf("%s %v", from, err)
	}
	key, err := DecodeKey(string(text))
	if err != nil {
		return nil, terminal.Settingsf("%s does not contain a key for sign-ins: it needs %d random bytes in base64, as from \"openssl rand -base64 %[2]d\"", from, tokenKeySize)
	}
	return key, nil
}

// DecodeKey returns the key of 32 bytes in a text, in either alphabet of base64, with or
// without padding.
func DecodeKey(text string) ([]byte, error) {
	text = strings.NewReplacer("-", "+", "_", "/").Replace(strings.TrimRight(strings.TrimSpace(text), "="))
	key, err := base64.RawStdEncoding.DecodeString(text)
	if err == nil && len(key) != tokenKeySize {
		err = errors.New("wrong size")
	}
	return key, err
}

// makeKey creates the key file. The caller holds the lock.
func (t *TokenStore) makeKey() ([]byte, error) {
	key := make([]byte, tokenKeySize)
	rand.Read(key) // never fails
	if err := writePrivateFile(t.keyPath(), []byte(base64.StdEncoding.EncodeToString(key)+"\n")); err != nil {
		return nil, fmt.Errorf("the key for sign-ins cannot be written: %w; make the folder writable for this user, or give a key in %s", err, TokenKeyVariable)
	}
	return key, nil
}

func newSealer(key []byte) cipher.AEAD {
	block, err := aes.NewCipher(key)
	if err != nil {
		panic(err) // keys always have the right size
	}
	sealer, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		panic(err) // AES always has the right block size
	}
	return sealer
}

func seal(plain, key []byte) []byte {
	return newSealer(key).Seal([]byte(tokenFileHeader), nil, plain, []byte(tokenFileHeader)) //nolint:gosec // it makes a nonce of its own each time
}

func openSealed(file, key []byte) (plain []byte, ok bool) {
	sealed, ok := bytes.CutPrefix(file, []byte(tokenFileHeader))
	if !ok {
		return nil, false
	}
	plain, err := newSealer(key).Open(nil, nil, sealed, []byte(tokenFileHeader))
	return plain, err == nil
}
