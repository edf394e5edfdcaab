package serve

import (
	"encoding/hex"

	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/connect"
	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/terminal"
	"github.com/partnercenter-go/partnercenter/internal/ascii"
	"github.com/partnercenter-go/partnercenter/internal/store"
)

// Variables with the keys that secrets in databases are sealed with. With fileSuffix, they
// name files with the keys.
const (
	DataKeyVariable    = "PARTNERCENTER_DATA_KEY"
	OldDataKeyVariable = "PARTNERCENTER_DATA_KEY_OLD"
	fileSuffix         = "_FILE"
)

// readDataKeys returns the keys in the environment. There is no flag for them: other users
// see command lines.
func readDataKeys(term *terminal.Terminal) (keys store.DataKeys, err error) {
	if keys.Seal, err = readDataKey(term, DataKeyVariable); err != nil {
		return keys, err
	}
	keys.Other, err = readDataKey(term, OldDataKeyVariable)
	return keys, err
}

// readDataKey returns the key that a variable has or names, or nil.
func readDataKey(term *terminal.Terminal, variable string) ([]byte, error) {
	text, from := term.Getenv(variable), variable
	if file := term.Getenv(variable + fileSuffix); file != "" {
		from += fileSuffix
		if text != "" {
			return nil, terminal.Settingsf("%s and %s are both set: set one of them", variable, from)
		}
		var err error
		if text, err = connect.ReadSecret(term, file); err != nil {
			return nil, terminal.Settingsf("%s: %v: it names a file with 32 random bytes in base64 or hexadecimal", from, err)
		}
	}
	if text == "" {
		return nil, nil
	}
	text = ascii.TrimSpace(text)
	key, err := hex.DecodeString(text)
	if err != nil || len(key) != store.DataKeySize {
		key, err = connect.DecodeKey(text)
	}
	if err != nil {
		return nil, terminal.Settingsf("%s has no data key: it needs %d random bytes in base64 or hexadecimal, as from \"openssl rand -base64 %[2]d\"", from, store.DataKeySize)
	}
	return key, nil
}
