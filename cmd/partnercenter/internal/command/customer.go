package command

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/text/unicode/norm"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/connect"
	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/terminal"
	"github.com/partnercenter-go/partnercenter/internal/caseless"
	"github.com/partnercenter-go/partnercenter/internal/guid"
	"github.com/partnercenter-go/partnercenter/internal/suggest"
)

// resolveCustomer returns the customer with a name or a domain. An id costs no request,
// and returns only that.
func resolveCustomer(ctx context.Context, client *partnercenter.Client, given string) (*partnercenter.Customer, error) {
	if given == "" || guid.Is(given) {
		return &partnercenter.Customer{ID: given}, nil
	}
	name := folded(given)
	var found []*partnercenter.Customer
	for _, field := range []partnercenter.CustomerSearchField{partnercenter.CustomerSearchFieldDomain, partnercenter.CustomerSearchFieldCompanyName} {
		for c, err := range searchCustomers(ctx, client, field, given) {
			if err != nil {
				return nil, err
			}
			if isNamed(c, name) && !slices.ContainsFunc(found, func(known *partnercenter.Customer) bool { return known.ID == c.ID }) {
				found = append(found, c)
			}
		}
	}
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		return nil, cmp.Or(noCustomer(ctx, client, given), error(&unknownCustomer{name: given}))
	}
	var ids []string
	for _, c := range found {
		ids = append(ids, c.ID+" ("+terminal.OrZero(c.CompanyProfile).Domain+")")
	}
	return nil, terminal.Usagef("%d customers are named %q: give the id of one of %s", len(found), given, strings.Join(ids, ", "))
}

// searchCustomers yields the customers whose field starts with text. Names are compared
// by the service in the form that it stores; both forms of accents are tried.
func searchCustomers(ctx context.Context, client *partnercenter.Client, field partnercenter.CustomerSearchField, text string) func(func(*partnercenter.Customer, error) bool) {
	return client.Customers.QueryAll(ctx, partnercenter.CustomersQuery{Filter: &partnercenter.FieldFilter{
		Field: field, Value: norm.NFC.String(text), Operator: partnercenter.FilterOperatorStartsWith,
	}})
}

// folded returns text as names are compared.
func folded(text string) string { return caseless.Key(strings.TrimSpace(text)) }

// isNamed reports whether a customer has a name or a domain, which is folded.
func isNamed(c *partnercenter.Customer, name string) bool {
	company := terminal.OrZero(c.CompanyProfile)
	return folded(company.CompanyName) == name || folded(company.Domain) == name
}

// noCustomer returns the error for a name or an id that no customer has, with near ones,
// or nil if there is a customer with the id.
func noCustomer(ctx context.Context, client *partnercenter.Client, name string) error {
	e := &unknownCustomer{name: name}
	whole := folded(name)
	wanted := strings.Trim(strings.TrimRight(whole, "…."), "{}") // tables shorten ids
	var names []string
	labels := map[string]string{}
	for c, err := range client.Customers.All(ctx) {
		if err != nil {
			return err
		}
		company := terminal.OrZero(c.CompanyProfile)
		label := fmt.Sprintf("%s (%s)", company.CompanyName, c.ID)
		id := folded(c.ID)
		if id == whole {
			return nil
		}
		if len(e.near) < maxNear && (strings.Contains(folded(company.CompanyName+" "+company.Domain), wanted) || strings.HasPrefix(id, wanted)) {
			e.near = append(e.near, label)
		}
		for _, text := range append(beginnings(folded(company.CompanyName)), folded(company.Domain), id) {
			names, labels[text] = append(names, text), label
		}
	}
	if closest := suggest.Closest(wanted, names); closest != "" && len(e.near) == 0 {
		e.near = []string{labels[closest]}
	}
	return e
}

// beginnings returns the first word of a name, the first two, and so on: people often do
// not write all of a name.
func beginnings(name string) (all []string) {
	for i, r := range name {
		if r == ' ' {
			all = append(all, name[:i])
		}
	}
	return append(all, name)
}

// maxNear is the number of near names that an error has.
const maxNear = 5

// unknownCustomer is the error for a customer who does not exist.
type unknownCustomer struct {
	name string
	near []string
	err  error // the service's refusal of an id
}

func (e *unknownCustomer) Unwrap() error { return e.err }

func (e *unknownCustomer) Error() string {
	if guid.Is(e.name) {
		return "the partner has no customer with the id " + e.name
	}
	return fmt.Sprintf("the partner has no customer with the name or domain %q", e.name)
}

// Explain describes the error for the user.
func (e *unknownCustomer) Explain(now time.Time) terminal.Explanation {
	x := terminal.Explanation{What: e.Error(), Code: terminal.ExitNotFound, Next: "List the customers: partnercenter customers list"}
	if e.err != nil {
		x.Details = terminal.Explain(e.err, now).Details
	}
	if len(e.near) > 0 {
		x.Next = "Did you mean " + strings.Join(e.near, " or ") + "?"
	}
	return x
}

// completionTime is how long completion waits for the service.
const completionTime = 3 * time.Second

// completeCustomer completes the id, name or domain of a customer from the service.
func completeCustomer(c *connect.Connection) cobra.CompletionFunc {
	return func(cmd *cobra.Command, _ []string, start string) ([]cobra.Completion, cobra.ShellCompDirective) {
		ctx, cancel := context.WithTimeout(cmd.Context(), completionTime)
		defer cancel()
		client, err := c.Client(true)
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		var all []*partnercenter.Customer
		for customer, err := range client.Customers.All(ctx) {
			if err != nil {
				break
			}
			all = append(all, customer)
		}
		return customerCompletions(all, start), cobra.ShellCompDirectiveNoFileComp
	}
}

// customerCompletions returns for each customer the first of its name, its domain and its
// id that begins with start, that no other customer has, and that shells hand on as it is.
func customerCompletions(all []*partnercenter.Customer, start string) (found []cobra.Completion) {
	start = folded(start)
	named := map[string]int{}
	for _, customer := range all {
		company := terminal.OrZero(customer.CompanyProfile)
		name, domain := folded(company.CompanyName), folded(company.Domain)
		if named[name]++; domain != name {
			named[domain]++
		}
	}
	for _, customer := range all {
		company := terminal.OrZero(customer.CompanyProfile)
		for _, text := range []string{company.CompanyName, company.Domain, customer.ID} {
			if text == "" || !strings.HasPrefix(folded(text), start) || named[folded(text)] > 1 || !survivesShells(text) {
				continue
			}
			found = append(found, cobra.CompletionWithDesc(text, terminal.Sanitize(cmp.Or(company.CompanyName, customer.ID))))
			break
		}
	}
	return found
}

// survivesShells reports whether text comes back from a completion unchanged: cobra trims
// it, and scripts of shells take backslashes away.
func survivesShells(text string) bool {
	return text == strings.TrimSpace(text) && !strings.Contains(text, `\`) && text == terminal.Sanitize(text)
}
