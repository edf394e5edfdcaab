package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"
)

// prepareBefore builds the server of an earlier version. Its own bench makes the file, since a
// version does not open what later ones have made. It returns nil if there is none.
func prepareBefore(ctx context.Context, o *options, p programs) (*bencher, error) {
	switch {
	case o.before == "":
		return nil, nil
	case o.database == "postgres":
		return nil, errors.New("it is measured with SQLite")
	}
	then := *o
	then.dir = filepath.Join(o.dir, "before")
	then.rounds, then.duration, then.database = 1, 100*time.Millisecond, "sqlite"
	if err := os.MkdirAll(then.dir, 0o755); err != nil {
		return nil, err
	}
	file, err := then.madeFile()
	if err != nil {
		cmd := exec.CommandContext(ctx, "go", "run", "./tools/bench", "-only", "lists", "-database", then.database, "-rounds", "1",
			"-duration", then.duration.String(), "-customers", strconv.Itoa(then.customers), "-dir", then.dir)
		cmd.Dir, cmd.Stderr = o.before, os.Stderr
		if err := cmd.Run(); err != nil {
			return nil, err
		}
		if file, err = then.madeFile(); err != nil {
			return nil, err
		}
	}
	p.server = filepath.Join(then.dir, "partnercenter")
	if err := buildIn(ctx, o.before, p.server, "./cmd/partnercenter"); err != nil {
		return nil, err
	}
	d := &data{path: file}
	if err := d.openBefore(ctx); err != nil {
		return nil, err
	}
	b, err := newBencher(o, d, p)
	if err != nil {
		return nil, err
	}
	b.name = "before"
	return b, nil
}

// madeFile finds the file that a bench of any version has made.
func (o *options) madeFile() (string, error) {
	found, err := filepath.Glob(filepath.Join(o.dir, fmt.Sprintf("orders-v*-%d.db", o.customers)))
	if err == nil && len(found) == 0 {
		err = fmt.Errorf("%s has no database of %d customers", o.dir, o.customers)
	}
	if err != nil {
		return "", err
	}
	return found[len(found)-1], nil
}

// openBefore determines how to sign in to a file of an earlier version. To open it as a store
// would bring it up to date.
func (d *data) openBefore(ctx context.Context) error {
	db, err := sql.Open("sqlite", d.path)
	if err != nil {
		return err
	}
	defer db.Close()
	return db.QueryRowContext(ctx, "SELECT client_id, secret FROM apps").Scan(&d.app.ClientID, &d.app.Secret)
}
