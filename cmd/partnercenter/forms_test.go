package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestFormsAreWrittenOnce keeps commands from doing by themselves what the forms in
// internal/command do for all.
func TestFormsAreWrittenOnce(t *testing.T) {
	below, err := filepath.Glob(filepath.Join("internal", "*", "*.go"))
	if err != nil || len(below) < 40 {
		t.Fatalf("%d files, %v", len(below), err)
	}
	own, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for text, what := range map[string]string{
		`"output", "json"`:                      "refusing -o together with --json",
		`SortFlags = false`:                     "the order of flags",
		`"billing-type"`:                        "the old name of the flag for billing cycles",
		`return s.Values, cobra`:                "the completion of arguments",
		`NoFileCompletions`:                     "the completion of flags that name no file",
		`the customer is missing: give`:         "asking for the customer",
		`"dry-run"`:                             "the flags of changes",
		`exclude each other`:                    "refusing flags that exclude each other",
		`BillingCycleTypeUnknown`:               "the parser of billing cycles",
		"\"customer\", \"\", \"the `customer`:": "the flag for the customer",
	} {
		var places []string
		for _, file := range append(own, below...) {
			source, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.HasSuffix(file, "_test.go") && strings.Contains(string(source), text) {
				places = append(places, file)
			}
		}
		if len(places) != 1 {
			t.Errorf("%s is in %q: leave it to the one form", what, places)
		}
	}
}
