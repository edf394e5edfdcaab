package serve

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strconv"
	"strings"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/spf13/cobra"

	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/command"
	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/terminal"
	"github.com/partnercenter-go/partnercenter/internal/store"
	"github.com/partnercenter-go/partnercenter/internal/words"
)

// DB returns the commands for databases.
func DB(term *terminal.Terminal) *cobra.Command {
	return command.Group("db", "Look at, back up, check, copy and prepare databases of local servers",
		backupDB(term), checkDB(term), copyDB(term), printDDL(term), migrateDB(term), restoreDB(term), showDB(term))
}

func copyDB(term *terminal.Terminal) *cobra.Command {
	var from, to string
	var options store.CopyOptions
	return command.Act(term, command.Spec{
		Use: "copy", Short: "Copy a database between files and PostgreSQL",
		Long: `Copy everything from one database to an empty one. Either may be an SQLite file or a
database in PostgreSQL. Stop the servers of both first.

A copy can be interrupted: the same command goes on with it. No server starts on a
database until the copy into it is complete. At the end both databases are read, and
what belongs to each customer is compared. If the first database has changed since an
interruption, the customers that differ are copied again.

Secrets that are sealed are opened with PARTNERCENTER_DATA_KEY or
PARTNERCENTER_DATA_KEY_OLD. Those of the copy are sealed with the first, if it is set.`,
		Example: `  partnercenter db copy --from partnercenter.db --to postgres://partnercenter@db.example.com/partnercenter
  PARTNERCENTER_FROM=postgres://… partnercenter db copy --to backup.db`,
		Flags: func(cmd *cobra.Command) {
			f := cmd.Flags()
			f.StringVar(&from, "from", "", "`database` to copy: a file, or postgres://user@host/database; PARTNERCENTER_FROM keeps a password from the command line")
			f.StringVar(&to, "to", "", "`database` to copy into, which is empty or does not exist; PARTNERCENTER_TO keeps a password from the command line")
			f.BoolVar(&options.ReplaceInvalid, "replace-invalid", false, "replace what old versions stored and PostgreSQL does not take as text, NUL and what is no UTF-8, by U+FFFD")
		},
		Check: func(call *command.Call) error {
			for flag, name := range map[string]*string{"from": &from, "to": &to} {
				if err := chooseDatabase(call, flag, name); err != nil {
					return err
				}
				if *name == "" {
					return terminal.Usagef("the database is missing: give --%s with a file, or with an address like postgres://user@host/database", flag)
				}
			}
			var err error
			options.Keys, err = readDataKeys(call.Term)
			return err
		},
	}, func(ctx context.Context, call *command.Call) error {
		options.Logger = notes(call.Term)
		options.Progress = copyProgress(call.Term, "Copying customers")
		result, err := store.Copy(ctx, from, to, options)
		call.Term.StopBar()
		if err != nil {
			if errors.Is(err, context.Canceled) {
				call.Term.Linef("what is copied stays: the same command goes on with it")
			}
			if empty, is := errors.AsType[*store.OpenError](err); is && errors.Is(err, store.ErrNothing) && isThere(from) {
				empty.Reason = errEmpty
			}
			return explained(err)
		}
		if result.Resumed > 0 {
			call.Term.Linef("%s had been copied before; %d had changed since, and were copied again", words.Count(result.Resumed, "customer"), result.Again)
		}
		if result.Replaced > 0 {
			call.Term.Linef("%s had characters replaced", words.Count(result.Replaced, "text"))
		}
		return call.Say("%s and %s are copied; both databases have the digest %x",
			words.Count(result.Customers, "customer"), words.Count(result.Orders, "order"), result.Digest)
	})
}

// errEmpty is why a database that is there cannot be copied.
var errEmpty = errors.New("it is empty")

// copyProgress returns what shows the progress of a copy, or of what goes through a database
// like one.
func copyProgress(term *terminal.Terminal, what string) func(store.CopyProgress) {
	var started time.Time
	bar, comparing := false, false
	return func(p store.CopyProgress) {
		if !term.StderrTTY {
			return
		}
		title, done, of := "Comparing customers", p.Customers, p.Of
		if !p.Comparing {
			done, of = p.Customers-p.Skipped, p.Of-p.Skipped
			title = what
		}
		if !bar || p.Comparing != comparing {
			term.StopBar()
			term.StartBar(title, of)
			bar, comparing, started = true, p.Comparing, term.Now()
		}
		if passed := term.Now().Sub(started); !p.Comparing && passed > time.Second {
			title += fmt.Sprintf(", %s orders a second", humanize.Comma(int64(float64(p.Orders)/passed.Seconds())))
		}
		term.SetBar(title, done)
	}
}

// notes returns a logger that tells people what a command waits for.
func notes(term *terminal.Terminal) *slog.Logger { return slog.New(noteHandler{term}) }

type noteHandler struct{ term *terminal.Terminal }

func (h noteHandler) Enabled(context.Context, slog.Level) bool { return true }

func (h noteHandler) Handle(_ context.Context, r slog.Record) error {
	h.term.Linef("%s", r.Message)
	return nil
}

func (h noteHandler) WithAttrs([]slog.Attr) slog.Handler { return h }

func (h noteHandler) WithGroup(string) slog.Handler { return h }

func showDB(term *terminal.Terminal) *cobra.Command {
	var db string
	return command.Act(term, command.Spec{
		Facts: true, Use: "status", Short: "Show a database: its schema, its size, and who uses it",
		Long: `Show what a database is, which steps of the schema it has taken, how much is in it, and
who has it open. Nothing is changed, and servers may run.

Tables of more than a million rows are not counted: PostgreSQL estimates them.`,
		Example: `  partnercenter db status
  partnercenter db status --db postgres://partnercenter@db.example.com/partnercenter -o json`,
		Flags: func(cmd *cobra.Command) { addDatabaseFlag(cmd.Flags(), &db, existingDatabase) },
		Check: func(call *command.Call) error { return chooseDatabase(call, "db", &db) },
	}, func(ctx context.Context, call *command.Call) error {
		st, err := store.Inspect(ctx, db)
		if err != nil {
			return explained(err)
		}
		return call.Tell(st, func(w io.Writer) error { return printStatus(w, st) })
	})
}

func printStatus(w io.Writer, st *store.Status) error {
	var b strings.Builder
	line := func(name, format string, args ...any) {
		fmt.Fprintf(&b, "%-9s %s\n", name, fmt.Sprintf(format, args...))
	}
	replica := ""
	if st.Replica {
		replica = ", a replica"
	}
	line("Database", "%s (%s %s%s)", st.Database, st.Kind, st.Version, replica)
	switch {
	case st.Step > st.Known:
		line("Schema", "step %d, of a newer version of partnercenter, which knows %d here", st.Step, st.Known)
	case st.Step == 0:
		line("Schema", "none yet: a server, or partnercenter db migrate, makes it")
	case len(st.Pending) > 0:
		pending := make([]string, len(st.Pending))
		for i, step := range st.Pending {
			pending[i] = strconv.FormatInt(step, 10)
		}
		line("Schema", "step %d of %d: a server, or partnercenter db migrate, will take %s", st.Step, st.Known, words.And(pending))
	default:
		line("Schema", "step %d, up to date", st.Step)
	}
	if st.Sealed != "" {
		line("Secrets", "sealed with data key %s", st.Sealed)
	}
	line("Size", "%s", humanize.IBytes(uint64(st.Size)))
	for _, s := range st.Servers {
		switch {
		case s.Connections > 0:
			line("In use", "from %s, with %s since %s", cmp.Or(s.Address, "this machine"), words.Count(s.Connections, "connection"), s.Since.UTC().Format(time.RFC3339))
		case s.PID > 0:
			line("In use", "by process %d", s.PID)
		default:
			line("In use", "by another process")
		}
	}
	if c := st.Copy; c != nil {
		line("Copy", "one of %s, begun at %s, has not ended; %s are complete", c.From, c.Started.Format(time.RFC3339), words.Count(c.Customers, "customer"))
	}
	for i, t := range st.Tables {
		name := ""
		if i == 0 {
			name = "Rows"
		}
		rows := humanize.Comma(t.Rows)
		if !t.Exact && t.Size > 0 {
			rows = "about " + rows
		} else if !t.Exact {
			rows = "more than " + rows
		}
		if t.Size > 0 {
			rows += " (" + humanize.IBytes(uint64(t.Size)) + ")"
		}
		line(name, "%-18s %s", t.Name, rows)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func migrateDB(term *terminal.Terminal) *cobra.Command {
	var db, direct string
	return command.Act(term, command.Spec{
		Use: "migrate", Short: "Bring the schema of a database up to date",
		Long: `Bring the schema of a database up to date, as a server does when it starts, and end. It
is for servers whose user may not create tables, or that reach PostgreSQL through a
pooler. It waits for another program that does the same.`,
		Example: `  partnercenter db migrate --db postgres://owner@db.example.com/partnercenter`,
		Flags: func(cmd *cobra.Command) {
			addDatabaseFlag(cmd.Flags(), &db, lastingDatabase)
			cmd.Flags().StringVar(&direct, "db-direct", "", "`address` of the database without the pooler that is before it; PARTNERCENTER_DB_DIRECT keeps a password from the command line")
		},
		Check: func(call *command.Call) error {
			if err := chooseDatabase(call, "db", &db); err != nil || !call.Given("db-direct") && !store.IsPostgres(db) {
				return err
			}
			if source := fromVariable(call, "db-direct", &direct); direct != "" && !store.IsPostgres(direct) {
				return terminal.Usagef("%s is not the address of a database in PostgreSQL: %s", source, howToWrite)
			}
			return nil
		},
	}, func(ctx context.Context, call *command.Call) error {
		keys, err := readDataKeys(call.Term)
		if err != nil {
			return err
		}
		from, to, err := store.Migrate(ctx, db, store.Options{Direct: direct, Logger: notes(call.Term), Keys: keys})
		if err != nil {
			return explained(err)
		}
		after, err := store.Inspect(ctx, db) // for its name without a password
		switch {
		case err != nil:
			return explained(err)
		case from == to:
			return call.Say("the schema of %s is up to date, at step %d", after.Database, to)
		case from == 0:
			return call.Say("the schema of %s is new, and is at step %d", after.Database, to)
		}
		return call.Say("the schema of %s was at step %d, and is at step %d", after.Database, from, to)
	})
}

func printDDL(term *terminal.Terminal) *cobra.Command {
	var target string
	return command.Act(term, command.Spec{
		Use: "ddl", Short: "Print the SQL that makes the schema",
		Long: `Print the SQL that makes the whole schema in an empty database, to read it or to have
somebody run it. A database that was made by it is up to date.

For Citus, tables of customers are distributed by customer, side by side, in place of
being partitioned; those of partners are reference tables.`,
		Example: `  partnercenter db ddl --for postgres | psql -1 -v ON_ERROR_STOP=1 partnercenter
  partnercenter db ddl --for citus | psql -v ON_ERROR_STOP=1 partnercenter`,
		Flags: func(cmd *cobra.Command) {
			cmd.Flags().StringVar(&target, "for", "postgres", "`database` that runs it: "+strings.Join(store.DDLTargets, ", "))
			terminal.Choices(cmd, "for", store.DDLTargets...)
		},
		Check: func(*command.Call) error { return terminal.OneOf("for", target, store.DDLTargets...) },
	}, func(ctx context.Context, call *command.Call) error {
		ddl, err := store.DDL(ctx, target)
		if err != nil {
			return explained(err)
		}
		_, err = io.WriteString(call.Term.Stdout, ddl)
		return err
	})
}
