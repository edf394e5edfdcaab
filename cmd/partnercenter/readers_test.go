package main

import (
	"encoding/csv"
	"encoding/json"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/terminal"
	"github.com/partnercenter-go/partnercenter/internal/installed"
)

var spreadsheet = flag.Bool("spreadsheet", false, "open CSV with LibreOffice where it is installed")

// listed lists the orders of a customer of the stub, whose names are hard to write.
func listed(t *testing.T, stub *stub, customer string, args ...string) string {
	t.Helper()
	r := runCLI(t.Context(), t, nil, append([]string{"orders", "list", "--customer", customer, "--base-url", stub.URL}, args...)...)
	if r.code != terminal.ExitOK {
		t.Fatalf("%v: %+v", args, r)
	}
	return r.stdout
}

// hostileItem is the friendly name of an order of customer hostile, see [stub.orders].
const hostileItem = "\x1b]0;owned\x07\u009b2J\u202eevil\ttab\nnext"

// TestStrictReaders reads what lists write with readers that take nothing amiss.
func TestStrictReaders(t *testing.T) {
	stub := newStub(t, false)
	for _, customer := range []string{"one", "hostile", "formula", "empty"} {
		document := listed(t, stub, customer, "-o", "json")
		var orders []any
		if err := json.Unmarshal([]byte(document), &orders); err != nil {
			t.Fatalf("%s: %v", customer, err)
		}
		name := func(order any) string {
			return order.(map[string]any)["lineItems"].([]any)[0].(map[string]any)["friendlyName"].(string)
		}
		if customer == "hostile" && name(orders[0]) != hostileItem {
			t.Errorf("the name is %q", name(orders[0]))
		}

		var fromYAML []any
		if err := yaml.Unmarshal([]byte(listed(t, stub, customer, "-o", "yaml")), &fromYAML); err != nil {
			t.Errorf("%s: %v", customer, err)
		}
		same, err := json.Marshal(fromYAML)
		if err != nil {
			t.Fatal(err)
		}
		var again []any
		if err := json.Unmarshal(same, &again); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(orders, again); len(orders) > 0 && diff != "" {
			t.Errorf("%s: YAML and JSON differ:\n%s", customer, diff)
		}

		for _, args := range [][]string{{"-o", "csv"}, {"--excel"}} {
			text, marked := strings.CutPrefix(listed(t, stub, customer, args...), "\ufeff")
			if marked != (args[0] == "--excel") {
				t.Errorf("%s %v: a byte order mark is %v", customer, args, marked)
			}
			rows, err := csv.NewReader(strings.NewReader(text)).ReadAll() // as many fields in each row
			if err != nil || len(rows) != 1+2*len(orders) {               // each order has two lines
				t.Errorf("%s %v: %v, %d rows", customer, args, err, len(rows))
				continue
			}
			if strings.Contains(strings.ReplaceAll(text, "\r\n", ""), "\r") || !strings.HasSuffix(text, "\r\n") {
				t.Errorf("%s %v: lines do not end as RFC 4180 says", customer, args)
			}
			formula := func(cell string) bool { return strings.HasPrefix(cell, "=") }
			if args[0] == "--excel" && slices.ContainsFunc(slices.Concat(rows...), formula) {
				t.Errorf("%s: a cell is a formula", customer)
			}
		}
	}
}

// TestJQReads has jq read JSON and JSON lines, and do what --jq does.
func TestJQReads(t *testing.T) {
	jq := installed.Program(t, "jq")
	stub := newStub(t, false)
	for _, customer := range []string{"one", "hostile"} {
		for format, filter := range map[string]string{"json": ".[].lineItems[0].friendlyName", "jsonl": ".lineItems[0].friendlyName"} {
			cmd := exec.CommandContext(t.Context(), jq, filter) //nolint:gosec // above
			cmd.Stdin = strings.NewReader(listed(t, stub, customer, "-o", format))
			out, err := cmd.CombinedOutput()
			if err != nil {
				t.Fatalf("%s %s: %v\n%s", customer, format, err, out)
			}
			var theirs, ours []string
			for dec := json.NewDecoder(strings.NewReader(string(out))); dec.More(); {
				theirs = append(theirs, "")
				if err := dec.Decode(&theirs[len(theirs)-1]); err != nil {
					t.Fatal(err)
				}
			}
			own := listed(t, stub, customer, "-o", format, "--jq", filter+" | @json")
			for line := range strings.Lines(own) {
				ours = append(ours, "")
				if err := json.Unmarshal([]byte(line), &ours[len(ours)-1]); err != nil {
					t.Fatal(err)
				}
			}
			if diff := cmp.Diff(theirs, ours); diff != "" {
				t.Errorf("%s %s: jq and --jq differ:\n%s", customer, format, diff)
			}
		}
	}
}

// TestSpreadsheetOpensCSV has LibreOffice open CSV for Excel and write what it calculates.
func TestSpreadsheetOpensCSV(t *testing.T) {
	if !*spreadsheet {
		t.Skip("make soak runs it, with -spreadsheet")
	}
	office, err := exec.LookPath("soffice")
	if err != nil {
		t.Skip("there is no LibreOffice, which no other test needs")
	}
	stub := newStub(t, false)
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "in"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, customer := range []string{"one", "hostile", "formula"} {
		text := listed(t, stub, customer, "--excel")
		writeFile(t, filepath.Join(dir, "in", customer+".csv"), text)
		// 44,34,76: commas, double quotes, UTF-8.
		cmd := exec.CommandContext(t.Context(), office, "-env:UserInstallation=file://"+filepath.Join(dir, "office"), "--headless", //nolint:gosec // above
			"--infilter=CSV:44,34,76", "--convert-to", "csv:Text - txt - csv (StarCalc):44,34,76", "--outdir", filepath.Join(dir, "out"), filepath.Join(dir, "in", customer+".csv"))
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		converted, err := os.ReadFile(filepath.Join(dir, "out", customer+".csv"))
		if err != nil {
			t.Fatal(err)
		}
		read := func(text string) (names []string) {
			rows, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(text, "\ufeff"))).ReadAll()
			if err != nil {
				t.Fatal(err)
			}
			at := slices.Index(rows[0], "friendlyName")
			for _, row := range rows {
				names = append(names, strings.TrimPrefix(row[at], "'"))
			}
			return names
		}
		if diff := cmp.Diff(read(text), read(string(converted))); diff != "" {
			t.Errorf("%s: LibreOffice has other names:\n%s", customer, diff)
		}
	}
}
