package main

import (
	"context"
	"database/sql"
	"fmt"
	"os"

	"github.com/jackc/pgx/v5"

	"github.com/partnercenter-go/partnercenter/internal/postgrestest"
)

// startPostgres starts a private PostgreSQL that waits for the disk. Nil if it is not to be
// measured. The data is in the system's cache: with more shared buffers, and without huge
// pages for them, each process would fault in most of what it reads.
func startPostgres(o *options) (*postgrestest.Cluster, error) {
	if o.database == "sqlite" {
		return nil, nil
	}
	return postgrestest.New(postgrestest.Options{Durable: true, Settings: map[string]string{
		"shared_buffers": "16MB", "max_wal_size": "4GB", "checkpoint_timeout": "30min",
	}})
}

// makePostgres creates a database of customers with their orders.
func makePostgres(ctx context.Context, cluster *postgrestest.Cluster, name string, customers []numbered) (string, error) {
	address, err := cluster.Copy("template0", name)
	if err != nil {
		return "", err
	}
	if err := makeData(ctx, address, customers); err != nil {
		return "", err
	}
	// As the system does after a while.
	fmt.Fprintln(os.Stderr, "vacuuming")
	conn, err := pgx.Connect(ctx, address)
	if err != nil {
		return "", err
	}
	defer conn.Close(ctx)
	if _, err := conn.Exec(ctx, "VACUUM (ANALYZE)"); err != nil {
		return "", err
	}
	// Or else it writes pages while something is measured.
	admin, err := pgx.Connect(ctx, cluster.AdminURL(name))
	if err != nil {
		return "", err
	}
	defer admin.Close(ctx)
	_, err = admin.Exec(ctx, "CHECKPOINT")
	return address, err
}

// orderPostgres is for databases of a cluster.
type orderPostgres struct{ cluster *postgrestest.Cluster }

func (p orderPostgres) makeBase(ctx context.Context, customers []numbered) (*data, error) {
	address, err := makePostgres(ctx, p.cluster, "place_base", customers)
	return &data{path: address, cluster: p.cluster}, err
}

func (p orderPostgres) copyBase(name string) (string, error) {
	return p.cluster.Copy("place_base", name)
}

func (p orderPostgres) newestRows(ctx context.Context, path string) ([]rowOf, error) {
	db, err := sql.Open("pgx", path)
	if err != nil {
		return nil, err
	}
	return newestRows(ctx, db, "requests WHERE customer_id <> '' ORDER BY made DESC")
}

// committer returns what commits rows in one trip to the database.
func (p orderPostgres) committer(ctx context.Context, path string, rows []rowOf) (func([]*rawRow) error, func(), error) {
	conn, err := pgx.Connect(ctx, path)
	if err != nil {
		return nil, nil, err
	}
	commit := func(batch []*rawRow) error {
		b := new(pgx.Batch) // which is a transaction
		for _, row := range batch {
			for i, values := range row.values {
				b.Queue(rows[i].insertSQL(), values...)
			}
		}
		return conn.SendBatch(ctx, b).Close()
	}
	return commit, func() { conn.Close(ctx) }, nil
}
