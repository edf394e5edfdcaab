package issuer

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha256"
	"encoding/json"
	"fmt"
)

// seal encrypts a value with what only the one has who may read it, and who sends it
// again: what is stored reveals no token and no code.
func seal(secret string, v any) ([]byte, error) {
	plain, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("issuer: encode an answer: %w", err)
	}
	gcm, err := sealer(secret)
	if err != nil {
		return nil, err
	}
	return gcm.Seal(nil, nil, plain, nil), nil //nolint:gosec // it makes its own nonce
}

// unseal decrypts a sealed value into v.
func unseal(secret string, sealed []byte, v any) error {
	gcm, err := sealer(secret)
	if err != nil {
		return err
	}
	plain, err := gcm.Open(nil, nil, sealed, nil)
	if err == nil {
		err = json.Unmarshal(plain, v)
	}
	if err != nil {
		return fmt.Errorf("issuer: read a kept answer: %w", err)
	}
	return nil
}

func sealer(secret string) (cipher.AEAD, error) {
	key := sha256.Sum256([]byte("answer " + secret)) // digests of secrets alone are stored
	block, err := aes.NewCipher(key[:])
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(block)
}
