package main

import (
	"bytes"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/partnercenter-go/partnercenter/internal/installed"
)

// shells complete the words of a command line, $LINE, with the script of the program
// that is on their standard input, and print what they offer.
var shells = map[string][]string{
	"bash": {"--norc", "--noprofile", "-c", `
		# The part of package bash-completion that the script needs, and a builtin that only
		# works while the shell completes.
		_get_comp_words_by_ref() { words=("${COMP_WORDS[@]}"); cword=$COMP_CWORD; cur=${words[cword]}; prev=${words[cword-1]}; }
		compopt() { :; }
		source /dev/stdin
		complete -p partnercenter >/dev/null || exit 1
		COMP_LINE=$LINE COMP_POINT=${#LINE} COMP_TYPE=63
		read -ra COMP_WORDS <<<"$LINE"
		[[ $LINE == *' ' ]] && COMP_WORDS+=('')
		COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
		__start_partnercenter
		printf '%s\n' "${COMPREPLY[@]}"`},
	"zsh": {"-f", "-c", `
		autoload -U compinit && compinit -D -u
		source /dev/stdin
		[[ $_comps[partnercenter] == _partnercenter ]] || exit 1
		# What the shell would show.
		_describe() { print -rl -- $completions }
		words=(${(z)LINE}) CURRENT=${#words}
		[[ $LINE == *' ' ]] && words+=('') CURRENT=$((CURRENT + 1))
		_partnercenter`},
	"fish": {"--no-config", "-c", `
		source -
		complete -C "$LINE"`},
}

// TestShellsComplete has the shells complete command lines with the scripts for them.
func TestShellsComplete(t *testing.T) {
	for name, args := range shells {
		t.Run(name, func(t *testing.T) {
			shell := installed.Program(t, name)
			script := runCLI(t.Context(), t, nil, "completion", name)
			home := t.TempDir()
			for line, want := range map[string]string{
				"partnercenter orders wait":            "wait-visible",
				"partnercenter orders list --all-cust": "--all-customers",
				"partnercenter orders list -o ":        "jsonl",
				"partnercenter help exit":              "exit-codes",
			} {
				cmd := exec.CommandContext(t.Context(), shell, args...) //nolint:gosec // as above
				cmd.Env = append(os.Environ(), "LINE="+line, "HOME="+home, "XDG_CONFIG_HOME="+home, "PATH="+withProgram(t))
				cmd.Stdin = strings.NewReader(script.stdout)
				var stderr bytes.Buffer
				cmd.Stderr = &stderr
				out, err := cmd.Output()
				if err != nil || stderr.Len() > 0 {
					t.Errorf("%q: %v\n%s", line, err, &stderr)
				}
				if !strings.Contains(string(out), want) || strings.Contains(string(out), "`") {
					t.Errorf("%q: it offers %q, want %q", line, out, want)
				}
			}
		})
	}
}
