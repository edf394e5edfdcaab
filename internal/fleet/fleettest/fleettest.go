// Package fleettest runs tests a second time, with servers on PostgreSQL. It is for tests
// only.
package fleettest

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/partnercenter-go/partnercenter/internal/fleet"
	"github.com/partnercenter-go/partnercenter/internal/postgrestest"
	"github.com/partnercenter-go/partnercenter/internal/store"
)

// Variable is the environment variable that has tests run like that.
const Variable = "PARTNERCENTER_TEST_ON_POSTGRES"

// Main has the servers of package partnercentertest run on PostgreSQL, if the environment
// says so. It is called by a TestMain.
func Main() {
	if os.Getenv(Variable) == "" {
		return
	}
	cluster, err := postgrestest.Shared()
	if err != nil {
		panic(err)
	}
	database := cluster.Template(func(address string) error {
		st, err := store.Open(context.Background(), address, nil)
		if err != nil {
			return err
		}
		return st.Close()
	})
	fleet.Database = func() (string, func() error, error) {
		address, drop, err := database()
		if err != nil {
			return "", nil, err
		}
		separator := "?"
		if strings.Contains(address, "?") {
			separator = "&"
		}
		return address + separator + "pool_max_conns=8", drop, nil
	}
}

// Again runs the tests of a package again, in a process of its own, but that of the caller
// and the others named: each of their servers is fleet.Servers on one database in
// PostgreSQL, of which a random one answers a request.
func Again(t *testing.T, but ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], //nolint:gosec // this program
		"-test.timeout=30m", "-test.short="+fmt.Sprint(testing.Short()),
		"-test.skip=^("+strings.Join(append(but, t.Name()), "|")+")$")
	cmd.Env = append(os.Environ(), Variable+"=1", "PARTNERCENTER_TEST_POSTGRES="+postgrestest.Start(t).URL("postgres"))
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
