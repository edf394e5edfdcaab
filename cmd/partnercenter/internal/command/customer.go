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

// resolveCustomer replaces the name or the domain of a customer with its id. An id costs
// no request.
func resolveCustomer(ctx context.Context, client *partnercenter.Client, given *string) error {
	if *given == "" || guid.Is(*given) {
		return nil
	}
	var found []*partnercenter.Customer
	for _, field := range []partnercenter.CustomerSearchField{partnercenter.CustomerSearchFieldDomain, partnercenter.CustomerSearchFieldCompanyName} {
		for c, err := range searchCustomers(ctx, client, field, *given) {
			if err != nil {
				return err
			}
			if isNamed(c, *given) && !slices.ContainsFunc(found, func(known *partnercenter.Customer) bool { return known.ID == c.ID }) {
				found = append(found, c)
			}
		}
	}
	switch len(found) {
	case 1:
		*given = found[0].ID
		return nil
	case 0:
		return noCustomer(ctx, client, *given)
	}
	var ids []string
	for _, c := range found {
		ids = append(ids, c.ID+" ("+terminal.OrZero(c.CompanyProfile).Domain+")")
	}
	return terminal.Usagef("%d customers are named %q: give the id of one of %s", len(found), *given, strings.Join(ids, ", "))
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

func isNamed(c *partnercenter.Customer, name string) bool {
	company := terminal.OrZero(c.CompanyProfile)
	return folded(company.CompanyName) == folded(name) || folded(company.Domain) == folded(name)
}

// noCustomer returns the error for a name that no customer has, with near ones.
func noCustomer(ctx context.Context, client *partnercenter.Client, name string) error {
	e := &unknownCustomer{name: name}
	var names []string
	for c, err := range client.Customers.All(ctx) {
		if err != nil {
			return err
		}
		company := terminal.OrZero(c.CompanyProfile)
		if len(e.near) < maxNear && strings.Contains(folded(company.CompanyName+" "+company.Domain), folded(name)) {
			e.near = append(e.near, fmt.Sprintf("%s (%s)", company.CompanyName, c.ID))
		}
		names = append(names, company.CompanyName, company.Domain)
	}
	if closest := suggest.Closest(name, names); closest != "" && len(e.near) == 0 {
		e.near = []string{closest}
	}
	return e
}

// maxNear is the number of near names that an error has.
const maxNear = 5

// unknownCustomer is the error for a customer who does not exist.
type unknownCustomer struct {
	name string
	near []string
}

func (e *unknownCustomer) Error() string {
	return fmt.Sprintf("the partner has no customer with the name or domain %q", e.name)
}

// Explain describes the error for the user.
func (e *unknownCustomer) Explain(time.Time) terminal.Explanation {
	x := terminal.Explanation{What: e.Error(), Code: terminal.ExitNotFound, Next: "List the customers: partnercenter customers list"}
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
		var found []cobra.Completion
		for customer, err := range client.Customers.All(ctx) {
			if err != nil {
				break
			}
			company := terminal.OrZero(customer.CompanyProfile)
			for _, text := range []string{company.CompanyName, company.Domain, customer.ID} {
				if text != "" && strings.HasPrefix(folded(text), folded(start)) {
					found = append(found, cobra.CompletionWithDesc(terminal.Sanitize(text), terminal.Sanitize(cmp.Or(company.CompanyName, customer.ID))))
					break
				}
			}
		}
		return found, cobra.ShellCompDirectiveNoFileComp
	}
}
