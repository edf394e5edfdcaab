package serve

import (
	"context"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/command"
	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/terminal"
	"github.com/partnercenter-go/partnercenter/internal/ascii"
	"github.com/partnercenter-go/partnercenter/internal/seed"
	"github.com/partnercenter-go/partnercenter/internal/store"
	"github.com/partnercenter-go/partnercenter/internal/words"
)

// Import returns the command that imports saved answers into a database.
func Import(term *terminal.Terminal) *cobra.Command {
	var db, partner string
	cmd := command.Act(term, command.Spec{
		Use: "import FILE...", Short: "Import saved answers of the API into a local database",
		Long: `Import customers and orders from saved answers of the API into the database of
"partnercenter serve", and with the orders subscriptions, their transitions and support
contacts, overage, and carts that are open. A file may contain several collections and
single resources. The file - is standard input.

Either all files are imported or none, and importing them again changes nothing. A
customer that is known from its orders only gets a placeholder until its own answer
is imported. Stop the server first if its database is a file. A database that does not exist is created, with a
partner of its own.`,
		Example: `  partnercenter import orders.json customers.json
  partnercenter orders list --customer ID --json | partnercenter import -
  partnercenter subscriptions list --customer ID --json | partnercenter import orders.json -`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return terminal.Usagef("the file is missing: give at least one, or - for standard input")
			}
			return nil
		},
		Flags: func(cmd *cobra.Command) {
			addDatabaseFlag(cmd.Flags(), &db, anyDatabase)
			cmd.Flags().StringVar(&partner, "partner", "", "tenant `id` or domain of the customers' partner (default: the one of the credentials that \"partnercenter serve\" prints)")
		},
		Check: func(call *command.Call) error { return chooseDatabase(call, "db", &db) },
	}, func(ctx context.Context, call *command.Call) error { return runImport(ctx, call, db, partner) })
	cmd.ValidArgsFunction = nil // files
	return cmd
}

func runImport(ctx context.Context, call *command.Call, db, partnerName string) error {
	var imported seed.Import
	for _, file := range call.Args {
		if err := readImport(call.Term, file, &imported); err != nil {
			return err
		}
	}
	keys, err := readDataKeys(call.Term)
	if err != nil {
		return err
	}
	st, err := openDatabase(ctx, db, &store.Options{Keys: keys})
	if err != nil {
		return err
	}
	defer st.Close()
	if st.Fresh() {
		data, err := readSeed("empty")
		if err != nil {
			return err
		}
		if _, _, err := st.Fill(ctx, data); err != nil {
			return err
		}
	}
	partner, err := choosePartner(ctx, st, partnerName)
	if err != nil {
		return err
	}
	data, placeholders, err := imported.Seed(partner)
	if err != nil {
		return err
	}
	madeUp := slices.DeleteFunc(placeholders, func(id string) bool {
		_, err := st.GetCustomer(ctx, partner.TenantID, id)
		return err == nil // already known
	})
	result, err := st.Load(ctx, data)
	if err != nil {
		return err
	}
	for _, id := range madeUp {
		call.Term.Linef("customer %s is only known from orders: import its own answer for its name and address", id)
	}
	counts := []string{words.Count(result.Customers, "customer"), words.Count(result.Orders, "order")}
	for _, more := range []struct {
		n    int
		noun string
	}{{result.Subscriptions, "subscription"}, {result.Carts, "cart"}} {
		if more.n > 0 {
			counts = append(counts, words.Count(more.n, more.noun))
		}
	}
	return call.Say("%s of %s are in %s (%d new or changed)", words.And(counts), partner.Name, st.Name(), result.Changed)
}

func readImport(term *terminal.Terminal, file string, into *seed.Import) error {
	if file == "-" {
		return seed.ReadImport("standard input", term.Stdin, into)
	}
	f, err := os.Open(file)
	if err != nil {
		return terminal.Usagef("the file cannot be read: %v", err)
	}
	defer f.Close()
	return seed.ReadImport(file, f, into)
}

// choosePartner returns the partner with the name, or the first, whose
// credentials serve prints.
func choosePartner(ctx context.Context, st *store.Store, name string) (seed.Tenant, error) {
	partners, err := st.Partners(ctx)
	if err != nil {
		return seed.Tenant{}, err
	}
	if name == "" && len(partners) > 0 {
		return partners[0], nil
	}
	var known []string
	for _, p := range partners {
		if ascii.EqualFold(p.TenantID, name) || ascii.EqualFold(p.Domain, name) {
			return p, nil
		}
		known = append(known, p.Domain)
	}
	return seed.Tenant{}, terminal.Usagef("the database has no partner %q: use one of %s", name, strings.Join(known, ", "))
}
