package partnercentertest_test

import (
	"os"
	"testing"

	"github.com/partnercenter-go/partnercenter/internal/fleet/fleettest"
)

func TestMain(m *testing.M) {
	fleettest.Main()
	os.Exit(m.Run())
}

// TestOnPostgres runs the other tests again, on two servers and a database in PostgreSQL.
func TestOnPostgres(t *testing.T) {
	fleettest.Again(t, "TestCertificate", "TestAzureIdentityMeetsFaults", "TestCloseDuringTimeout") // inject faults, which one server has
}
