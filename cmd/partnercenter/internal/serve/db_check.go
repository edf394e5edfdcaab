package serve

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/command"
	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/terminal"
	"github.com/partnercenter-go/partnercenter/internal/store"
	"github.com/partnercenter-go/partnercenter/internal/words"
)

func checkDB(term *terminal.Terminal) *cobra.Command {
	var db string
	var options store.CheckOptions
	return command.Act(term, command.Spec{
		Facts: true, Use: "check", Short: "Check that everything in a database fits together",
		Long: `Compare the columns of a database with the documents that they follow from,
subscriptions with the lines of their orders, and links with what they have to name; look
for what belongs to nothing, for keys that are there twice, and for counters that are
wrong. In SQLite's files the structure of the file is checked, too.

Servers may use the database: what is checked is of one moment, and no change under way is
taken for damage. With --repair, which needs them stopped, what follows from documents is
made so, and nothing else is changed. Make a backup first.

The exit code is 1 if anything is found that is not repaired.`,
		Example: `  partnercenter db check
  partnercenter db check --db postgres://partnercenter@db.example.com/partnercenter -o json
  partnercenter db check --repair`,
		Flags: func(cmd *cobra.Command) {
			addDatabaseFlag(cmd.Flags(), &db, existingDatabase)
			cmd.Flags().BoolVar(&options.Repair, "repair", false, "repair what follows from documents; no server may use the database")
		},
		Check: func(call *command.Call) error { return chooseDatabase(call, "db", &db) },
	}, func(ctx context.Context, call *command.Call) error {
		options.Progress = copyProgress(call.Term, "Checking customers")
		r, err := store.Check(ctx, db, options)
		call.Term.StopBar()
		if err != nil {
			return explained(err)
		}
		if err := call.Tell(r, func(w io.Writer) error { return printFindings(call.Term, w, r) }); err != nil {
			return err
		}
		left, repairable := 0, 0
		for i := range r.Findings {
			switch f := &r.Findings[i]; {
			case f.Repaired:
			case f.Repairable:
				repairable++
				left++
			default:
				left++
			}
		}
		if left > 0 {
			return &checkError{r.Database, left, repairable}
		}
		return nil
	})
}

var findingsView = &terminal.View[*store.Finding]{
	Plural: "findings",
	Columns: []terminal.Column[*store.Finding]{
		{Name: "kind", Value: func(f *store.Finding) any { return f.Kind }},
		{Name: "partner", Rank: 3, Kind: terminal.ID, Value: func(f *store.Finding) any { return f.Partner }},
		{Name: "customer", Rank: 2, Kind: terminal.ID, Value: func(f *store.Finding) any { return f.Customer }},
		{Name: "order", Rank: 1, Kind: terminal.ID, Value: func(f *store.Finding) any { return f.Order }},
		{Name: "repair", Value: func(f *store.Finding) any {
			switch {
			case f.Repaired:
				return "done"
			case f.Repairable:
				return "possible"
			}
			return "none"
		}},
		{Name: "what", Header: "WHAT IS WRONG", Kind: terminal.Whole, Value: func(f *store.Finding) any { return f.What }},
	},
}

func printFindings(term *terminal.Terminal, w io.Writer, r *store.CheckResult) error {
	if len(r.Findings) > 0 {
		p, err := terminal.NewPrinter(term, &terminal.Output{Format: terminal.FormatTable, Color: "auto"}, findingsView)
		if err != nil {
			return err
		}
		for i := range r.Findings {
			if err := p.Add(&r.Findings[i]); err != nil {
				return err
			}
		}
		if err := p.End(); err != nil {
			return err
		}
	}
	found := "nothing is wrong"
	if n := len(r.Findings); n > 0 {
		found = fmt.Sprintf("%s, %d of them repaired", words.Count(n, "finding"), n-r.Left())
	}
	_, err := fmt.Fprintf(w, "%s in %s, with %s and %s at %s\n", found, r.Database, words.Count(r.Customers, "customer"), words.Count(r.Orders, "order"), r.Made.Format(time.RFC3339))
	return err
}

// checkError reports what was found and not repaired.
type checkError struct {
	database         string
	left, repairable int
}

func (e *checkError) Error() string {
	next := "restore a backup, or correct it"
	if e.repairable > 0 {
		next = fmt.Sprintf("%d can be repaired: stop the servers, make a backup, and use --repair", e.repairable)
	}
	return fmt.Sprintf("%s in the database %s; %s", words.Count(e.left, "finding"), e.database, next)
}
