package store

import (
	"context"
	"database/sql"
	"embed"
	"io/fs"

	"github.com/pressly/goose/v3"
)

//go:embed migrations/*/*.sql
var migrations embed.FS

// migrate brings the schema up to date. The caller holds the dialect's lock. It fails
// with [ErrNewer] if the database has migrations that this program does not.
//
// Each migration is marked as a single statement, because goose otherwise looks for the
// end of one in a buffer of 4 MiB for every line: half of the time under the race
// detector.
func migrate(ctx context.Context, db *sql.DB, dialect goose.Dialect, folder string, options ...goose.ProviderOption) error {
	steps, err := fs.Sub(migrations, "migrations/"+folder)
	if err != nil {
		return err
	}
	p, err := goose.NewProvider(dialect, db, steps, append(options, goose.WithLogger(goose.NopLogger()), goose.WithDisableGlobalRegistry(true))...)
	if err != nil {
		return err
	}
	have, want, err := p.GetVersions(ctx)
	switch {
	case err != nil:
		return err
	case have > want:
		return ErrNewer
	case have == want:
		return nil
	}
	_, err = p.Up(ctx)
	return err
}
