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
)

// ReadyFacts is what a server that accepts requests says of itself in its
// ready file: where it listens and how to sign in.
type ReadyFacts struct {
	PID        int    `json:"pid"`
	APIURL     string `json:"apiUrl"`
	APIURLTLS  string `json:"apiUrlTls,omitempty"`
	ControlURL string `json:"controlUrl,omitempty"`
	ProxyURL   string `json:"proxyUrl,omitempty"`
	CAFile     string `json:"caFile,omitempty"` // for all that speaks TLS, unless OwnCertificate
	// OwnCertificate says that the TLS listener's certificate is the user's, which
	// caFile is not for.
	OwnCertificate bool   `json:"ownCertificate,omitzero"`
	Cloud          string `json:"cloud,omitempty"`     // the one that is played
	Auth           string `json:"auth,omitempty"`      // whose tokens count; see authOptions
	Authority      string `json:"authority,omitempty"` // where they come from, unless from the server
	TenantID       string `json:"tenantId,omitempty"`
	ClientID       string `json:"clientId,omitempty"`
	ClientSecret   string `json:"clientSecret,omitempty"`
	// A user to sign in as.
	UserPrincipalName string `json:"userPrincipalName,omitempty"`
	Password          string `json:"password,omitempty"`
}

// LocalReadyFile is where a server that was given no --ready-file leaves its
// facts, and where --profile local looks for them.
func LocalReadyFile() (string, error) {
	dir, err := StateDir()
	if err != nil {
		return "", err
	}
	return filepath.Join(dir, "local.json"), nil
}

// ErrNoStateDir says that nothing names a folder for this user, as in services and
// containers that run without HOME. Commands that only read what may be there go on
// without it.
var ErrNoStateDir = errors.New("no folder for this user's settings")

// StateDir is the folder for what this program keeps between runs.
func StateDir() (string, error) {
	dir, err := os.UserConfigDir()
	switch {
	case err != nil && os.Getenv("XDG_CONFIG_HOME") != "": // which names a folder, and badly
		return "", terminal.Settingsf("no folder for this user's settings: %v; set HOME, or XDG_CONFIG_HOME to a whole path", err)
	case err != nil:
		return "", fmt.Errorf("%w: %w; set HOME, or XDG_CONFIG_HOME to a whole path", ErrNoStateDir, err)
	}
	return filepath.Join(dir, "partnercenter"), nil
}

// WriteReadyFile writes facts so that a reader never sees half of them. The
// file holds a secret and is its owner's alone.
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

// localFacts are those that a server left where --profile local looks.
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
		return ReadyFacts{}, fmt.Errorf("no local server has left its facts in %s: start one with: partnercenter serve (with --ready-file it leaves them in that file instead)", path)
	}
	if err != nil {
		return ReadyFacts{}, err
	}
	var facts ReadyFacts
	if err := json.Unmarshal(data, &facts); err != nil {
		return ReadyFacts{}, fmt.Errorf("%s is no ready file of a server: %w; remove it and start the server again", path, err)
	}
	return facts, nil
}

// RemoveReadyFile removes the file if it still speaks of this process: another
// server may have written it since.
func RemoveReadyFile(path string) {
	if facts, err := readReadyFile(path); err == nil && facts.PID == os.Getpid() {
		os.Remove(path)
	}
}
