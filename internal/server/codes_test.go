package server_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/internal/contract/contracttest"
	"github.com/partnercenter-go/partnercenter/internal/lifecycle"
	"github.com/partnercenter-go/partnercenter/partnercentertest"
)

// elsewhere are codes that other tests provoke, with those tests.
var elsewhere = map[string]string{
	"400/2000":   "TestCustomers",
	"401/900420": "TestEditions",
	"401/900421": "TestSecondFactor",
	"403/900329": "TestEditions",
	"403/2030":   "TestOffers",
	"400/2100":   "TestOffers",
	"403/400030": "TestProducts",
	"403/400036": "TestProducts",
	"403/800043": "TestNoPriceAccess",
	"409/800060": "TestOnceWhileRunning",
	"409/800064": "TestCartBusy",
}

// TestRefusals provokes the rules of package lifecycle and the codes of codes.go over
// HTTP. At the end every rule must have refused something, and every code was seen or
// docs/differences.md says why it cannot occur.
func TestRefusals(t *testing.T) {
	whole := true
	for _, group := range []struct {
		name    string
		options partnercentertest.Options
		table   func(*testing.T, *api) []refusal
	}{
		{"placing orders", partnercentertest.Options{}, placeRefusals},
		{"changing orders", partnercentertest.Options{}, changeRefusals},
		{"carts", partnercentertest.Options{}, cartRefusals},
		{"subscriptions", partnercentertest.Options{}, subscriptionRefusals},
		{"moving seats", partnercentertest.Options{}, movingRefusals},
		{"moving seats often", partnercentertest.Options{}, oftenRefusals},
		{"moving seats in a small sandbox", partnercentertest.Options{Realistic: true, RequestsPerMinute: 1e6}, crampedRefusals},
		{"overage", partnercentertest.Options{}, overageRefusals},
		{"ends of terms", partnercentertest.Options{}, termEndRefusals},
		{"support and Azure", partnercentertest.Options{}, supportRefusals},
		{"product upgrades", partnercentertest.Options{}, productUpgradeRefusals},
		{"product upgrades without a plan", partnercentertest.Options{Catalog: strings.NewReader(catalogWithoutPlan)}, noPlanRefusals},
		{"product upgrades in progress", partnercentertest.Options{ProvisioningTime: 5 * time.Minute}, upgradingRefusals},
		{"reading", partnercentertest.Options{}, readRefusals},
		{"bodies", partnercentertest.Options{}, bodyRefusals},
		{"request ids", partnercentertest.Options{}, onceRefusals},
		{"tokens", partnercentertest.Options{}, tokenRefusals},
		{"production", partnercentertest.Options{Production: true}, productionRefusals},
		{"windows", partnercentertest.Options{Realistic: true, RequestsPerMinute: 1e6}, windowRefusals},
		{"ends", partnercentertest.Options{}, overRefusals},
		{"provisioning", partnercentertest.Options{ProvisioningTime: 5 * time.Minute}, provisioningRefusals},
		{"21Vianet", partnercentertest.Options{Cloud: partnercenter.CloudName21Vianet}, chinaRefusals},
		{"Germany", partnercentertest.Options{Cloud: partnercenter.CloudNameGermany}, germanyRefusals},
		{"a sandbox", partnercentertest.Options{Realistic: true, RequestsPerMinute: 1e6, Seed: strings.NewReader(sandboxSeed(13))}, sandboxRefusals},
		{"a full sandbox", partnercentertest.Options{Realistic: true, RequestsPerMinute: 1e6, Seed: strings.NewReader(sandboxSeed(76))}, fullSandboxRefusals},
	} {
		whole = t.Run(group.name, func(t *testing.T) {
			a := newAPI(t, group.options)
			if group.options.Seed == nil {
				a = a.as(t, adminAgent)
			}
			a.refuse(t, group.table(t, a))
		}) && whole
	}
	whole = t.Run("resellers", TestIndirectReseller) && whole
	whole = t.Run("etags", TestEtags) && whole
	whole = t.Run("seats", TestSeatWindows) && whole
	whole = t.Run("expired carts", TestCartExpires) && whole
	whole = t.Run("gone items", TestCartGone) && whole
	whole = t.Run("lines of carts", TestCartErrors) && whole
	if !whole || t.Failed() {
		return // what is missing would follow from that
	}
	refused.Lock()
	defer refused.Unlock()

	table := contracttest.Codes(t)
	rules := map[string]bool{}
	for _, r := range lifecycle.Rules() {
		if strings.HasPrefix(r.Command, "attach ") {
			continue // the tests of attachments
		}
		name, code := r.Command+": "+r.When, fmt.Sprintf("%d/%s", r.Status, r.Code)
		rules[name] = true
		if !refused.rules[name] {
			t.Errorf("no test is refused by the rule %q (%s)", name, code)
		}
		if !table[code] {
			t.Errorf("the rule %q refuses with %s, which codes.go does not have", name, code)
		}
	}
	for name := range refused.rules {
		if !rules[name] {
			t.Errorf("there is no rule %q", name)
		}
	}

	never := contracttest.CodesThatDoNotOccur(t)
	for code := range table {
		if !refused.codes[code] && elsewhere[code] == "" && !never[code] {
			t.Errorf("no test provokes %s, and docs/differences.md does not say why", code)
		}
	}
	for code := range refused.codes {
		if never[code] {
			t.Errorf("docs/differences.md says that %s does not occur, but it does", code)
		}
	}
}

// sandboxSeed is a partner with a number of customers without purchases, except for a
// partially cancelled order. The last has not accepted the customer agreement.
func sandboxSeed(customers int) string {
	var b strings.Builder
	b.WriteString(`
format: partnercenter-seed/1
partners:
  - tenantId: 0f2a9c14-5b7e-4d38-9a61-c3e8d70b4f25
    name: Sandbox
    domain: sandbox.onmicrosoft.com
    mpnId: "5080911"
    country: US
    apps: [{clientId: 7b1d4e90-2c85-4f6a-8e37-d90a5c62b1f8, name: tests}]
    customers:
`)
	for i := range customers {
		fmt.Fprintf(&b, "      - id: %s\n        companyProfile: {companyName: Customer %d, domain: c%d.onmicrosoft.com}\n", sandboxCustomer(i), i, i)
		if i == customers-1 {
			b.WriteString("        agreementAccepted: false\n")
		}
		if i == 0 {
			b.WriteString(`        orders:
          - id: ` + cancelledByHalves + `
            billingCycle: one_time
            creationDate: 2026-01-07T10:00:00.0000000Z
            status: cancelled
            lineItems:
              - {offerId: "` + itemPerpetual + `", quantity: 1}
              - {offerId: "` + itemSoftware + `", quantity: 1}
`)
		}
	}
	return b.String()
}

const cancelledByHalves = "8f2b7c10d4e6"

func sandboxCustomer(n int) string { return fmt.Sprintf("%08x-1111-4222-8333-444455556666", n) }

// sandboxRefusals exceed the limits of a sandbox.
func sandboxRefusals(t *testing.T, a *api) []refusal {
	t.Helper()
	full := sandboxCustomer(0)
	for range 5 {
		a.place(t, full, line(offerExchange, 25))
	}
	// Ten customers have a subscription of legacy Azure and an Azure plan each,
	// which is as many as the partner may have of both.
	for i := range 10 {
		a.place(t, sandboxCustomer(i+1), line(offerAzure, 1))
		a.place(t, sandboxCustomer(i+1), line(itemAzurePlan, 1))
	}
	seats := a.place(t, sandboxCustomer(1), line(offerE3, 25)).LineItems[0].SubscriptionID
	newer := a.place(t, sandboxCustomer(2), line(itemE3, 25))
	a.Clock().Advance(lifecycle.Realistic().ProvisioningTime)
	a.token = a.mint(t)
	online := a.order(t, sandboxCustomer(2), newer.ID).LineItems[0].SubscriptionID
	a.place(t, full, line(itemPerpetual, 25)) // software makes no subscription
	last := sandboxCustomer(12)
	of := func(name, rule, customer string, status int, code partnercenter.ErrorCode, body string) refusal {
		return refusal{rule: rule, of: customer, request: request{name: name, body: body, status: status, code: code}}
	}
	patch := func(name, rule, customer, id string, status int, code partnercenter.ErrorCode) refusal {
		r := of(name, rule, customer, status, code, `{"quantity":26}`)
		r.method, r.path = http.MethodPatch, subscriptionAt(customer, id)
		return r
	}
	nextTerm := patch("one more seat in the next term", "change a subscription: the sandbox allows fewer seats in the next term", sandboxCustomer(2), online, 403, partnercenter.ErrorCodeSeatsBeyondLimit)
	nextTerm.body = `{"autoRenewEnabled":true,"scheduledNextTermInstructions":{"quantity":26}}`
	nextCharge := nextTerm
	nextCharge.rule, nextCharge.name = "change a subscription: the sandbox allows fewer seats from the next charge on", "one more seat with the next charge"
	nextCharge.body = `{"autoRenewEnabled":true,"nextChargeInstructions":{"quantity":26}}`
	agreement := of("no agreement", "place an order: the customer agreement is not confirmed", last, 403, partnercenter.ErrorCodeAgreementMissing, orderOf(line(itemE3, 1)))
	halves := of("cancel a line of a cancelled order", "cancel lines of order: it is cancelled", full, 400, partnercenter.ErrorCodeOrderNotCancellable, `{"status":"cancelled","lineItems":[{"lineItemNumber":0,"offerId":"`+itemPerpetual+`"}]}`)
	halves.method, halves.path = http.MethodPatch, orderAt(full, cancelledByHalves)
	return []refusal{
		agreement, halves, nextTerm, nextCharge,
		of("a sixth subscription", "place an order: the sandbox allows fewer subscriptions of a customer", full, 403, partnercenter.ErrorCodeTooManySubs, orderOf(line(offerE3, 1))),
		of("a sixth of newer commerce", "", full, 403, partnercenter.ErrorCodeTooManySubs, orderOf(line(itemE3, 1))),
		of("26 licences", "place an order: the sandbox allows fewer seats of a legacy offer", sandboxCustomer(1), 403, partnercenter.ErrorCodeTooManySeats, orderOf(line(offerE3, 26))),
		of("26 seats", "place an order: the sandbox allows fewer seats of a catalog item", sandboxCustomer(1), 403, partnercenter.ErrorCodeSeatsBeyondLimit, orderOf(line(itemE3, 26))),
		of("an offer of 50 seats at least", "", sandboxCustomer(1), 403, partnercenter.ErrorCodeTooManySeats, orderOf(line("5D3A9F17-C028-4B6E-9714-E2F08B56D3A1", 50))),
		of("an eleventh subscription of Azure", "place an order: the sandbox allows fewer Azure subscriptions of the partner", sandboxCustomer(1), 403, partnercenter.ErrorCodeTooManyAzureSubs, orderOf(line(offerAzure, 1))),
		of("an eleventh Azure plan", "place an order: the sandbox allows fewer Azure plans of the partner", sandboxCustomer(11), 400, partnercenter.ErrorCodeTooManyAzurePlans, orderOf(line(itemAzurePlan, 1))),
		patch("one more licence", "change a subscription: the sandbox allows fewer seats of a legacy offer", sandboxCustomer(1), seats, 403, partnercenter.ErrorCodeTooManySeats),
		patch("one more seat", "change a subscription: the sandbox allows fewer seats of a catalog item", sandboxCustomer(2), online, 403, partnercenter.ErrorCodeSeatsBeyondLimit),
	}
}

// fullSandboxRefusals are orders in a sandbox with one customer too many.
func fullSandboxRefusals(*testing.T, *api) []refusal {
	return []refusal{{of: sandboxCustomer(3), rule: "place an order: the sandbox has more customers than it may", request: request{
		name: "76 customers", body: orderOf(line(offerE3, 1)), status: 400, code: partnercenter.ErrorCodeSandboxLimit, must: []string{"76"},
	}}}
}
