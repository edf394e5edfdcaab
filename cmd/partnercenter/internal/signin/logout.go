package signin

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/command"
	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/connect"
	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/terminal"
)

// Logout returns the command that signs users out.
func Logout(term *terminal.Terminal) *cobra.Command {
	var all bool
	c := connect.New(term)
	return command.Act(term, command.Spec{
		Use: "logout", Short: "Sign a user out",
		Long: `Remove the sign-in that commands with the same settings would use or, with --all,
all sign-ins.

The sign-in is removed from this machine only: Microsoft's authority does not let
clients revoke refresh tokens. To invalidate possible copies, revoke the user's
sessions in the Entra admin center.`,
		Example: `  partnercenter logout --profile local
  partnercenter logout --all`,
		Flags: func(cmd *cobra.Command) {
			cmd.Flags().BoolVar(&all, "all", false, "sign out all users and remove the encryption key, even if their file is unreadable")
			c.AddFlags(cmd)
		},
	}, func(ctx context.Context, call *command.Call) error {
		store, err := connect.NewTokenStore(term)
		switch {
		case all && errors.Is(err, connect.ErrNoStateDir):
			return call.Say(nobody)
		case err != nil:
			return err
		case all:
			return logoutAll(ctx, call, store)
		}
		s, err := c.UnsignedService()
		if err != nil {
			return err
		}
		return logout(ctx, call, store, s)
	})
}

const nobody = "No user was signed in."

func logoutAll(ctx context.Context, call *command.Call, store *connect.TokenStore) error {
	removed, err := store.Clear(ctx)
	switch {
	case err != nil:
		return err
	case !removed:
		return call.Say(nobody)
	}
	return call.Say("All users are signed out.")
}

func logout(ctx context.Context, call *command.Call, store *connect.TokenStore, s *connect.Service) error {
	var gone *connect.SignIn
	err := store.Change(ctx, func(signIns []*connect.SignIn) (left []*connect.SignIn, err error) {
		if gone, err = connect.FindSignIn(signIns, &s.Settings); gone == nil {
			return nil, err
		}
		left = slices.DeleteFunc(signIns, func(i *connect.SignIn) bool { return i == gone })
		return append([]*connect.SignIn{}, left...), nil // not nil, which would change nothing
	})
	if err != nil {
		return err
	}
	text := fmt.Sprintf("No user is signed in to %s for these settings.", s.Authority)
	if gone != nil {
		text = fmt.Sprintf("%s is signed out.", gone.Who())
	}
	return call.Say("%s", terminal.Sanitize(text))
}
