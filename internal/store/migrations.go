package store

import (
	"context"
	"database/sql"
	"embed"
	"io/fs"
	"math"

	"github.com/pressly/goose/v3"
)

//go:embed migrations/*/*.sql
var migrations embed.FS

// newMigrations returns the migrations of a dialect.
//
// Each migration is marked as a single statement, because goose otherwise looks for the
// end of one in a buffer of 4 MiB for every line: half of the time under the race
// detector.
func newMigrations(db *sql.DB, dialect goose.Dialect, folder string, options ...goose.ProviderOption) (*goose.Provider, error) {
	steps, err := fs.Sub(migrations, "migrations/"+folder)
	if err != nil {
		return nil, err
	}
	return goose.NewProvider(dialect, db, steps, append(options, goose.WithLogger(goose.NopLogger()), goose.WithDisableGlobalRegistry(true))...)
}

// latest stands for the last step of a schema.
const latest = math.MaxInt64

// migrate brings the schema up to a step. It fails with [ErrNewer] if the database has
// migrations that this program does not, or is given them while this one waits. It returns how
// many steps it took itself: others may take them, too.
func migrate(ctx context.Context, p *goose.Provider, step int64) (taken int, err error) {
	for {
		have, last, err := p.GetVersions(ctx)
		switch {
		case err != nil:
			return taken, err
		case have > last:
			return taken, ErrNewer
		case have >= min(step, last):
			return taken, nil
		}
		results, err := p.UpTo(ctx, step)
		if taken += len(results); err != nil {
			return taken, err
		}
	}
}

// lastStep returns the number of the last step of a dialect that this program knows.
func lastStep(postgres bool) (int64, error) {
	steps, err := stepsOf(postgres)
	if err != nil {
		return 0, err
	}
	return steps[len(steps)-1].Version, nil
}

// stepsOf returns the steps of a dialect, in their order.
func stepsOf(postgres bool) ([]*goose.Source, error) {
	db := sql.OpenDB(nil) // which is not asked
	defer db.Close()
	p, err := sqliteMigrations(db)
	if postgres {
		p, err = newMigrations(db, goose.DialectPostgres, "postgres")
	}
	if err != nil {
		return nil, err
	}
	return p.ListSources(), nil
}
