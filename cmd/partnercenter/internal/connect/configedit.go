package connect

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/terminal"
	"github.com/partnercenter-go/partnercenter/internal/guid"
	"github.com/partnercenter-go/partnercenter/internal/textfile"
	"github.com/partnercenter-go/partnercenter/internal/words"
	"github.com/partnercenter-go/partnercenter/internal/yamlfile"
)

// defaultProfileKey is the setting that names the profile to use.
const defaultProfileKey = "defaultProfile"

// ConfigValue is a setting in the configuration file. Its key is defaultProfile, or a
// profile's name, a dot and a setting.
type ConfigValue struct {
	Profile, Setting string
	Value            string // hidden if it is secret
}

// Key returns the key by which commands name the setting.
func (v *ConfigValue) Key() string {
	return strings.TrimPrefix(v.Profile+"."+v.Setting, ".")
}

// Values returns the settings in the file.
func (c *Config) Values() []ConfigValue {
	var values []ConfigValue
	if c.defaultProfile != "" {
		values = append(values, ConfigValue{Setting: defaultProfileKey, Value: c.defaultProfile})
	}
	for _, name := range c.Names() {
		profile := c.profiles[name]
		for _, s := range SettingList {
			value := *s.field(&profile)
			if value == "" {
				continue
			}
			if s.secret() {
				value = terminal.Redacted
			}
			values = append(values, ConfigValue{name, s.key, value})
		}
	}
	return values
}

// Keys returns the keys that the file can have: for completion, and to suggest one.
func (c *Config) Keys() []string {
	keys := []string{defaultProfileKey}
	for _, name := range c.Names() {
		for _, s := range SettingList {
			keys = append(keys, name+"."+s.key)
		}
	}
	return keys
}

// secret reports whether the setting is itself a secret, rather than where one is.
func (s *Setting) secret() bool {
	return s.key == "clientSecret" || s.key == "clientCertificatePassword"
}

// file reports whether the setting is a file's name.
func (s *Setting) file() bool {
	return strings.HasPrefix(s.Usage, "`file`") || strings.HasPrefix(s.Usage, "PEM `file`")
}

// SettingKeys returns the names of the settings of profiles.
func SettingKeys() []string {
	keys := make([]string, len(SettingList))
	for i, s := range SettingList {
		keys[i] = s.key
	}
	return keys
}

// Choices returns the values that a key can have, as far as they are known, or reports
// that they are files.
func (c *Config) Choices(key string) (values []string, files bool) {
	_, setting, err := c.parseKey(key)
	switch {
	case err != nil:
	case setting == nil:
		return append(c.Names(), LocalProfile), false
	case setting.key == "cloud":
		return CloudNames(), false
	case setting.key == "as":
		return []string{asUser, AsApp}, false
	default:
		return nil, setting.file()
	}
	return nil, false
}

// parseKey splits a key. The setting is nil for defaultProfile.
func (c *Config) parseKey(key string) (profile string, setting *Setting, err error) {
	if key == defaultProfileKey {
		return "", nil, nil
	}
	dot := strings.LastIndexByte(key, '.')
	if dot < 1 {
		near := ""
		if dot < 0 {
			near = terminal.DidYouMean(key, c.Keys())
		}
		return "", nil, terminal.Usagef("%q is not a key%s: write defaultProfile, or a profile and one of its settings, such as production.baseUrl", key, near)
	}
	profile, name := key[:dot], key[dot+1:]
	at := slices.Index(SettingKeys(), name)
	switch {
	case at < 0:
		hint := cmp.Or(terminal.DidYouMean(name, SettingKeys()), "; there are "+words.And(SettingKeys()))
		return "", nil, terminal.Usagef("profiles have no setting %q%s", name, hint)
	case profile == LocalProfile:
		return "", nil, terminal.Usagef("profile %q is built in: it is the server run by \"partnercenter serve\"; choose another name", profile)
	}
	return profile, &SettingList[at], nil
}

// Value returns the value of a key, which is empty if it is not set.
func (c *Config) Value(key string) (string, error) {
	name, setting, err := c.parseKey(key)
	if err != nil || setting == nil {
		return c.defaultProfile, err
	}
	profile, ok := c.profiles[name]
	switch {
	case !ok:
		return "", terminal.Usagef("%s has no profile %q%s", c.Path, name, terminal.DidYouMean(name, c.Names()))
	case setting.secret():
		return "", terminal.Usagef("%s is secret and is not printed: it is in %s", key, c.Path)
	}
	return *setting.field(&profile), nil
}

// Set sets the value of a key in the file, or removes it if the value is empty. It
// reports whether that made a profile.
func (c *Config) Set(ctx context.Context, key, value string) (made bool, err error) {
	name, setting, err := c.parseKey(key)
	if err != nil {
		return false, err
	}
	path := []string{defaultProfileKey}
	if setting == nil {
		if value != "" && value != LocalProfile && !slices.Contains(c.Names(), value) {
			return false, terminal.Usagef("%s has no profile %q%s; it has %s", c.Path, value, terminal.DidYouMean(value, c.Names()), cmp.Or(words.And(c.Names()), "none"))
		}
	} else {
		path = []string{"profiles", name, setting.key}
		if value, err = c.check(name, setting, value); err != nil {
			return false, err
		}
	}
	if err := c.edit(ctx, path, value); err != nil {
		return false, err
	}
	_, known := c.profiles[name]
	return setting != nil && value != "" && !known, nil
}

// check returns the value to write for a setting of a profile.
func (c *Config) check(name string, setting *Setting, value string) (string, error) {
	profile := c.profiles[name]
	if value == "" {
		return "", nil
	}
	switch setting.key {
	case "clientSecret":
		return "", terminal.Usagef("a secret on the command line is seen by others: write it to a file, and set %s.clientSecretFile", name)
	case "clientCertificatePassword":
		return "", terminal.Usagef("a secret on the command line is seen by others: write it to a file, and set %s.clientCertificatePasswordFile", name)
	}
	err := checkSetting(setting.key, value)
	if err == nil {
		err = checkNewSetting(setting, value)
	}
	if err != nil {
		return "", terminal.Usagef("%s", strings.TrimPrefix(err.Error(), "--"))
	}
	if setting.file() && value != "-" {
		// On the command line a name is relative to the folder at hand, in the file to
		// that of the file.
		if value, err = filepath.Abs(value); err != nil {
			return "", err
		}
		if info, err := os.Stat(value); err == nil && info.IsDir() {
			return "", terminal.Usagef("%s %q is a folder: name a file in it", setting.key, value)
		}
	}
	*setting.field(&profile) = value
	for _, a := range alternatives {
		others := profile.given(a.keys)
		if at := slices.Index(others, setting.key); at >= 0 && len(others) > 1 {
			others = slices.Delete(others, at, at+1)
			return "", terminal.Usagef("profile %q has %s already, and may have one of them: remove that first, with: partnercenter config set %s.%s ''", name, words.And(others), terminal.ShellQuote(name), others[0])
		}
	}
	return value, nil
}

var (
	variableName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
	// scopeName matches a resource's address or id, a slash and a permission.
	scopeName = regexp.MustCompile(`^[!#-\[\]-~]+/[!#-\[\]-~]*$`)
)

// checkNewSetting fails for a value that no Partner Center could take. In a file that is
// there such values are for the service to refuse, which knows more.
func checkNewSetting(setting *Setting, value string) error {
	switch {
	case strings.ContainsFunc(value, unicode.IsControl):
		return fmt.Errorf("%s %q has control characters: leave them out", setting.key, value)
	case setting.key == "tenantId" && !guid.Is(value) && !(strings.Contains(value, ".") && domainName.MatchString(value)) && value != anyOrganization:
		return fmt.Errorf("%s %q is neither a tenant's id nor a domain: write it like 11111111-2222-3333-4444-555555555555 or contoso.onmicrosoft.com", setting.key, value)
	case setting.key == "clientId" && !guid.Is(value):
		return fmt.Errorf("%s %q is not the id of an app: write it like 66666666-7777-8888-9999-000000000000", setting.key, value)
	case setting.key == "clientSecretEnv" && !variableName.MatchString(value):
		return fmt.Errorf("%s %q is not the name of an environment variable: write it like PRODUCTION_SECRET", setting.key, value)
	case setting.key == "scope" && !scopeName.MatchString(value):
		return fmt.Errorf("%s %q is not a scope: write it like https://api.partnercenter.microsoft.com/.default", setting.key, value)
	}
	return nil
}

// usable fails if commands would refuse the configuration as a whole.
func (c *Config) usable() error {
	for _, name := range c.Names() {
		profile := c.profiles[name]
		for _, a := range alternatives {
			if given := profile.given(a.keys); len(given) > 1 {
				return terminal.Usagef("profile %q would have %s, and may have one of them", name, words.And(given))
			}
		}
	}
	if name := c.defaultProfile; name != "" && name != LocalProfile && !slices.Contains(c.Names(), name) {
		return terminal.Usagef("profile %q would be gone, and is the one that commands use: first name another one, or none, with: partnercenter config set defaultProfile ''", name)
	}
	return nil
}

// edit writes the file with a value changed. What another process has changed meanwhile
// stays.
func (c *Config) edit(ctx context.Context, path []string, value string) error {
	file := editedFile(c.Path)
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return fmt.Errorf("the configuration cannot be written: %w; check HOME and XDG_CONFIG_HOME, or name another file with PARTNERCENTER_CONFIG", err)
	}
	unlock := lockBriefly(ctx, file+".lock")
	defer unlock()
	before, err := textfile.Read(file, textfile.Small)
	if err != nil && !Missing(err) {
		return terminal.Settingsf("the configuration cannot be read: %v", err)
	}
	data, err := textfile.Decode(before)
	if err != nil {
		return terminal.Settingsf("%s %v", c.Path, err)
	}
	if data, err = yamlfile.Set(data, path, value); err != nil {
		return terminal.Settingsf("%s cannot be changed: %v", c.Path, err)
	}
	after, err := parseConfig(c.Path, data)
	if err != nil {
		return err
	}
	if err := after.usable(); err != nil && c.usable() == nil {
		return err
	}
	data = textfile.Encode(data, before)
	if err := writePrivateFile(file, data); errors.As(err, new(*terminal.UsageError)) {
		return err
	} else if err != nil {
		return fmt.Errorf("the configuration cannot be written: %w; check the folder's mode", err)
	}
	return nil
}

// editedFile returns the file that a change of a configuration file replaces: a link to it
// stays one.
func editedFile(path string) string {
	if target, err := filepath.EvalSymlinks(path); err == nil {
		return target
	}
	return path
}
