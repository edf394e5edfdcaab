package connect

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/terminal"
	"github.com/partnercenter-go/partnercenter/internal/textfile"
)

// ReadyFacts is the content of a server's ready file: where it listens and how
// to sign in.
type ReadyFacts struct {
	PID        int    `json:"pid"`
	APIURL     string `json:"apiUrl"`
	APIURLTLS  string `json:"apiUrlTls,omitempty"`
	ControlURL string `json:"controlUrl,omitempty"`
	ProxyURL   string `json:"proxyUrl,omitempty"`
	CAFile     string `json:"caFile,omitempty"` // for all TLS addresses, unless OwnCertificate
	// OwnCertificate reports that the TLS listener's certificate is the user's own, and
	// not signed by the authority in CAFile.
	OwnCertificate bool   `json:"ownCertificate,omitzero"`
	Cloud          string `json:"cloud,omitempty"`     // the emulated cloud
	Auth           string `json:"auth,omitempty"`      // whose tokens are accepted; see authOptions
	Authority      string `json:"authority,omitempty"` // their issuer, if not the server
	TenantID       string `json:"tenantId,omitempty"`
	ClientID       string `json:"clientId,omitempty"`
	ClientSecret   string `json:"clientSecret,omitempty"`
	// A user to sign in as.
	UserPrincipalName string `json:"userPrincipalName,omitempty"`
	Password          string `json:"password,omitempty"`
}

// LocalReadyFile returns the default ready file, which --profile local reads.
func LocalReadyFile() (string, error) {
	dir, err := StateDir()
	if err != nil {
		return "", err
	}
	return filepath.Join(dir, "local.json"), nil
}

// ErrNoStateDir reports that there is no folder for this user, as in services and
// containers that run without HOME. Commands that only read optional files continue
// without it.
var ErrNoStateDir = errors.New("no folder for this user's settings")

// StateDir returns the folder for this program's files.
func StateDir() (string, error) {
	dir, err := os.UserConfigDir()
	switch {
	case err != nil && os.Getenv("XDG_CONFIG_HOME") != "": // set, but unusable
		return "", terminal.Settingsf("no folder for this user's settings: %v; set HOME, or XDG_CONFIG_HOME to a whole path", err)
	case err != nil:
		return "", fmt.Errorf("%w: %w; set HOME, or XDG_CONFIG_HOME to a whole path", ErrNoStateDir, err)
	}
	return filepath.Join(dir, "partnercenter"), nil
}

// WriteReadyFile writes facts atomically. The file contains a secret, so only
// its owner can read it.
func WriteReadyFile(path string, facts ReadyFacts) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	data, err := partnercenter.Marshal(facts)
	if err != nil {
		return err
	}
	return writePrivateFile(path, append(data, '\n'))
}

// localFacts returns the facts of the local server.
func localFacts() (ReadyFacts, error) {
	path, err := LocalReadyFile()
	if err != nil {
		return ReadyFacts{}, err
	}
	return readReadyFile(path)
}

func readReadyFile(path string) (ReadyFacts, error) {
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return ReadyFacts{}, fmt.Errorf("there is no local server: %s does not exist; start one with: partnercenter serve (without --ready-file, which replaces this file)", path)
	}
	if err != nil {
		return ReadyFacts{}, err
	}
	if data, err = textfile.Decode(data); err != nil {
		return ReadyFacts{}, fmt.Errorf("%s %w", path, err)
	}
	var facts ReadyFacts
	if err := json.Unmarshal(data, &facts); err != nil {
		return ReadyFacts{}, fmt.Errorf("%s is not a server's ready file: %w; remove it and start the server again", path, err)
	}
	return facts, nil
}

// RemoveReadyFile removes the file unless another server has replaced it.
func RemoveReadyFile(path string) {
	if facts, err := readReadyFile(path); err == nil && facts.PID == os.Getpid() {
		os.Remove(path)
	}
}
