package store

import (
	"testing"

	"github.com/partnercenter-go/partnercenter/internal/postgrestest"
)

func TestPostgres(t *testing.T) {
	cluster := postgrestest.Start(t)
	testStore(t, func(t *testing.T) *Store { return openTest(t, cluster.NewDatabase(t)) })
}
