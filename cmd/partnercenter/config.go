package main

import (
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/partnercenter-go/partnercenter/internal/yamlfile"
)

// config is the configuration file.
type config struct {
	path           string
	defaultProfile string
	profiles       map[string]settings
}

func (c *config) names() []string { return slices.Sorted(maps.Keys(c.profiles)) }

// loadConfig reads the configuration file; one that is not there is empty.
func loadConfig(app *app) (*config, error) {
	path, explicit, err := configFile(app)
	if err != nil {
		return nil, err
	}
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) && !explicit {
		return &config{path: path}, nil
	}
	if err != nil {
		return nil, settingsErrorf("the configuration cannot be read: %v", err)
	}
	config, err := parseConfig(path, data)
	if err != nil {
		return nil, err
	}
	return config, config.checkMode()
}

// checkMode refuses a file that shows its secrets to other users.
func (c *config) checkMode() error {
	for name, profile := range c.profiles {
		secret, otherwise := "clientSecret", "clientSecretFile or clientSecretEnv"
		switch {
		case profile.clientSecret != "":
		case profile.clientCertificatePassword != "":
			secret, otherwise = "clientCertificatePassword", "clientCertificatePasswordFile"
		default:
			continue
		}
		info, err := os.Stat(c.path)
		if err != nil {
			return err
		}
		if openToOthers(info) {
			return settingsErrorf("%s holds the %s of profile %q and other users can read it: run chmod 600 on it, or use %s", c.path, secret, name, otherwise)
		}
		return nil
	}
	return nil
}

func parseConfig(path string, data []byte) (*config, error) {
	c := &config{path: path, profiles: map[string]settings{}}
	f, err := yamlfile.Parse(path, data)
	if err == nil && f.Root.Given() {
		f.Members(f.Root, []string{"defaultProfile", "profiles"}, func(name string, _, value yamlfile.Place) {
			if name == "defaultProfile" {
				f.Decode(value, &c.defaultProfile)
			} else if !value.Empty() {
				f.Members(value, nil, func(name string, key, body yamlfile.Place) { c.parseProfile(f, name, key, body) })
			}
		})
		err = f.Err()
	}
	if err != nil {
		return nil, settingsErrorf("%v", err)
	}
	return c, nil
}

func (c *config) parseProfile(f *yamlfile.File, name string, key, body yamlfile.Place) {
	if name == localProfile {
		f.Problem(key, "this profile is built in; choose another name")
	}
	var keys []string
	for _, setting := range settingList {
		keys = append(keys, setting.key)
	}
	var profile settings
	if !body.Empty() {
		f.Members(body, keys, func(name string, _, value yamlfile.Place) {
			f.Decode(value, settingList[slices.Index(keys, name)].field(&profile))
		})
	}
	// Files are named relative to the one that names them.
	for _, file := range []*string{&profile.caFile, &profile.clientSecretFile, &profile.clientCertificate, &profile.clientCertificatePasswordFile} {
		if *file != "" && *file != "-" && !filepath.IsAbs(*file) {
			*file = filepath.Join(filepath.Dir(c.path), *file)
		}
	}
	c.profiles[name] = profile
}
