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
)

// TokenKeyVariable is the environment variable that holds the key of the token
// file. Without it the key is in a file of its own.
const TokenKeyVariable = "PARTNERCENTER_TOKEN_KEY"

// TokenStore keeps the sign-ins of users between commands, in one encrypted
// file. Beside it are the key, unless the environment has it, and a lock that
// only one process holds at a time: authorities give a new refresh token for an
// old one, and may take the old one, used twice, for stolen.
type TokenStore struct {
	path   string
	keyEnv string // the key as the environment has it; may be empty
}

// The parts of the token file: what it is and how it is sealed, a nonce, and
// what AES-256-GCM made of the sign-ins in JSON. The first part is
// authenticated, too.
const tokenFileHeader = "partnercenter tokens, AES-256-GCM, 1\n"

const (
	tokenKeySize = 32
	// maxTokenFile is far beyond some dozens of sign-ins.
	maxTokenFile = 16 << 20
	// tokenLockPoll is how often a lock that another process holds is asked for.
	tokenLockPoll = 50 * time.Millisecond
)

// NewTokenStore returns the store in this user's folder; nothing is read yet.
func NewTokenStore(term *terminal.Terminal) (*TokenStore, error) {
	dir, err := StateDir()
	if err != nil {
		return nil, err
	}
	return &TokenStore{path: filepath.Join(dir, "tokens.bin"), keyEnv: term.Getenv(TokenKeyVariable)}, nil
}

func (t *TokenStore) keyPath() string { return filepath.Join(filepath.Dir(t.path), "token.key") }

// load returns the sign-ins; none if there is no file.
func (t *TokenStore) load() ([]*SignIn, error) {
	sealed, err := readPrivateFile(t.path, maxTokenFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	key, err := t.key()
	if errors.Is(err, fs.ErrNotExist) {
		return nil, unreadable(fmt.Sprintf("%s is encrypted, and there is no key for it: neither %s nor a value of %s", t.path, t.keyPath(), TokenKeyVariable))
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
		return nil, t.damaged() // an error of JSON could quote a token
	}
	return content.SignIns, nil
}

// tokenFileContent is what is sealed.
type tokenFileContent struct {
	SignIns []*SignIn `json:"signIns"`
}

// damaged says that the file does not open with the key.
func (t *TokenStore) damaged() error {
	key := "the key in " + t.keyPath()
	if t.keyEnv != "" {
		key = "the key in " + TokenKeyVariable
	}
	return unreadable(fmt.Sprintf("%s is damaged, or was written with another key than %s", t.path, key))
}

func unreadable(why string) error {
	return &SignInError{
		Text: "the signed-in users cannot be read: " + why,
		Next: "Give the right key or, if it is lost, start over: partnercenter logout --all, then partnercenter login.\n" +
			"Commands that need no user can go on with --as app.",
	}
}

// Change lets f replace the sign-ins, while no other process can. What f
// returns is written unless it is nil.
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
	// What an authority gives for a code or a refresh token, it gives once.
	if err := t.writable(); err != nil {
		return fmt.Errorf("the signed-in users cannot be written: %w; make room, and the folder writable for this user", err)
	}
	// A new refresh token that came together with an error must not be lost.
	changed, failed := f(signIns)
	if changed != nil {
		if err := t.save(changed); err != nil {
			return err
		}
	}
	return failed
}

// writable tries whether a file can be made in the folder.
func (t *TokenStore) writable() error {
	f, err := os.CreateTemp(filepath.Dir(t.path), ".new-*")
	if err != nil {
		return err
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}

// Clear removes the file, readable or not, and reports whether there was one.
// A key that was made for it goes, too, also one that is left of an earlier file.
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
		case !errors.Is(err, fs.ErrNotExist):
			return removed, fmt.Errorf("the signed-in users cannot be removed: %w; remove the file yourself", err)
		}
	}
	return removed, nil
}

func isThere(path string) bool {
	_, err := os.Lstat(path)
	return !errors.Is(err, fs.ErrNotExist)
}

func (t *TokenStore) lock(ctx context.Context) (unlock func(), err error) {
	if err := os.MkdirAll(filepath.Dir(t.path), 0o700); err != nil {
		return nil, fmt.Errorf("the signed-in users have no place: %w; make the folder writable for this user", err)
	}
	lock := flock.New(strings.TrimSuffix(t.path, ".bin")+".lock", flock.SetPermissions(0o600))
	if _, err := lock.TryLockContext(ctx, tokenLockPoll); err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, fmt.Errorf("the file of signed-in users cannot be locked: %w; make its folder writable for this user", err)
	}
	return func() { lock.Close() }, nil
}

func (t *TokenStore) save(signIns []*SignIn) error {
	plain, err := json.Marshal(tokenFileContent{SignIns: signIns})
	if err != nil {
		return err
	}
	key, err := t.key()
	if errors.Is(err, fs.ErrNotExist) {
		key, err = t.makeKey()
	}
	if err != nil {
		return err
	}
	if err := writePrivateFile(t.path, seal(plain, key)); err != nil {
		return fmt.Errorf("the signed-in users cannot be written: %w; make room, and the folder writable for this user", err)
	}
	return nil
}

// key returns the key of the environment or else of the key file. The error is
// fs.ErrNotExist when there is neither.
func (t *TokenStore) key() ([]byte, error) {
	text, from := []byte(t.keyEnv), TokenKeyVariable
	if t.keyEnv == "" {
		var err error
		from = t.keyPath()
		if text, err = readPrivateFile(from, maxSecret); err != nil {
			return nil, err
		}
	}
	key, err := decodeTokenKey(string(text))
	if err != nil {
		return nil, terminal.Settingsf("%s holds no key for the signed-in users: it takes %d random bytes in base64, as from \"openssl rand -base64 %[2]d\"", from, tokenKeySize)
	}
	return key, nil
}

// decodeTokenKey takes both alphabets of base64, padded or not.
func decodeTokenKey(text string) ([]byte, error) {
	text = strings.NewReplacer("-", "+", "_", "/").Replace(strings.TrimRight(strings.TrimSpace(text), "="))
	key, err := base64.RawStdEncoding.DecodeString(text)
	if err == nil && len(key) != tokenKeySize {
		err = errors.New("wrong size")
	}
	return key, err
}

// makeKey is called with the lock held.
func (t *TokenStore) makeKey() ([]byte, error) {
	key := make([]byte, tokenKeySize)
	rand.Read(key) // never fails
	if err := writePrivateFile(t.keyPath(), []byte(base64.StdEncoding.EncodeToString(key)+"\n")); err != nil {
		return nil, fmt.Errorf("no key can be kept for the signed-in users: %w; make the folder writable for this user, or give a key in %s", err, TokenKeyVariable)
	}
	return key, nil
}

func newSealer(key []byte) cipher.AEAD {
	block, err := aes.NewCipher(key)
	if err != nil {
		panic(err) // keys have the right size, or are none
	}
	sealer, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		panic(err) // AES has the block size that GCM takes
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
