package connect

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/terminal"
)

// Config is the configuration file.
type Config struct {
	Path           string
	defaultProfile string
	profiles       map[string]Settings
}

// Names are those of the profiles.
func (c *Config) Names() []string { return slices.Sorted(maps.Keys(c.profiles)) }

// LoadConfig reads the configuration file; one that is not there is empty.
func LoadConfig(term *terminal.Terminal) (*Config, error) {
	path, explicit, err := configFile(term)
	if err != nil {
		return nil, err
	}
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) && !explicit {
		return &Config{Path: path}, nil
	}
	if err != nil {
		return nil, terminal.Settingsf("the configuration cannot be read: %v", err)
	}
	config, err := parseConfig(path, data)
	if err != nil {
		return nil, err
	}
	return config, config.checkMode()
}

// checkMode refuses a file that shows its secrets to other users.
func (c *Config) checkMode() error {
	for name, profile := range c.profiles {
		secret, otherwise := "clientSecret", "clientSecretFile or clientSecretEnv"
		switch {
		case profile.ClientSecret != "":
		case profile.clientCertificatePassword != "":
			secret, otherwise = "clientCertificatePassword", "clientCertificatePasswordFile"
		default:
			continue
		}
		info, err := os.Stat(c.Path)
		if err != nil {
			return err
		}
		if openToOthers(info) {
			return terminal.Settingsf("%s holds the %s of profile %q and other users can read it: run chmod 600 on it, or use %s", c.Path, secret, name, otherwise)
		}
		return nil
	}
	return nil
}

// parseConfig reads YAML node by node, because an error is to name the line
// and what was probably meant.
func parseConfig(path string, data []byte) (*Config, error) {
	c := &Config{Path: path, profiles: map[string]Settings{}}
	var document yaml.Node
	if err := yaml.Unmarshal(data, &document); err != nil {
		return nil, terminal.Settingsf("%s: %s", path, strings.TrimPrefix(err.Error(), "yaml: "))
	}
	if document.Kind == 0 {
		return c, nil // nothing but comments
	}
	err := c.eachMember(document.Content[0], func(key, value *yaml.Node) error {
		switch key.Value {
		case "defaultProfile":
			return c.text(key, value, &c.defaultProfile)
		case "profiles":
			return c.eachMember(value, c.parseProfile)
		}
		return c.errorf(key, "unknown key %q%s", key.Value, terminal.DidYouMean(key.Value, []string{"defaultProfile", "profiles"}))
	})
	return c, err
}

func (c *Config) parseProfile(name, body *yaml.Node) error {
	if name.Value == LocalProfile {
		return c.errorf(name, "profile %q is built in: choose another name", LocalProfile)
	}
	var keys []string
	for _, setting := range SettingList {
		keys = append(keys, setting.key)
	}
	var profile Settings
	err := c.eachMember(body, func(key, value *yaml.Node) error {
		i := slices.Index(keys, key.Value)
		if i < 0 {
			return c.errorf(key, "unknown key %q%s", key.Value, terminal.DidYouMean(key.Value, keys))
		}
		return c.text(key, value, SettingList[i].field(&profile))
	})
	// Files are named relative to the one that names them.
	for _, file := range []*string{&profile.CAFile, &profile.clientSecretFile, &profile.ClientCertificate, &profile.clientCertificatePasswordFile} {
		if *file != "" && *file != "-" && !filepath.IsAbs(*file) {
			*file = filepath.Join(filepath.Dir(c.Path), *file)
		}
	}
	c.profiles[name.Value] = profile
	return err
}

func (c *Config) eachMember(node *yaml.Node, member func(key, value *yaml.Node) error) error {
	if node.Kind == yaml.ScalarNode && node.Tag == "!!null" {
		return nil
	}
	if node.Kind != yaml.MappingNode {
		return c.errorf(node, "write \"key: value\" lines here")
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(node.Content); i += 2 {
		key := node.Content[i]
		if seen[key.Value] {
			return c.errorf(key, "%q is there twice: leave one", key.Value)
		}
		seen[key.Value] = true
		if err := member(key, node.Content[i+1]); err != nil {
			return err
		}
	}
	return nil
}

func (c *Config) text(key, value *yaml.Node, field *string) error {
	if value.Kind != yaml.ScalarNode {
		return c.errorf(value, "%s is one value, not a list or a mapping", key.Value)
	}
	if value.Tag != "!!null" {
		*field = value.Value
	}
	return nil
}

func (c *Config) errorf(at *yaml.Node, format string, args ...any) error {
	return terminal.Settingsf("%s:%d: %s", c.Path, at.Line, fmt.Sprintf(format, args...))
}
