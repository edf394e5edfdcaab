package api

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/command"
	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/terminal"
	"github.com/partnercenter-go/partnercenter/internal/ascii"
)

// upgradeOf is the request about upgrading the products of the customer given as argument.
func upgradeOf(call *command.Call) *partnercenter.ProductUpgradeRequest {
	return &partnercenter.ProductUpgradeRequest{CustomerID: call.CustomerID, ProductFamily: partnercenter.ProductFamilyAzure}
}

// productUpgrades are the commands that make an Azure plan of legacy Azure subscriptions.
func productUpgrades() []command.Form {
	var upgrade string
	return []command.Form{
		command.Get(command.Spec{
			Use: "upgrade-eligibility CUSTOMER", Arg: "customer", CustomerArg: true, Short: "Ask whether a customer's legacy Azure can become an Azure plan",
			Long:    "Ask whether a customer's legacy Azure subscriptions can become an Azure plan, and if\nnot, why. It requires a token with a user.",
			Example: "  partnercenter customers upgrade-eligibility CUSTOMER",
		}, upgradeEligibilityView, func(ctx context.Context, call *command.Call) (*partnercenter.ProductUpgradesEligibility, error) {
			return call.Client.ProductUpgrades.CheckEligibility(ctx, upgradeOf(call))
		}),
		command.Change(command.Spec{
			Use: "upgrade-azure CUSTOMER", Arg: "customer", CustomerArg: true, Short: "Make an Azure plan of a customer's legacy Azure subscriptions",
			Long: `Make an Azure plan of a customer's legacy Azure subscriptions: the plan is ordered,
their Azure subscriptions move to it, and they end. It can take some time, which
"customers upgrade-status" follows. It requires a token with a user.`,
			Example: "  partnercenter customers upgrade-azure CUSTOMER",
		}, upgradeStatusView, command.Plan{
			What: "upgrade Azure subscriptions", Question: "Upgrade them?", Describe: describeUpgrade,
		}, func(ctx context.Context, call *command.Call) (*partnercenter.ProductUpgradesStatus, error) {
			id, err := call.Client.ProductUpgrades.Create(ctx, upgradeOf(call))
			if err != nil {
				return nil, err
			}
			status, err := call.Client.ProductUpgrades.ByID(id).CheckStatus(partnercenter.WithRequestID(ctx, partnercenter.NewRequestID()), upgradeOf(call))
			if err != nil { // the upgrade was made nevertheless
				return &partnercenter.ProductUpgradesStatus{ID: id, ProductFamily: partnercenter.ProductFamilyAzure}, nil //nolint:nilerr // see above
			}
			return status, nil
		}),
		command.Get(command.Spec{
			Use: "upgrade-status CUSTOMER --upgrade ID", Arg: "customer", CustomerArg: true, Short: "Show how far an upgrade to an Azure plan is",
			Example: "  partnercenter customers upgrade-status CUSTOMER --upgrade ID",
			Flags:   func(cmd *cobra.Command) { cmd.Flags().StringVar(&upgrade, "upgrade", "", "`id` of the upgrade") },
			Check: func(*command.Call) error {
				if upgrade == "" {
					return terminal.Usagef("--upgrade is missing: give the id that upgrade-azure printed; upgrade-eligibility has it, too")
				}
				return nil
			},
		}, upgradeStatusView, func(ctx context.Context, call *command.Call) (*partnercenter.ProductUpgradesStatus, error) {
			return call.Client.ProductUpgrades.ByID(upgrade).CheckStatus(ctx, upgradeOf(call))
		}),
	}
}

func describeUpgrade(ctx context.Context, call *command.Call, p *command.Plan) error {
	possible, err := call.Client.ProductUpgrades.CheckEligibility(command.Question(ctx), upgradeOf(call))
	if err != nil {
		return err
	}
	if !terminal.OrZero(possible.IsEligible) {
		return fmt.Errorf("the customer's Azure subscriptions cannot be upgraded: %s", possible.Reason)
	}
	for s, err := range call.Customer.Subscriptions.All(ctx) {
		switch {
		case err != nil:
			return err
		case strings.HasPrefix(ascii.ToUpper(s.OfferID), "MS-AZR-") && s.Status.Normalize() == partnercenter.SubscriptionStatusActive:
			p.Add("ends", s.ID+" "+subscriptionName(s))
		}
	}
	p.Add("order", "1 × an Azure plan, which has their Azure subscriptions")
	p.Add("price", "by use")
	p.Add("take back", "not possible")
	return nil
}

var upgradeEligibilityView = &terminal.View[*partnercenter.ProductUpgradesEligibility]{
	Plural: "customers",
	Columns: []terminal.Column[*partnercenter.ProductUpgradesEligibility]{
		{Name: "customerId", Kind: terminal.ID, Value: func(e *partnercenter.ProductUpgradesEligibility) any { return e.CustomerID }},
		{Name: "productFamily", Header: "FAMILY", Value: func(e *partnercenter.ProductUpgradesEligibility) any { return e.ProductFamily }},
		{Name: "isEligible", Header: "POSSIBLE", Value: func(e *partnercenter.ProductUpgradesEligibility) any { return e.IsEligible }},
		{Name: "upgradeId", Header: "UPGRADE", Kind: terminal.ID, Value: func(e *partnercenter.ProductUpgradesEligibility) any { return e.UpgradeID }},
		{Name: "reason", Value: func(e *partnercenter.ProductUpgradesEligibility) any { return e.Reason }},
	},
}

var upgradeStatusView = &terminal.View[*partnercenter.ProductUpgradesStatus]{
	Plural: "upgrades",
	Columns: []terminal.Column[*partnercenter.ProductUpgradesStatus]{
		{Name: "id", Kind: terminal.ID, Value: func(s *partnercenter.ProductUpgradesStatus) any { return s.ID }},
		{Name: "productFamily", Header: "FAMILY", Value: func(s *partnercenter.ProductUpgradesStatus) any { return s.ProductFamily }},
		{Name: "status", Kind: terminal.State, Value: func(s *partnercenter.ProductUpgradesStatus) any { return s.Status }},
		{Name: "products", Value: func(s *partnercenter.ProductUpgradesStatus) any { return len(s.LineItems) }},
	},
}
