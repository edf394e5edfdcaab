package lifecycle

import (
	"fmt"

	"github.com/partnercenter-go/partnercenter"
)

// Refusal says that the rules do not allow a command. Status and Code are the
// contract's; the words are this project's.
type Refusal struct {
	Status  int
	Code    partnercenter.ErrorCode
	Problem string // a sentence without its full stop
	Next    string // what to do next, likewise
	Data    []string
}

// Error returns problem and next step as two sentences.
func (r *Refusal) Error() string { return r.Problem + ". " + r.Next + "." }

// A rule refuses a command on a subject: a line of a request, a whole request, a
// subscription. Rules are listed in tables, in the order of checking; search for a code
// to find its rule.
type rule[S any] struct {
	status int
	code   partnercenter.ErrorCode
	when   string // one line, for docs/lifecycle.md
	// broken returns what is wrong and what to do next, or two empty strings.
	broken func(S) (problem, next string)
}

// check returns the refusal of the first broken rule.
func check[S any](rules []rule[S], subject S) error {
	for i := range rules {
		if problem, next := rules[i].broken(subject); problem != "" {
			return &Refusal{Status: rules[i].status, Code: rules[i].code, Problem: problem, Next: next}
		}
	}
	return nil
}

// RuleInfo is a rule in the documentation.
type RuleInfo struct {
	Command string
	Status  int
	Code    partnercenter.ErrorCode
	When    string
}

// Rules returns all rules in the order of checking.
func Rules() []RuleInfo {
	list := describe("place an order", requestRules)
	list = append(list, describe("place an order", lineRules)...)
	list = append(list, describe("place an order", orderRules)...)
	list = append(list, describe("make a cart", cartRules)...)
	list = append(list, describe("make a cart", lineCartRules)...)
	list = append(list, describe("change a cart", changeCartRules)...)
	list = append(list, describe("check out a cart", checkoutRules)...)
	list = append(list, describe("change an order", patchRules)...)
	list = append(list, describe("change nothing else of an order", keptRules)...)
	list = append(list, describe("change nothing else of an order", keptLineRules)...)
	list = append(list, describe("buy an add-on", currencyRules)...)
	list = append(list, describe("buy an add-on", addOnRules)...)
	list = append(list, describe("change the billing cycle", cycleRules)...)
	list = append(list, describe("cancel a line", cancelRules)...)
	list = append(list, describe("attach a purchase order", attachRules)...)
	list = append(list, describe("change a subscription", updateRules)...)
	list = append(list, describe("change a subscription", termRules)...)
	list = append(list, describe("change a subscription", actionRules)...)
	list = append(list, describe("change a subscription", instructionRules)...)
	list = append(list, describe("change a subscription", planRules)...)
	list = append(list, describe("register a subscription", registerRules)...)
	list = append(list, describe("activate a subscription", activateRules)...)
	list = append(list, describe("transition a subscription", transitionRules)...)
	list = append(list, describe("upgrade a subscription", upgradeRules)...)
	list = append(list, describe("convert a trial", conversionRules)...)
	list = append(list, describe("name products to upgrade", productRequestRules)...)
	list = append(list, describe("upgrade products", productUpgradeRules)...)
	list = append(list, describe("look at an upgrade of products", productStatusRules)...)
	list = append(list, describe("set a support contact", contactRules)...)
	list = append(list, describe("turn overage on or off", overageRules)...)
	list = append(list, describe("list custom term end dates", customEndRules)...)
	list = append(list, describe("look at Azure subscriptions", azureRules)...)
	list = append(list, describe("look at an Azure subscription", entitlementRules)...)
	list = append(list, describe("cancel or reactivate an Azure subscription", switchRules)...)
	for _, t := range Transitions() {
		if t.Code != "" {
			list = append(list, RuleInfo{Command: string(t.Command) + " " + t.Machine, Status: t.Status, Code: t.Code, When: "it is " + t.From})
		}
	}
	return list
}

func describe[S any](command string, rules []rule[S]) []RuleInfo {
	list := make([]RuleInfo, len(rules))
	for i, r := range rules {
		list[i] = RuleInfo{Command: command, Status: r.status, Code: r.code, When: r.when}
	}
	return list
}

// violation words the problem and the next step of a broken rule.
func violation(next, problem string, args ...any) (string, string) {
	return fmt.Sprintf(problem, args...), next
}

// require returns a violation unless ok.
func require(ok bool, next, problem string, args ...any) (string, string) {
	if ok {
		return "", ""
	}
	return violation(next, problem, args...)
}

// refuse makes the refusal of a command outside the tables of rules.
func refuse(status int, code partnercenter.ErrorCode, next, problem string, args ...any) error {
	return &Refusal{Status: status, Code: code, Problem: fmt.Sprintf(problem, args...), Next: next}
}
