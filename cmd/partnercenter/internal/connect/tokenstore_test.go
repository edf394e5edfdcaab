package connect

import (
	"bytes"
	"encoding/base64"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

func TestSeal(t *testing.T) {
	key := bytes.Repeat([]byte{7}, tokenKeySize)
	one, two := seal([]byte("secret"), key), seal([]byte("secret"), key)
	if bytes.Equal(one, two) {
		t.Error("the same nonce twice")
	}
	if plain, ok := openSealed(one, key); !ok || string(plain) != "secret" {
		t.Errorf("%q, %v", plain, ok)
	}
	other := bytes.Repeat([]byte{8}, tokenKeySize)
	for i := range one {
		changed := bytes.Clone(one)
		changed[i] ^= 1
		if _, ok := openSealed(changed, key); ok {
			t.Fatalf("byte %d can be changed", i)
		}
		if _, ok := openSealed(one[:i], key); ok {
			t.Fatalf("it can be cut to %d bytes", i)
		}
	}
	if _, ok := openSealed(one, other); ok {
		t.Error("another key opens it")
	}
}

// TestClearWithoutFile removes a key that is left of an earlier file, as it would be
// in the way of the next sign-in if it were no good.
func TestClearWithoutFile(t *testing.T) {
	store := &TokenStore{path: filepath.Join(t.TempDir(), "tokens.bin")}
	if err := os.WriteFile(store.keyPath(), []byte("no key"), 0o600); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if removed, err := store.Clear(t.Context()); removed || err != nil {
			t.Errorf("removed %v, %v", removed, err)
		}
		if isThere(store.keyPath()) {
			t.Error("the key is still there")
		}
	}
}

func TestDecodeTokenKey(t *testing.T) {
	key := bytes.Repeat([]byte{0xfb, 0xff}, tokenKeySize/2) // + and / in base64
	for _, text := range []string{
		base64.StdEncoding.EncodeToString(key), base64.RawStdEncoding.EncodeToString(key),
		base64.URLEncoding.EncodeToString(key), base64.RawURLEncoding.EncodeToString(key) + "\n",
	} {
		if got, err := DecodeKey(text); err != nil || !bytes.Equal(got, key) {
			t.Errorf("%s: %x, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "short", base64.StdEncoding.EncodeToString(key[1:]), base64.StdEncoding.EncodeToString(append(key, 1)), "!" + base64.StdEncoding.EncodeToString(key)} {
		if _, err := DecodeKey(text); err == nil {
			t.Errorf("%q is taken for a key", text)
		}
	}
}

// TestSignInFolderOfOthers reads sign-ins where others could put some: without any, nobody has.
func TestSignInFolderOfOthers(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("modes do not show access on Windows")
	}
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o775); err != nil { //nolint:gosec // as with umask 002
		t.Fatal(err)
	}
	store := &TokenStore{path: filepath.Join(dir, "tokens.bin")}
	if signIns, err := store.load(); err != nil || len(signIns) > 0 {
		t.Errorf("%v, %v", signIns, err)
	}
	if err := os.WriteFile(store.path, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := store.load(); err == nil || !strings.Contains(err.Error(), "chmod go-w "+dir) {
		t.Errorf("%v", err)
	}
}
