package postgrestest_test

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/partnercenter-go/partnercenter/internal/postgrestest"
)

func TestNewDatabase(t *testing.T) {
	c := postgrestest.Start(t)
	for range 2 {
		// The table would exist if the database were the other.
		conn, err := pgx.Connect(t.Context(), c.NewDatabase(t))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close(context.Background())
		if _, err := conn.Exec(t.Context(), "CREATE TABLE orders (id text PRIMARY KEY)"); err != nil {
			t.Error(err)
		}
	}
}
