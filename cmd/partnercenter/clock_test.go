package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/terminal"
)

// TestClockAdvanceYears lets two years pass for 50 customers with 200 subscriptions. The
// command takes no longer for what happens in between, which the next answer has.
func TestClockAdvanceYears(t *testing.T) {
	const customers = 50
	config := t.TempDir()
	seed := filepath.Join(config, "seed.yaml")
	text := strings.Builder{}
	text.WriteString(`format: partnercenter-seed/1
partners:
  - tenantId: 0f2a9c14-5b7e-4d38-9a61-c3e8d70b4f25
    name: Years
    domain: years.onmicrosoft.com
    mpnId: "5080911"
    country: US
    apps: [{clientId: 7b1d4e90-2c85-4f6a-8e37-d90a5c62b1f8, name: tests}]
    customers:
`)
	customer := func(i int) string { return fmt.Sprintf("%08d-0000-4000-8000-000000000000", i) }
	for i := range customers {
		fmt.Fprintf(&text, "      - id: %s\n        companyProfile: {companyName: Customer %d, domain: c%d.onmicrosoft.com}\n", customer(i), i, i)
	}
	writeFile(t, seed, text.String())
	facts := startServe(t, "--seed", seed, "--log-level", "error")
	ready, err := json.Marshal(facts)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(config, "partnercenter"), 0o700); err != nil {
		t.Fatal(err)
	}
	writeFile(t, filepath.Join(config, "partnercenter", "local.json"), string(ready))
	ordersOf := func(i int) string { return facts.APIURL + "/v1/customers/" + customer(i) + "/orders" }
	token := appToken(t, facts)
	for i := range customers {
		for _, term := range []string{"P1M", "P1M", "P1Y", "P1Y"} {
			body := `{"billingCycle":"monthly","lineItems":[{"lineItemNumber":0,"offerId":"CFQ7TTC0LFLX:0001:CFQ7TTC0K8QN","quantity":3,"termDuration":"` + term + `"}]}`
			if status, answer := send(t, http.MethodPost, ordersOf(i), "application/json", token, strings.NewReader(body)); status != http.StatusCreated {
				t.Fatalf("%d %s", status, answer)
			}
		}
	}
	// A busy machine gets more than one chance.
	for try := range 3 {
		began := time.Now()
		r := runCLI(t.Context(), t, func(*terminal.Terminal) { t.Setenv("XDG_CONFIG_HOME", config) }, "clock", "advance", "2y")
		took := time.Since(began)
		if r.code != terminal.ExitOK {
			t.Fatal(r)
		}
		if took <= time.Second {
			break
		}
		if try == 2 {
			t.Errorf("two years took %s", took)
		}
	}
	_, answer := send(t, http.MethodGet, ordersOf(7)+"?include_system_purchases=true", "", appToken(t, facts), http.NoBody)
	var list struct{ TotalCount int }
	if err := json.Unmarshal([]byte(strings.TrimPrefix(answer, "\ufeff")), &list); err != nil || list.TotalCount < 4+2*24+2*2 {
		t.Errorf("%d orders, %v", list.TotalCount, err)
	}
}
