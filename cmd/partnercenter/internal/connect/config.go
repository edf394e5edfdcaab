package connect

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/terminal"
	"github.com/partnercenter-go/partnercenter/internal/private"
	"github.com/partnercenter-go/partnercenter/internal/textfile"
	"github.com/partnercenter-go/partnercenter/internal/yamlfile"
)

// Config is the configuration file.
type Config struct {
	Path           string
	defaultProfile string
	profiles       map[string]Settings
}

// Names returns the names of the profiles.
func (c *Config) Names() []string { return slices.Sorted(maps.Keys(c.profiles)) }

// LoadConfig reads the configuration file. A missing file counts as empty, unless it was
// set explicitly.
func LoadConfig(term *terminal.Terminal) (*Config, error) {
	path, explicit, err := configFile(term)
	if err != nil {
		return nil, err
	}
	return readConfig(term, path, !explicit)
}

// LoadConfigToChange is like LoadConfig, for a file that may still be missing. It must be
// one that can be replaced; reading a pipe could wait for ever.
func LoadConfigToChange(term *terminal.Terminal) (*Config, error) {
	path, err := ConfigPath(term)
	if err != nil {
		return nil, err
	}
	if err := textfile.CheckReplaceable(editedFile(path)); err != nil {
		return nil, terminal.Settingsf("the configuration cannot be changed: %v", err)
	}
	return readConfig(term, path, true)
}

// ConfigPath returns the path of the configuration file.
func ConfigPath(term *terminal.Terminal) (string, error) {
	path, _, err := configFile(term)
	return path, err
}

func readConfig(term *terminal.Terminal, path string, mayMiss bool) (*Config, error) {
	data, err := term.UntilDone(func() ([]byte, error) { return textfile.Read(path, textfile.Small) })
	if Missing(err) && mayMiss {
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

// checkMode fails if other users can read the secrets in the file.
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
		if private.IsOpen(info) {
			return terminal.Settingsf("%s holds the %s of profile %q and other users can read it: run chmod 600 on it, or use %s", c.Path, secret, name, otherwise)
		}
		return nil
	}
	return nil
}

func parseConfig(path string, data []byte) (*Config, error) {
	c := &Config{Path: path, profiles: map[string]Settings{}}
	f, err := yamlfile.Parse(path, data)
	if err == nil && f.Root.Given() {
		f.KnownMembers(f.Root, []string{"defaultProfile", "profiles"}, func(name string, _, value yamlfile.Position) {
			if name == "defaultProfile" {
				f.Decode(value, &c.defaultProfile)
			} else if !value.Empty() {
				f.Members(value, func(name string, key, body yamlfile.Position) { c.parseProfile(f, name, key, body) })
			}
		})
		err = f.Err()
	}
	if err != nil {
		return nil, terminal.Settingsf("%v", err)
	}
	return c, nil
}

func (c *Config) parseProfile(f *yamlfile.File, name string, key, body yamlfile.Position) {
	if name == LocalProfile {
		f.Problem(key, "this profile is built in; choose another name")
	}
	keys := SettingKeys()
	var profile Settings
	if !body.Empty() {
		f.KnownMembers(body, keys, func(name string, _, value yamlfile.Position) {
			field := SettingList[slices.Index(keys, name)].field(&profile)
			f.Decode(value, field)
			if err := checkSetting(name, *field); err != nil {
				f.Problem(value, "%s", strings.TrimPrefix(err.Error(), "--"))
			}
		})
	}
	// File names are relative to the configuration file.
	for _, file := range []*string{&profile.CAFile, &profile.clientSecretFile, &profile.ClientCertificate, &profile.clientCertificatePasswordFile} {
		if *file != "" && *file != "-" && !filepath.IsAbs(*file) {
			*file = filepath.Join(filepath.Dir(c.Path), *file)
		}
	}
	c.profiles[name] = profile
}

// checkSetting fails for a value that no command could use, so that it is reported with
// its line, also by commands that use another profile.
func checkSetting(key, value string) (err error) {
	if value == "" {
		return nil
	}
	switch key {
	case "baseUrl":
		err = checkURL("base URL", value)
	case "authority":
		err = checkURL("authority", value)
	case "cloud":
		_, err = CloudNamed("cloud", value)
	case "as":
		err = terminal.OneOf("as", value, asUser, AsApp)
	case "budget":
		_, err = (&Settings{budget: value}).budgetRate()
	case "maxAnswerSize":
		_, err = (&Settings{maxAnswerSize: value}).answerSize()
	}
	return err
}
