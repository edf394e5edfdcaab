package main

import (
	"context"
	"database/sql"
	"errors"
	"io"
	"net/url"
	"os"
	"path/filepath"
)

// orderFile is for SQLite files in a folder.
type orderFile struct{ folder string }

func (f orderFile) path(name string) string { return filepath.Join(f.folder, name+".db") }

func (f orderFile) makeBase(ctx context.Context, customers []numbered) (*data, error) {
	d := &data{path: f.path("place-base")}
	return d, makeFile(ctx, d.path, customers)
}

func (f orderFile) copyBase(name string) (string, error) {
	return f.path(name), copyDatabase(f.path("place-base"), f.path(name))
}

func (f orderFile) newestRows(ctx context.Context, path string) ([]rowOf, error) {
	db, err := sql.Open("sqlite", "file:"+path+"?mode=ro")
	if err != nil {
		return nil, err
	}
	return newestRows(ctx, db, "requests ORDER BY request_no DESC")
}

// committer returns what commits rows as the server's connection does.
func (f orderFile) committer(ctx context.Context, path string, rows []rowOf) (func([]*rawRow) error, func(), error) {
	settings := url.Values{
		"_journal_mode": {"WAL"}, "_synchronous": {"FULL"}, "_txlock": {"immediate"}, "_busy_timeout": {"10000"}, "_foreign_keys": {"1"},
		"_pragma": {"cache_size(-2048)", "mmap_size(2147418112)", "temp_store(memory)", "journal_size_limit(67108864)"},
	}
	db, err := sql.Open("sqlite", "file:"+path+"?"+settings.Encode())
	if err != nil {
		return nil, nil, err
	}
	db.SetMaxOpenConns(1)
	var stmts []*sql.Stmt
	for _, r := range rows {
		stmt, err := db.PrepareContext(ctx, r.insertSQL()) //nolint:sqlclosecheck // closed with the database
		if err != nil {
			return nil, nil, errors.Join(err, db.Close())
		}
		stmts = append(stmts, stmt)
	}
	commit := func(batch []*rawRow) error {
		tx, err := db.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		defer func() { _ = tx.Rollback() }() // no effect after a commit
		for _, row := range batch {
			for i, values := range row.values {
				if _, err := tx.StmtContext(ctx, stmts[i]).ExecContext(ctx, values...); err != nil { //nolint:sqlclosecheck // closed with the transaction
					return err
				}
			}
		}
		return tx.Commit()
	}
	return commit, func() { db.Close() }, nil
}

func removeDatabase(path string) error {
	var errs []error
	for _, suffix := range []string{"", "-wal", "-shm"} {
		if err := os.Remove(path + suffix); err != nil && !errors.Is(err, os.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

func copyDatabase(from, to string) error {
	if err := removeDatabase(to); err != nil {
		return err
	}
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	if _, err := io.Copy(out, in); err != nil {
		return errors.Join(err, out.Close())
	}
	// So that this round's commits do not wait for the copy.
	return errors.Join(out.Sync(), out.Close())
}
