package api

import (
	"context"
	"iter"
	"strings"

	"github.com/spf13/cobra"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/command"
	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/terminal"
	"github.com/partnercenter-go/partnercenter/internal/words"
)

// overage are the commands about calls that are paid by use.
func overage() []command.Form {
	var entitlement string
	var enabled bool
	return []command.Form{
		command.List(command.Spec{
			Use: "overage --customer ID", Customer: true, Short: "List whether a customer's calls are paid by use",
			Example: "  partnercenter subscriptions overage --customer ID",
		}, overagesView, func(ctx context.Context, call *command.Call) iter.Seq2[*partnercenter.Overage, error] {
			return call.Customer.Subscriptions.Overage().All(ctx)
		}),
		command.Change(command.Spec{
			Use: "set-overage --customer ID --entitlement ID --enabled=BOOL", Customer: true, Short: "Have a customer's calls paid by use, or not",
			Long: `Have calls beyond what a customer's plans include paid by use, with an Azure
subscription of an Azure plan, or not. "subscriptions azure-entitlements" lists them.`,
			Example: "  partnercenter subscriptions set-overage --customer ID --entitlement ID --enabled",
			Flags: func(cmd *cobra.Command) {
				f := cmd.Flags()
				f.StringVar(&entitlement, "entitlement", "", "`id` of the Azure subscription that pays")
				f.BoolVar(&enabled, "enabled", false, "whether calls are paid by use")
			},
			Check: func(call *command.Call) error {
				if entitlement == "" || !call.Given("enabled") {
					return terminal.Usagef("--entitlement and --enabled are required; --enabled=false turns it off")
				}
				return nil
			},
		}, overagesView, command.Plan{
			What: "change how calls are paid", Question: "Change it?",
			Describe: func(_ context.Context, _ *command.Call, p *command.Plan) error {
				p.Add("paid by", "Azure subscription "+entitlement)
				p.Add("by use", terminal.YesNo(&enabled))
				return nil
			},
		}, func(ctx context.Context, call *command.Call) (*partnercenter.Overage, error) {
			return call.Customer.Subscriptions.Overage().Put(ctx, &partnercenter.Overage{AzureEntitlementID: entitlement, Type: partnercenter.OverageTypePhoneServices, OverageEnabled: &enabled})
		}),
	}
}

var overagesView = &terminal.View[*partnercenter.Overage]{
	Plural: "overages",
	Columns: []terminal.Column[*partnercenter.Overage]{
		{Name: "azureEntitlementId", Header: "AZURE SUBSCRIPTION", Kind: terminal.ID, Value: func(o *partnercenter.Overage) any { return o.AzureEntitlementID }},
		{Name: "type", Value: func(o *partnercenter.Overage) any { return o.Type }},
		{Name: "overageEnabled", Header: "ENABLED", Value: func(o *partnercenter.Overage) any { return o.OverageEnabled }},
		{Name: "partnerId", Header: "PARTNER", Kind: terminal.ID, Value: func(o *partnercenter.Overage) any { return o.PartnerID }},
	},
}

// entitlements is the command that lists what a customer owns.
func entitlements() command.Form {
	var kind string
	types := words.Texts(partnercenter.EntitlementTypes())
	return command.List(command.Spec{
		Use: "entitlements CUSTOMER", Arg: "customer", CustomerArg: true, Short: "List the software and reservations that a customer owns",
		Example: "  partnercenter customers entitlements CUSTOMER --type software",
		Flags: func(cmd *cobra.Command) {
			cmd.Flags().StringVar(&kind, "type", "", "only those of this `type`: "+words.Or(types))
			terminal.Choices(cmd, "type", types...)
		},
		Check: func(*command.Call) error {
			if kind == "" {
				return nil
			}
			return terminal.OneOf("type", kind, types...)
		},
	}, entitlementsView, func(ctx context.Context, call *command.Call) iter.Seq2[*partnercenter.Entitlement, error] {
		if kind != "" {
			return call.Customer.Entitlements.ByType(partnercenter.EntitlementType(kind)).All(ctx, partnercenter.ShowExpiry())
		}
		return call.Customer.Entitlements.All(ctx, partnercenter.ShowExpiry())
	})
}

var entitlementsView = &terminal.View[*partnercenter.Entitlement]{
	Plural: "entitlements",
	Columns: []terminal.Column[*partnercenter.Entitlement]{
		{Name: "orderId", Kind: terminal.ID, Value: func(e *partnercenter.Entitlement) any { return terminal.OrZero(e.ReferenceOrder).ID }},
		{Name: "line", Value: func(e *partnercenter.Entitlement) any { return terminal.OrZero(e.ReferenceOrder).LineItemID }},
		{Name: "item", Kind: terminal.ID, Value: func(e *partnercenter.Entitlement) any {
			return strings.Trim(e.ProductID+":"+e.SKUID, ":")
		}},
		{Name: "quantity", Value: func(e *partnercenter.Entitlement) any { return e.Quantity }},
		{Name: "entitlementType", Header: "TYPE", Kind: terminal.State, Value: func(e *partnercenter.Entitlement) any { return e.EntitlementType }},
		{Name: "expiryDate", Header: "EXPIRES", Value: func(e *partnercenter.Entitlement) any { return e.ExpiryDate }},
	},
}
