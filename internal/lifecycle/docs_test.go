package lifecycle

import (
	"bytes"
	_ "embed"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the files that tests compare with")

// docsText is what docs/lifecycle.md says besides the tables. A line {{name}}
// stands for what is made of them.
//
//go:embed testdata/lifecycle.md
var docsText string

// TestDocs keeps docs/lifecycle.md to the tables.
func TestDocs(t *testing.T) {
	path := filepath.Join("..", "..", "docs", "lifecycle.md")
	want := docs(t)
	if *update {
		if err := os.WriteFile(path, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("docs/lifecycle.md is not what the tables say: run go generate ./internal/lifecycle")
	}
}

func docs(t *testing.T) []byte {
	parts := map[string]func() string{"rules": rulesTable, "states": statesTable, "endings": endingsTable}
	for _, machine := range []string{OrderMachine, LineMachine, SubscriptionMachine, AttachmentMachine} {
		parts[machine] = func() string { return diagram(machine) }
	}
	var b strings.Builder
	for line := range strings.Lines(docsText) {
		name, is := strings.CutPrefix(strings.TrimSpace(line), "{{")
		if !is {
			b.WriteString(line)
			continue
		}
		name = strings.TrimSuffix(name, "}}")
		part := parts[name]
		if part == nil {
			t.Fatalf("testdata/lifecycle.md wants {{%s}}, which there is not or not again", name)
		}
		b.WriteString(part())
		delete(parts, name)
	}
	for name := range parts {
		t.Errorf("testdata/lifecycle.md leaves out {{%s}}", name)
	}
	return []byte(b.String())
}

// diagram draws the allowed arrows of a machine. Commands with the same effect share an
// arrow; a state without outgoing arrows is final.
func diagram(machine string) string {
	type way struct{ from, to string }
	var ways []way
	var states []string
	commands := map[way][]string{}
	leaves := map[string]bool{}
	for _, t := range transitions {
		if t.Machine != machine || t.Code != "" {
			continue
		}
		w := way{t.From, t.To}
		if w.from == "" {
			w.from = "[*]"
		}
		if commands[w] == nil {
			ways = append(ways, w)
		}
		label := label(t.Command)
		if t.Command == Delete && machine != SubscriptionMachine {
			label = "delete a subscription"
		}
		if !slices.Contains(commands[w], label) {
			commands[w] = append(commands[w], label)
		}
		leaves[t.From] = true
		if !slices.Contains(states, t.To) {
			states = append(states, t.To)
		}
	}
	var b strings.Builder
	b.WriteString("```mermaid\nstateDiagram-v2\n")
	for _, w := range ways {
		fmt.Fprintf(&b, "    %s --> %s: %s\n", w.from, w.to, strings.Join(commands[w], ", "))
	}
	for _, s := range states {
		if !leaves[s] {
			fmt.Fprintf(&b, "    %s --> [*]\n", s)
		}
	}
	b.WriteString("```\n")
	return b.String()
}

// label returns a command without the preposition before its object.
func label(c Command) string {
	text := string(c)
	for _, word := range []string{" in", " of", " to"} {
		text = strings.TrimSuffix(text, word)
	}
	return text
}

func rulesTable() string {
	var b strings.Builder
	b.WriteString("| command | answer | when |\n|---|---|---|\n")
	for _, r := range Rules() {
		if strings.HasPrefix(r.When, "it is ") && isTransition(r) {
			continue // in the table of states
		}
		fmt.Fprintf(&b, "| %s | %d, code %s | %s |\n", r.Command, r.Status, r.Code, r.When)
	}
	return b.String()
}

func isTransition(r RuleInfo) bool {
	return slices.ContainsFunc(transitions, func(t Transition) bool {
		return t.Code == r.Code && r.Command == string(t.Command)+" "+t.Machine && r.When == "it is "+t.From
	})
}

func endingsTable() string {
	var b strings.Builder
	b.WriteString("| a subscription that does not renew and is | after its term |\n|---|---|\n")
	for _, e := range endings {
		var then []string
		if e.extends {
			then = append(then, "an extended service term: active by the month")
		}
		for _, s := range e.stages {
			text := fmt.Sprintf("%s for %d days", s.status, s.days)
			if s.reason != "" {
				text += ", with the reason `" + s.reason + "`"
			}
			then = append(then, text)
		}
		if !e.extends {
			then = append(then, "deleted")
		}
		fmt.Fprintf(&b, "| %s | %s |\n", e.of, strings.Join(then, "; then "))
	}
	return b.String()
}

func statesTable() string {
	var b strings.Builder
	b.WriteString("| of | that is | command | answer | what to do |\n|---|---|---|---|---|\n")
	for _, t := range transitions {
		if t.Code != "" {
			fmt.Fprintf(&b, "| %s | %s | %s | %d, code %s | %s |\n", t.Machine, t.From, label(t.Command), t.Status, t.Code, t.Next)
		}
	}
	return b.String()
}
