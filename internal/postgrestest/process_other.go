//go:build !unix

package postgrestest

import (
	"errors"
	"os"
	"os/exec"
)

// Private servers need Unix. Elsewhere the first step fails.

func asServer(*exec.Cmd) {}

func giveToServer(string) error { return nil }

func belongsToServer(*os.File) bool { return false }

func tryLock(*os.File) error {
	return errors.New("private servers need Unix: name a server in PARTNERCENTER_TEST_POSTGRES")
}
