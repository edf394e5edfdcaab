package partnercenter_test

import (
	"go/ast"
	"go/token"
	"maps"
	"path"
	"slices"
	"strings"
	"testing"
)

// folds are the functions that fold case by Unicode's rules, or change what is not UTF-8.
var folds = map[string][]string{
	"strings":  {"EqualFold", "ToLower", "ToUpper", "ToTitle", "Title", "ToValidUTF8"},
	"bytes":    {"EqualFold", "ToLower", "ToUpper", "ToTitle", "Title", "ToValidUTF8"},
	"unicode":  {"ToLower", "ToUpper", "ToTitle", "To", "SimpleFold"},
	"json":     {"MatchCaseInsensitiveNames"},
	"caseless": {"Key"},
}

// blanks are the functions that trim and split by Unicode's blanks, which is for text. In
// keyFolders, where there are keys and ids, they need a reason as well.
var (
	blanks     = map[string][]string{"strings": {"TrimSpace", "Fields", "FieldsSeq"}, "unicode": {"IsSpace"}}
	keyFolders = []string{"internal/control/", "internal/guid/", "internal/issuer/", "internal/lifecycle/", "internal/seed/", "internal/server/", "internal/store/", "internal/token/"}
)

// foldLiterals are the parts of patterns and statements that do.
var foldLiterals = []string{"(?i", "NOCASE", "ILIKE"}

// textFolds are the places that may: what they fold is text for people, and no key.
var textFolds = map[string]string{
	"cmd/partnercenter/internal/command/customer.go: caseless.Key":      "names of customers as people type them; two that match are told apart by their ids",
	"cmd/partnercenter/internal/terminal/output.go: strings.ToLower":    "rows are sorted for people",
	"cmd/partnercenter/internal/terminal/output.go: unicode.ToUpper":    "the header of a table",
	"cmd/partnercenter/internal/terminal/secrets.go: (?i":               "what may be a secret is hidden, rather more than less",
	"cmd/partnercenter/internal/terminal/words.go: strings.ToValidUTF8": "text on a screen",
	"error.go: bytes.ToValidUTF8":                                       "an answer that is quoted in an error",
	"internal/quote/quote.go: strings.ToValidUTF8":                      "text that is quoted in a message",
	"internal/seed/users.go: unicode.IsSpace":                           "names with any blank are refused",
	"internal/server/consents.go: strings.TrimSpace":                    "whether there is anything in it",
	"internal/server/upload.go: strings.TrimSpace":                      "the names of files",
	"internal/server/customers.go: json.MatchCaseInsensitiveNames":      "the names of a filter's three members",
	"cmd/partnercenter/internal/serve/database.go: (?i":                 "what may have a password is not repeated, rather more than less",
	"internal/store/ids.go: caseless.Key":                               "what people search by",
	"internal/store/ids.go: strings.ToValidUTF8":                        "what people search by",
	"internal/suggest/suggest.go: strings.ToLower":                      "how near a mistyped name is to others; it finds nothing",
	"internal/yamlfile/yamlfile.go: (?i":                                "hexadecimal digits of an escape",
	"json.go: json.MatchCaseInsensitiveNames":                           "the names of members, which are known; a repeated one is refused, and in bodies, seeds and imports one with a letter beyond ASCII that folds to one of them",
}

// TestFolding checks that keys and ids are folded by package ascii: what Unicode's rules
// make the same is listed with the reason why it is no key.
func TestFolding(t *testing.T) {
	found := map[string]string{}
	for file, parsed := range sources(t) {
		ast.Inspect(parsed.File, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.ImportSpec:
				if strings.HasPrefix(n.Path.Value, `"golang.org/x/text/cases`) && path.Dir(file) != "internal/caseless" {
					t.Errorf("%s: compare text that people search by internal/caseless", parsed.at(n))
				}
			case *ast.SelectorExpr:
				x, ok := n.X.(*ast.Ident)
				inFolder := func(folder string) bool { return strings.HasPrefix(file, folder) }
				if ok && (slices.Contains(folds[x.Name], n.Sel.Name) || slices.Contains(blanks[x.Name], n.Sel.Name) && slices.ContainsFunc(keyFolders, inFolder)) {
					found[file+": "+x.Name+"."+n.Sel.Name] = parsed.at(n)
				}
			case *ast.BasicLit:
				for _, part := range foldLiterals {
					if n.Kind == token.STRING && strings.Contains(n.Value, part) {
						found[file+": "+part] = parsed.at(n)
					}
				}
			}
			return true
		})
	}
	for _, use := range slices.Sorted(maps.Keys(found)) {
		if textFolds[use] == "" {
			t.Errorf("%s: %s makes one of what differs: use internal/ascii for keys and ids, or say in textFolds why it is text", found[use], use)
		}
	}
	for _, use := range slices.Sorted(maps.Keys(textFolds)) {
		if found[use] == "" {
			t.Errorf("%s is no longer there: take it out of textFolds", use)
		}
	}
}
