package serve

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/spf13/cobra"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/command"
	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/terminal"
	"github.com/partnercenter-go/partnercenter/internal/store"
	"github.com/partnercenter-go/partnercenter/internal/words"
)

// backupFacts are what backup and restore say.
type backupFacts struct {
	File      string    `json:"file,omitzero"`
	Database  string    `json:"database"`
	Made      time.Time `json:"made"` // the moment of which the backup is
	Step      int64     `json:"step"` // of the schema
	Size      int64     `json:"size"` // bytes
	Partners  int       `json:"partners"`
	Customers int       `json:"customers"`
	Orders    int       `json:"orders"`
	Resumed   int       `json:"resumed,omitzero"`  // customers that an earlier run had restored
	Replaced  int       `json:"replaced,omitzero"` // texts
	Digest    string    `json:"digest"`
}

func newBackupFacts(file string, r *store.BackupResult) *backupFacts {
	return &backupFacts{
		File: file, Database: r.Database, Made: r.Made, Step: r.Step, Size: r.Size,
		Partners: r.Partners, Customers: r.Customers, Orders: r.Orders, Digest: fmt.Sprintf("%x", r.Digest),
	}
}

// has says what is in a backup.
func (f *backupFacts) has() string {
	return words.And([]string{words.Count(f.Partners, "partner"), words.Count(f.Customers, "customer"), words.Count(f.Orders, "order")})
}

// onStdout is the name of a backup that is written to standard output.
const onStdout = "-"

func backupDB(term *terminal.Terminal) *cobra.Command {
	var db, to string
	return command.Act(term, command.Spec{
		Facts: true, Use: "backup", Short: "Back up a database into a file, also while servers use it",
		Long: `Write everything that is in a database at one moment into a new file. The database may
be an SQLite file or in PostgreSQL, and servers may use it. A backup of either can be
restored as either, with partnercenter db restore.

The file is compressed, has checksums, and gets its name once it is complete; no file is
replaced. It holds the database's secrets, and can be read by its owner only.`,
		Example: `  partnercenter db backup
  partnercenter db backup --db postgres://partnercenter@db.example.com/partnercenter --to nightly.backup -o json
  partnercenter db backup --to - | ssh backups.example.com 'cat > partnercenter.backup'`,
		Flags: func(cmd *cobra.Command) {
			addDatabaseFlag(cmd.Flags(), &db, existingDatabase)
			cmd.Flags().StringVar(&to, "to", "", "new `file`; - is standard output (default partnercenter-DATE-TIME.backup)")
		},
		Check: func(call *command.Call) error {
			if to == onStdout && call.Term.StdoutTTY {
				return terminal.Usagef("a backup is nothing for a terminal: name a file with --to, or redirect standard output")
			}
			return chooseDatabase(call, "db", &db)
		},
	}, func(ctx context.Context, call *command.Call) error {
		options := store.BackupOptions{Program: "partnercenter " + partnercenter.Version, Progress: copyProgress(call.Term, "Backing up customers")}
		if to == onStdout {
			if call.JSON() {
				return terminal.Usagef("with --to - the backup is on standard output: name a file, or leave --output out")
			}
			r, err := store.BackupTo(ctx, db, call.Term.Stdout, options)
			call.Term.StopBar()
			if err != nil {
				return explained(err)
			}
			f := newBackupFacts("", r)
			call.Term.Linef("the backup has %s of %s; its digest is %s", f.has(), f.Database, f.Digest)
			return nil
		}
		if to == "" {
			to = call.Term.Now().UTC().Format("partnercenter-20060102-150405.backup")
		}
		r, err := store.Backup(ctx, db, to, options)
		call.Term.StopBar()
		if err != nil {
			if errors.Is(err, context.Canceled) {
				call.Term.Linef("nothing of the backup was kept")
			}
			return explained(err)
		}
		f := newBackupFacts(to, r)
		return call.Tell(f, func(w io.Writer) error {
			_, err := fmt.Fprintf(w, "%s has %s of %s (%s); its digest is %s\n", f.File, f.has(), f.Database, humanize.IBytes(uint64(f.Size)), f.Digest)
			return err
		})
	})
}

func restoreDB(term *terminal.Terminal) *cobra.Command {
	var from, to string
	var options store.CopyOptions
	return command.Act(term, command.Spec{
		Facts: true, Use: "restore", Short: "Restore a backup into a new database",
		Long: `Write what a backup has into an empty database, a new file or one in PostgreSQL. A
backup that is damaged or cut is refused before anything is written.

It can be interrupted: the same command goes on with it. No server starts on a database
until it is complete. At the end the database is read, and what belongs to each customer
is compared with the backup. A backup of an older schema is brought up to date.`,
		Example: `  partnercenter db restore --from nightly.backup --to partnercenter.db
  PARTNERCENTER_TO=postgres://… partnercenter db restore --from nightly.backup`,
		Flags: func(cmd *cobra.Command) {
			f := cmd.Flags()
			f.StringVar(&from, "from", "", "`file` that partnercenter db backup has written")
			f.StringVar(&to, "to", "", "`database` to restore into, which is empty or does not exist; PARTNERCENTER_TO keeps a password from the command line")
			f.BoolVar(&options.ReplaceInvalid, "replace-invalid", false, "replace what old versions stored and PostgreSQL does not take as text, NUL and what is no UTF-8, by U+FFFD")
		},
		Check: func(call *command.Call) error {
			if from == "" {
				return terminal.Usagef("the backup is missing: give --from with its file")
			}
			if err := chooseDatabase(call, "to", &to); err != nil {
				return err
			}
			if to == "" {
				return terminal.Usagef("the database is missing: give --to with a file, or with an address like postgres://user@host/database")
			}
			return nil
		},
	}, func(ctx context.Context, call *command.Call) error {
		options.Logger = notes(call.Term)
		options.Progress = copyProgress(call.Term, "Restoring customers")
		made, result, err := store.Restore(ctx, from, to, options)
		call.Term.StopBar()
		if err != nil {
			if errors.Is(err, context.Canceled) {
				call.Term.Linef("what is restored stays: the same command goes on with it")
			}
			return explained(err)
		}
		f := newBackupFacts(from, made)
		f.Resumed, f.Replaced = result.Resumed, result.Replaced
		return call.Tell(f, func(w io.Writer) error {
			if f.Resumed > 0 {
				call.Term.Linef("%s had been restored before", words.Count(f.Resumed, "customer"))
			}
			digest := "its digest is that of the backup, " + f.Digest
			if f.Replaced > 0 {
				digest = words.Count(f.Replaced, "text") + " had characters replaced"
			}
			_, err := fmt.Fprintf(w, "%s has %s, as they were at %s; %s\n", f.Database, f.has(), f.Made.Format(time.RFC3339), digest)
			return err
		})
	})
}
