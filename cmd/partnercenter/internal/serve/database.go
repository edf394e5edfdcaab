package serve

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"
	"time"

	"github.com/spf13/pflag"
	"golang.org/x/sync/errgroup"

	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/command"
	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/terminal"
	"github.com/partnercenter-go/partnercenter/internal/ascii"
	"github.com/partnercenter-go/partnercenter/internal/control"
	"github.com/partnercenter-go/partnercenter/internal/seed"
	"github.com/partnercenter-go/partnercenter/internal/store"
	"github.com/partnercenter-go/partnercenter/internal/words"
)

const inMemory = ":memory:"

// The databases that a command's --db may name.
const (
	anyDatabase      = "an SQLite file, created if missing; :memory:; or postgres://user@host/database, see docs/server.md"
	lastingDatabase  = "an SQLite file, created if missing, or postgres://user@host/database"
	existingDatabase = "an SQLite file, or postgres://user@host/database"
)

func addDatabaseFlag(f *pflag.FlagSet, into *string, which string) {
	f.StringVar(into, "db", "partnercenter.db", "`database`: "+which+"; PARTNERCENTER_DB keeps a password from the command line")
}

// settingsOfPostgres matches how PostgreSQL's programs write addresses, too. As the name of
// a file it would show the password.
var settingsOfPostgres = regexp.MustCompile(`(?i)(?:^|\s)(?:host|hostaddr|port|dbname|user|password|passfile|service|sslmode|sslrootcert|sslcert|sslkey|connect_timeout|application_name|options|search_path|target_session_attrs)\s*=`)

// schemeOfPostgres matches how addresses begin, also with mistakes: as the name of a file
// they would show the password, too.
var schemeOfPostgres = regexp.MustCompile(`(?i)^\s*postgres(?:ql)?:`)

// howToWrite is how to write an address.
const howToWrite = "write it like postgres://user:password@host:5432/database?sslmode=require"

// chooseDatabase determines the database that a flag of a command names. What may be an address is never
// repeated: it may have a password.
func chooseDatabase(call *command.Call, flag string, name *string) error {
	source := fromVariable(call, flag, name)
	scheme, _, isAddress := strings.Cut(*name, "://")
	switch {
	case store.IsPostgres(*name):
	case isAddress && !strings.ContainsAny(scheme, `/\`), schemeOfPostgres.MatchString(*name):
		return terminal.Usagef("%s is an address, but not one of PostgreSQL: %s", source, howToWrite)
	case settingsOfPostgres.MatchString(*name):
		return terminal.Usagef("%s is a list of settings: %s", source, howToWrite)
	}
	return nil
}

// fromVariable sets the value of a flag that is not given to that of its variable: other
// users see command lines. It returns which of them it is.
func fromVariable(call *command.Call, flag string, value *string) (source string) {
	variable := "PARTNERCENTER_" + ascii.ToUpper(strings.ReplaceAll(flag, "-", "_"))
	if text := call.Term.Getenv(variable); text != "" && !call.Given(flag) {
		*value = text
		return variable
	}
	return "--" + flag
}

// chooseDatabases determines the databases of a server.
func (o *serveOptions) chooseDatabases(call *command.Call) error {
	if err := chooseDatabase(call, "db", &o.db); err != nil {
		return err
	}
	for _, other := range []struct {
		flag string
		name *string
	}{{"db-direct", &o.dbDirect}, {"read-db", &o.readDB}} {
		switch source := fromVariable(call, other.flag, other.name); {
		case *other.name == "":
		case !store.IsPostgres(*other.name):
			return terminal.Usagef("%s is not the address of a database in PostgreSQL: %s", source, howToWrite)
		case !store.IsPostgres(o.db):
			return terminal.Usagef("%s is for a database in PostgreSQL: give its address with --db, too", source)
		}
	}
	return nil
}

// openDatabase opens a database.
func openDatabase(ctx context.Context, name string, options *store.Options) (*store.Store, error) {
	st, err := store.Open(ctx, name, options)
	return st, explained(err)
}

// explained has the error for a database or a backup that cannot be opened explain itself.
func explained(err error) error {
	if unusable, is := errors.AsType[*store.OpenError](err); is {
		return &databaseError{unusable}
	}
	if unusable, is := errors.AsType[*store.BackupError](err); is {
		return &databaseError{unusable}
	}
	return err
}

// databaseError explains itself: a server that does not answer is not the one of the API.
type databaseError struct{ error }

func (e *databaseError) Unwrap() error { return e.error }

func (e *databaseError) Explain(time.Time) terminal.Explanation {
	return terminal.Explanation{What: e.Error(), Code: terminal.ExitError}
}

// isThere reports whether a database is a file that exists. Whether one in PostgreSQL is
// filled, only the database knows.
func isThere(name string) bool {
	if store.IsPostgres(name) {
		return true
	}
	_, err := os.Stat(name)
	return err == nil
}

// fill writes the seed into a new database, unless another server does. If the server
// signs tokens, it concurrently waits for the first signing key, which takes longer than
// everything else.
func (l *local) fill(ctx context.Context, data *seed.Seed, signs bool) error {
	group, ctx := errgroup.WithContext(ctx)
	if signs {
		group.Go(func() error {
			return l.patiently(ctx, func() error { return control.EnsureSigningKey(ctx, l.store, l.clock.Now(), l.firstKey) })
		})
	}
	group.Go(func() error {
		return l.patiently(ctx, func() error {
			result, filled, err := l.store.Fill(ctx, data)
			if filled {
				l.filled = true
				l.database = fmt.Sprintf("%s (new: %s, %s)", l.database, words.Count(result.Customers, "customer"), words.Count(result.Orders, "order"))
				for _, warning := range data.Warnings {
					l.logger.Warn(warning)
				}
			}
			return err
		})
	})
	return group.Wait()
}

// patiently repeats what has to wait for another server's filling of the database.
func (l *local) patiently(ctx context.Context, do func() error) error {
	for {
		err := do()
		if !errors.Is(err, store.ErrLocked) || !store.IsPostgres(l.store.Name()) {
			return err
		}
		l.logger.Info("another server is filling the database: waiting for it")
		if ctx.Err() != nil {
			return cmp.Or(context.Cause(ctx), err)
		}
	}
}
