package signin

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/command"
	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/connect"
	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/terminal"
)

// configFacts is the output of config list -o json.
type configFacts struct {
	Path           string                       `json:"path"`
	DefaultProfile string                       `json:"defaultProfile,omitempty"`
	Profiles       map[string]map[string]string `json:"profiles"`
}

// Config returns the commands for the configuration file.
func Config(term *terminal.Terminal) *cobra.Command {
	group := command.Group("config", "Show and change the configuration file", configList(term), configGet(term), configSet(term), configPath(term))
	group.Long = `Show and change the configuration file, which has the settings of profiles. A key is
defaultProfile, or the name of a profile, a dot and a setting, such as
production.baseUrl. Settings are described in "partnercenter help environment".`
	return group
}

func configList(term *terminal.Terminal) *cobra.Command {
	return command.Act(term, command.Spec{
		Use: "list", Short: "List the profiles and their settings", Facts: true,
		Long: `List the settings in the configuration file. Secrets are hidden, and names of files are
whole.`,
		Example: "  partnercenter config list\n  partnercenter config list --jq '.profiles | keys[]'",
	}, func(_ context.Context, call *command.Call) error {
		config, err := connect.LoadConfig(term)
		if err != nil {
			return err
		}
		values := config.Values()
		facts := configFacts{Path: config.Path, Profiles: map[string]map[string]string{}}
		for _, v := range values {
			if v.Profile == "" {
				facts.DefaultProfile = v.Value
				continue
			}
			if facts.Profiles[v.Profile] == nil {
				facts.Profiles[v.Profile] = map[string]string{}
			}
			facts.Profiles[v.Profile][v.Setting] = v.Value
		}
		return call.Tell(facts, func(w io.Writer) error {
			if len(values) == 0 {
				term.Linef("%s has no settings", config.Path)
			}
			for _, v := range values {
				if _, err := fmt.Fprintf(w, "%s: %s\n", terminal.Sanitize(v.Key()), terminal.Sanitize(v.Value)); err != nil {
					return err
				}
			}
			return nil
		})
	})
}

func configGet(term *terminal.Terminal) *cobra.Command {
	cmd := command.Act(term, command.Spec{
		Use: "get KEY", Arg: "key", Short: "Print a setting of the configuration file",
		Long:    "Print a setting of the configuration file. It fails if it is not set, and for secrets.",
		Example: "  partnercenter config get defaultProfile\n  partnercenter config get production.baseUrl",
	}, func(_ context.Context, call *command.Call) error {
		config, err := connect.LoadConfig(term)
		if err != nil {
			return err
		}
		value, err := config.Value(call.Arg)
		switch {
		case err != nil:
			return err
		case value == "":
			return fmt.Errorf("%s is not set in %s", call.Arg, config.Path)
		}
		return call.Say("%s", terminal.Sanitize(value))
	})
	cmd.ValidArgsFunction = completeConfig(term)
	return cmd
}

func configSet(term *terminal.Terminal) *cobra.Command {
	cmd := command.Act(term, command.Spec{
		Use: "set KEY VALUE", Short: "Change a setting of the configuration file",
		Long: `Change a setting of the configuration file, or remove it with an empty value. A profile
that is not there is added. All else stays as it was written, comments included; the file
is only readable by its owner.

Secrets are not taken: other users can see command lines. Set clientSecretFile or
clientSecretEnv in place of a secret.`,
		Example: `  partnercenter config set production.tenantId 11111111-2222-3333-4444-555555555555
  partnercenter config set production.clientSecretFile production.secret
  partnercenter config set defaultProfile production
  partnercenter config set production.budget ''`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) != 2 {
				return terminal.Usagef("%s requires a key and a value, such as production.cloud 21vianet", cmd.CommandPath())
			}
			return nil
		},
	}, func(ctx context.Context, call *command.Call) error {
		config, err := connect.LoadConfigToChange(term)
		if err != nil {
			return err
		}
		key := call.Args[0]
		made, err := config.Set(ctx, key, call.Args[1])
		if err != nil {
			return err
		}
		if made {
			profile := key[:strings.LastIndexByte(key, '.')]
			term.Linef("profile %q is new in %s%s", profile, config.Path, terminal.DidYouMean(profile, config.Names()))
		}
		return nil
	})
	cmd.ValidArgsFunction = completeConfig(term)
	return cmd
}

func configPath(term *terminal.Terminal) *cobra.Command {
	return command.Act(term, command.Spec{
		Use: "path", Short: "Print the path of the configuration file",
		Long:    "Print the path of the configuration file, whether or not it exists.",
		Example: `  $EDITOR "$(partnercenter config path)"`,
	}, func(_ context.Context, call *command.Call) error {
		path, err := connect.ConfigPath(term)
		if err != nil {
			return err
		}
		return call.Say("%s", path)
	})
}

// completeConfig completes keys and, for some, values.
func completeConfig(term *terminal.Terminal) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
		config, err := connect.LoadConfigToChange(term)
		switch {
		case err != nil:
		case len(args) == 0:
			return config.Keys(), cobra.ShellCompDirectiveNoFileComp
		case len(args) == 1 && cmd.Name() == "set":
			values, files := config.Choices(args[0])
			if files {
				return nil, cobra.ShellCompDirectiveDefault
			}
			return values, cobra.ShellCompDirectiveNoFileComp
		}
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
}
