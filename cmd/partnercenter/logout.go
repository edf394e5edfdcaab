package main

import (
	"fmt"

	"github.com/spf13/cobra"
)

func newLogoutCmd(app *app) *cobra.Command {
	var (
		c   connection
		all bool
	)
	cmd := &cobra.Command{
		Use:   "logout",
		Short: "Forget a signed-in user",
		Long: `Remove the sign-in that commands with the same settings would use, or all with
--all.

It is forgotten on this machine only. Microsoft's authority has no way to hand a
refresh token back: to end what may have been copied, revoke the user's sessions
in the Entra admin center.`,
		Example: `  partnercenter logout --profile local
  partnercenter logout --all`,
		Args:              noArgs,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, _ []string) error {
			store, err := newTokenStore(app)
			if err != nil {
				return err
			}
			if all {
				return logoutAll(cmd, app, store)
			}
			s, err := c.unsignedService(app)
			if err != nil {
				return err
			}
			return logout(cmd, app, store, s)
		},
	}
	cmd.Flags().BoolVar(&all, "all", false, "forget all users, and the key that their file was encrypted with; also when it cannot be read any more")
	c.addFlags(app, cmd)
	return cmd
}

func logoutAll(cmd *cobra.Command, app *app, store *tokenStore) error {
	removed, err := store.clear(cmd.Context())
	if err != nil {
		return err
	}
	text := "All users are signed out."
	if !removed {
		text = "Nobody was signed in."
	}
	_, err = fmt.Fprintln(app.stdout, text)
	return err
}

func logout(cmd *cobra.Command, app *app, store *tokenStore, s *service) error {
	var gone *signIn
	err := store.change(cmd.Context(), func(signIns []*signIn) ([]*signIn, error) {
		var err error
		if gone, err = findSignIn(signIns, &s.settings); gone == nil {
			return nil, err
		}
		left := []*signIn{}
		for _, other := range signIns {
			if other != gone {
				left = append(left, other)
			}
		}
		return left, nil
	})
	if err != nil {
		return err
	}
	text := fmt.Sprintf("Nobody is signed in to %s for these settings.", s.authority)
	if gone != nil {
		text = fmt.Sprintf("%s is signed out.", gone.who())
	}
	_, err = fmt.Fprintln(app.stdout, sanitize(text))
	return err
}
