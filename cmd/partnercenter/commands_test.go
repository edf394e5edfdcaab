package main

import (
	"context"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/partnercenter-go/partnercenter/internal/installed"
)

// notRun are the commands of pages that TestCommandsOfPages leaves out, and why.
var notRun = map[string]string{
	"make test": "runs this test",
	"go get github.com/partnercenter-go/partnercenter":                              "asks the network",
	"go install github.com/partnercenter-go/partnercenter/cmd/partnercenter@latest": "asks the network",
}

// readerShell is what readers have besides a page: the program, a terminal for the
// server, free ports, a browser with somebody who signs in, and jq, of which the
// pages use `jq -r .member`. A server that is started replaces the one before. Here
// curl fails when the server refuses.
const readerShell = `set -eu
partnercenter() {
	if [ "$1" != serve ]; then
		command partnercenter "$@"
		return
	fi
	shift
	case "$*" in
	*--ready-file*) facts=ready.json ;;
	*) facts=$XDG_CONFIG_HOME/partnercenter/local.json ;;
	esac
	stop
	rm -f "$facts"
	command partnercenter serve --listen 127.0.0.1:0 --listen-tls 127.0.0.1:0 --control 127.0.0.1:0 "$@" &
	server=$!
	until [ -s "$facts" ]; do
		kill -0 "$server"
		sleep 0.05
	done
	API=$(jq -r .apiUrl "$facts")
	PROXY=$(jq -r .proxyUrl "$facts")
	BROWSER_CA=$(jq -r .caFile "$facts")
	BROWSER_USER=$(jq -r .userPrincipalName "$facts")
	BROWSER_PASSWORD=$(jq -r .password "$facts")
	export BROWSER_CA BROWSER_USER BROWSER_PASSWORD
}
server=
stop() {
	if [ -n "$server" ]; then
		kill "$server"
		wait "$server"
	fi
	server=
}
trap stop EXIT
go() {
	[ "$1 $2" = "run ./cmd/partnercenter" ]
	shift 2
	partnercenter "$@"
}
curl() { command curl --fail "$@"; }
jq() { sed -n "s/.*\"${2#.}\": *\"\([^\"]*\)\".*/\1/p" ${3:+"$3"}; }
`

var (
	shellBlock = regexp.MustCompile("(?ms)^```sh\n(.*?)^```$")
	comment    = regexp.MustCompile(`\s+#.*$`)
)

// TestCommandsOfPages runs the commands of the pages that a newcomer follows, from
// the first to the last, against the server that they start.
func TestCommandsOfPages(t *testing.T) {
	installed.Program(t, "curl")
	left := maps.Clone(notRun)
	for _, page := range []string{"README.md", "docs/server.md"} {
		t.Run(filepath.Base(page), func(t *testing.T) {
			text, err := os.ReadFile(filepath.Join("..", "..", filepath.FromSlash(page)))
			if err != nil {
				t.Fatal(err)
			}
			var script strings.Builder
			script.WriteString(readerShell)
			blocks := shellBlock.FindAllStringSubmatch(string(text), -1)
			if len(blocks) < 3 {
				t.Fatalf("only %d blocks of commands", len(blocks))
			}
			for _, block := range blocks {
				for line := range strings.Lines(block[1]) {
					command := comment.ReplaceAllString(strings.TrimSuffix(line, "\n"), "")
					if _, ok := notRun[command]; ok {
						delete(left, command)
						continue
					}
					// The page has the default ports, and the shell others that are free.
					command = strings.NewReplacer("http://127.0.0.1:8080", "$API", "http://127.0.0.1:8082", "$PROXY", "127.0.0.1:8082", "127.0.0.1:0").Replace(command)
					fmt.Fprintln(&script, strings.TrimSuffix(command, " &")) // servers are in the background anyway
				}
			}
			runAsReader(t, script.String())
		})
	}
	if len(left) > 0 {
		t.Errorf("no page has %q", slices.Sorted(maps.Keys(left)))
	}
}

// runAsReader runs a script in a folder of its own, and fails with what it printed
// when one of its commands does.
func runAsReader(t *testing.T, script string) {
	t.Helper()
	dir := t.TempDir()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	sh := exec.CommandContext(ctx, "sh", "-x", "-c", script)
	sh.Dir = dir
	sh.Env = slices.DeleteFunc(os.Environ(), func(variable string) bool {
		return strings.HasPrefix(variable, "PARTNERCENTER_") || strings.HasPrefix(variable, "AZURE_")
	})
	sh.Env = append(sh.Env, "HOME="+dir, "XDG_CONFIG_HOME="+filepath.Join(dir, "config"), "TMPDIR="+dir,
		"BROWSER=browser", "BROWSER_LOG="+filepath.Join(dir, "browser.log"), "PATH="+withProgram(t), "GORACE=atexit_sleep_ms=0")
	sh.WaitDelay = 10 * time.Second
	if out, err := sh.CombinedOutput(); err != nil {
		t.Errorf("%v:\n%s", err, out)
	}
}
