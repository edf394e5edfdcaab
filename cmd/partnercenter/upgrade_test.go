package main

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/partnercenter-go/partnercenter/internal/postgrestest"
)

// oldDatabases is the folder of databases that programs of earlier commits have made, one for
// each schema, and of what they answered.
const oldDatabases = "../../internal/store/testdata/upgrade"

// TestUpgrade serves databases of earlier versions. The answers are those of the programs
// that made them, but for what CHANGELOG.md names.
func TestUpgrade(t *testing.T) {
	content, err := os.ReadFile("../../CHANGELOG.md")
	if err != nil {
		t.Fatal(err)
	}
	changelog := strings.Join(strings.Fields(string(content)), " ")
	for _, c := range changedAnswers {
		if !strings.Contains(changelog, c.changelog) {
			t.Errorf("CHANGELOG.md does not name %q", c.changelog)
		}
	}
	files, err := filepath.Glob(filepath.Join(oldDatabases, "*.json.gz"))
	if err != nil || len(files) == 0 {
		t.Fatalf("there are no databases: %v", err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(file, ".json.gz")
		for suffix, restore := range map[string]func(*testing.T, []byte) string{
			".sqlite.gz": func(t *testing.T, content []byte) string {
				t.Helper()
				path := filepath.Join(t.TempDir(), "old.db")
				writeFile(t, path, string(content))
				return path
			},
			".sql.gz": func(t *testing.T, dump []byte) string {
				t.Helper()
				address := postgrestest.Start(t).NewDatabase(t)
				conn, err := pgx.Connect(t.Context(), address)
				if err != nil {
					t.Fatal(err)
				}
				defer conn.Close(t.Context())
				if _, err := conn.PgConn().Exec(t.Context(), string(dump)).ReadAll(); err != nil {
					t.Fatal(err)
				}
				return address
			},
		} {
			if _, err := os.Stat(name + suffix); err != nil {
				continue
			}
			t.Run(filepath.Base(name)+suffix, func(t *testing.T) {
				step, err := strconv.Atoi(filepath.Base(name)[:2])
				if err != nil {
					t.Fatal(err)
				}
				checkUpgraded(t, step, restore(t, unzipped(t, name+suffix)), unzipped(t, file))
			})
		}
	}
}

func unzipped(t *testing.T, file string) []byte {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// changedAnswers are the differences that CHANGELOG.md names, each with words of its line there.
var changedAnswers = []struct {
	changelog string
	before    int            // the step of the schema of the first program that does not differ
	where     *regexp.Regexp // path of the answer, a blank, and the JSON pointer of a value in it
}{
	{
		"Enumerated values of seeds, imports, catalogs and older databases come in one spelling", 6,
		regexp.MustCompile(`^/v1/customers\S* \S*/(relationshipToPartner|billingCycle|transactionType)$`),
	},
	{
		"customers are searched in any case", 8,
		regexp.MustCompile(`^/v1/customers\?filter=\S* (/items/0/.*|/totalCount)$`),
	},
	{
		"Subscriptions renew, and have `commitmentEndDateTime`, `billingCycleEndDate` and `billingCycleEndDateTime`", 5,
		regexp.MustCompile(`/subscriptions /items/\d+/(commitmentEndDate|commitmentEndDateTime|billingCycleEndDate|billingCycleEndDateTime)$`),
	},
	{
		"subscriptions of new commerce have their product type, `partnerId`, `renewalTermDuration`", 7,
		regexp.MustCompile(`/subscriptions /items/\d+/(productType/.*|partnerId|renewalTermDuration|attentionNeeded|actionTaken|refundableQuantity/.*)$`),
	},
}

// checkUpgraded serves a database, and compares the answers with recorded ones, soon after the
// moment of the recording.
func checkUpgraded(t *testing.T, step int, database string, recording []byte) {
	t.Helper()
	var old struct {
		Commit  string
		Time    time.Time
		Answers map[string]any
	}
	if err := json.Unmarshal(recording, &old); err != nil {
		t.Fatal(err)
	}
	facts := startServe(t, "--db", database)
	setClock, _ := http.NewRequestWithContext(t.Context(), http.MethodPut, facts.ControlURL+"/clock",
		strings.NewReader(`{"now": "`+old.Time.Add(time.Second).Format(time.RFC3339)+`"}`))
	answerOf(t, setClock, nil)
	var token struct {
		AccessToken string `json:"access_token"`
	}
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {facts.ClientID}, "client_secret": {"not-a-real-secret"}, "resource": {"https://api.partnercenter.microsoft.com"}}
	signIn, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, facts.APIURL+"/"+facts.TenantID+"/oauth2/token", strings.NewReader(form.Encode()))
	signIn.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	answerOf(t, signIn, &token)
	for _, path := range slices.Sorted(maps.Keys(old.Answers)) {
		get, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, facts.APIURL+path, nil)
		get.Header.Set("Authorization", "Bearer "+token.AccessToken)
		var answer any
		answerOf(t, get, &answer)
		then, now := map[string]any{}, map[string]any{}
		flatten(then, path+" ", old.Answers[path])
		flatten(now, path+" ", answer)
		for where := range then {
			if _, is := now[where]; !is {
				now[where] = "nothing"
			}
		}
		for _, where := range slices.Sorted(maps.Keys(now)) {
			before, is := then[where]
			if !is {
				before = "nothing"
			}
			if before != now[where] && !isNamed(step, where) {
				t.Errorf("%s: the program of %s answered %v, and this one %v", where, old.Commit, before, now[where])
			}
		}
	}
}

// isNamed reports whether the changelog names a difference from what a program answered that
// knew a step of the schema.
func isNamed(step int, where string) bool {
	for _, c := range changedAnswers {
		if step < c.before && c.where.MatchString(where) {
			return true
		}
	}
	return false
}

// flatten adds the values in a JSON value to a map, by their JSON pointers.
func flatten(into map[string]any, at string, value any) {
	switch v := value.(type) {
	case map[string]any:
		for name, member := range v {
			flatten(into, at+"/"+name, member)
		}
	case []any:
		for i, item := range v {
			flatten(into, at+"/"+strconv.Itoa(i), item)
		}
	default:
		into[at] = value
	}
}

// answerOf sends a request and decodes the answer, which is a good one.
func answerOf(t *testing.T, r *http.Request, into any) {
	t.Helper()
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK {
		t.Fatalf("%s %s: %d %s, %v", r.Method, r.URL, answer.StatusCode, body, err)
	}
	if into != nil {
		if err := json.Unmarshal(bytes.TrimPrefix(body, []byte("\ufeff")), into); err != nil {
			t.Fatal(err)
		}
	}
}
