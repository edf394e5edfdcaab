package server

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"

	"github.com/go-json-experiment/json"
)

// sealKeySize is the size of the key of continuation tokens.
const sealKeySize = sha256.Size

// sealer makes continuation tokens that cannot be forged. A token is the JSON of a page
// followed by a MAC over the partner and that JSON, in URL-safe base64. The page is not
// secret, but nobody else can make one, and a partner cannot use another's.
type sealer struct{ key []byte }

func newSealer(key []byte) *sealer { return &sealer{key: key} }

var errForged = errors.New("forged continuation token")

// maxToken is far longer than the token of any page.
const maxToken = 8 << 10

func (s *sealer) mac(partnerID string, page []byte) []byte {
	m := hmac.New(sha256.New, s.key)
	m.Write([]byte(partnerID))
	m.Write([]byte{0}) // separates the id from the page
	m.Write(page)
	return m.Sum(nil)
}

func (s *sealer) seal(partnerID string, page any) (string, error) {
	plain, err := json.Marshal(page)
	if err != nil {
		return "", err
	}
	return base64.URLEncoding.EncodeToString(append(plain, s.mac(partnerID, plain)...)), nil
}

func (s *sealer) open(token, partnerID string, page any) error {
	if len(token) > maxToken {
		return errForged
	}
	sealed, err := base64.URLEncoding.DecodeString(token)
	if err != nil || len(sealed) < sha256.Size {
		return errForged
	}
	plain, mac := sealed[:len(sealed)-sha256.Size], sealed[len(sealed)-sha256.Size:]
	if !hmac.Equal(mac, s.mac(partnerID, plain)) {
		return errForged
	}
	return json.Unmarshal(plain, page)
}
