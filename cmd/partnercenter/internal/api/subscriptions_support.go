package api

import (
	"context"
	"errors"
	"iter"

	"github.com/spf13/cobra"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/command"
	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/terminal"
	"github.com/partnercenter-go/partnercenter/internal/ascii"
)

// supporting are the commands about who supports a customer, and about transfers.
func supporting() []command.Form {
	var contact partnercenter.SupportContact
	set := oneSubscription("set-support", "Set who supports the customer of a subscription",
		`Set who supports the customer of a subscription: the partner, or one of its indirect
resellers. Microsoft's service requires a token with a user for it.`, " --tenant TENANT --mpn-id ID --name NAME")
	set.Flags = func(cmd *cobra.Command) {
		f := cmd.Flags()
		f.StringVar(&contact.SupportTenantID, "tenant", "", "tenant `id` of the supporter")
		f.StringVar(&contact.SupportMPNID, "mpn-id", "", "MPN `id` of the supporter")
		f.StringVar(&contact.Name, "name", "", "`name` of the supporter")
	}
	set.Check = func(*command.Call) error {
		if contact.SupportTenantID == "" || contact.SupportMPNID == "" || contact.Name == "" {
			return terminal.Usagef("--tenant, --mpn-id and --name are required")
		}
		return nil
	}
	kind := string(partnercenter.TransferTypeDirectToIndirect)
	return []command.Form{
		command.Get(oneSubscription("support-contact", "Show who supports the customer of a subscription",
			"Show who supports the customer of a subscription. Microsoft's service requires a token\nwith a user for it.", ""), contactsView, func(ctx context.Context, call *command.Call) (*partnercenter.SupportContact, error) {
			return subscription(call).SupportContact.Get(ctx)
		}),
		command.Change(set, contactsView, command.Plan{
			What: "set the support contact of a subscription", Question: "Set this support contact?",
			Describe: func(_ context.Context, call *command.Call, p *command.Plan) error {
				p.Add("subscription", call.Arg)
				p.Add("supporter", contact.Name+", MPN "+contact.SupportMPNID+", tenant "+contact.SupportTenantID)
				return nil
			},
		}, func(ctx context.Context, call *command.Call) (*partnercenter.SupportContact, error) {
			return subscription(call).SupportContact.Put(ctx, &contact)
		}),
		command.List(command.Spec{
			Use: "transferable --customer ID", Customer: true, Short: "List which subscriptions can be transferred to another partner",
			Example: "  partnercenter subscriptions transferable --customer ID",
			Flags: func(cmd *cobra.Command) {
				cmd.Flags().StringVar(&kind, "type", kind, "`type` of the transfer")
			},
		}, transferEligibilityView, func(ctx context.Context, call *command.Call) iter.Seq2[*partnercenter.TransferEligibility, error] {
			return func(yield func(*partnercenter.TransferEligibility, error) bool) {
				list, err := call.Customer.TransferEligibility.ByType(partnercenter.TransferType(kind)).Get(ctx)
				if err != nil {
					yield(nil, err)
					return
				}
				for i := range list {
					if !yield(&list[i], nil) {
						return
					}
				}
			}
		}),
	}
}

var contactsView = &terminal.View[*partnercenter.SupportContact]{
	Plural: "contacts",
	Columns: []terminal.Column[*partnercenter.SupportContact]{
		{Name: "name", Value: func(c *partnercenter.SupportContact) any { return c.Name }},
		{Name: "supportMpnId", Header: "MPN ID", Kind: terminal.ID, Value: func(c *partnercenter.SupportContact) any { return c.SupportMPNID }},
		{Name: "supportTenantId", Header: "TENANT", Kind: terminal.ID, Value: func(c *partnercenter.SupportContact) any { return c.SupportTenantID }},
	},
}

var transferEligibilityView = &terminal.View[*partnercenter.TransferEligibility]{
	Plural: "subscriptions",
	Columns: []terminal.Column[*partnercenter.TransferEligibility]{
		{Name: "subscriptionId", Kind: terminal.ID, Value: func(e *partnercenter.TransferEligibility) any { return e.ID }},
		{Name: "isEligible", Header: "POSSIBLE", Value: func(e *partnercenter.TransferEligibility) any { return e.IsEligible }},
		{Name: "reason", Value: func(e *partnercenter.TransferEligibility) any { return e.Reason }},
	},
}

// azureEntitlements are the commands about Azure subscriptions of an Azure plan.
func azureEntitlements() []command.Form {
	view := entitlementsOfAzureView
	change := func(use, short, what, question string, do func(context.Context, *partnercenter.AzureEntitlementClient) (*partnercenter.AzureEntitlement, error)) command.Form {
		var id string
		s := oneSubscription(use, short, "", "")
		s.Flags = func(cmd *cobra.Command) {
			cmd.Flags().StringVar(&id, "entitlement", "", "`id` of the Azure subscription, if the plan has several")
		}
		var chosen *partnercenter.AzureEntitlement
		return command.Change(s, view, command.Plan{What: what, Question: question, Describe: func(ctx context.Context, call *command.Call, p *command.Plan) (err error) {
			p.Add("plan", call.Arg)
			if chosen, err = chooseEntitlement(subscription(call).AzureEntitlements.All(ctx), id); err != nil {
				return err
			}
			p.Add("subscription", chosen.ID+" "+chosen.FriendlyName)
			p.Add("status now", chosen.Status)
			return nil
		}}, func(ctx context.Context, call *command.Call) (*partnercenter.AzureEntitlement, error) {
			return do(ctx, subscription(call).AzureEntitlements.ByID(chosen.ID))
		})
	}
	return []command.Form{
		command.List(oneSubscription("azure-entitlements", "List the Azure subscriptions of a subscription to Azure", "", ""), view, func(ctx context.Context, call *command.Call) iter.Seq2[*partnercenter.AzureEntitlement, error] {
			return subscription(call).AzureEntitlements.All(ctx)
		}),
		command.Get(azureEntitlementSpec(), view, func(ctx context.Context, call *command.Call) (*partnercenter.AzureEntitlement, error) {
			id, err := call.Flags.GetString("entitlement")
			if err != nil {
				return nil, err
			}
			return subscription(call).AzureEntitlements.ByID(id).Get(ctx)
		}),
		change("cancel-azure", "Cancel a compromised Azure subscription of an Azure plan", "cancel an Azure subscription as compromised", "Cancel this Azure subscription?",
			func(ctx context.Context, c *partnercenter.AzureEntitlementClient) (*partnercenter.AzureEntitlement, error) {
				return c.Cancel(ctx, &partnercenter.AzureEntitlementCancellation{CancellationReason: partnercenter.CancellationReasonCompromise})
			}),
		change("reactivate-azure", "Make a cancelled Azure subscription of an Azure plan active again", "reactivate an Azure subscription", "Reactivate this Azure subscription?",
			func(ctx context.Context, c *partnercenter.AzureEntitlementClient) (*partnercenter.AzureEntitlement, error) {
				return c.Reactivate(ctx)
			}),
	}
}

func azureEntitlementSpec() command.Spec {
	s := oneSubscription("azure-entitlement", "Show an Azure subscription of a subscription to Azure", "", " --entitlement ID")
	s.Flags = func(cmd *cobra.Command) {
		cmd.Flags().String("entitlement", "", "`id` of the Azure subscription")
	}
	s.Check = func(call *command.Call) error {
		if !call.Given("entitlement") {
			return terminal.Usagef("--entitlement is missing: give the id of the Azure subscription")
		}
		return nil
	}
	return s
}

// chooseEntitlement returns the Azure subscription with an id, or the only one.
func chooseEntitlement(list iter.Seq2[*partnercenter.AzureEntitlement, error], id string) (*partnercenter.AzureEntitlement, error) {
	var only *partnercenter.AzureEntitlement
	for e, err := range list {
		switch {
		case err != nil:
			return nil, err
		case ascii.EqualFold(e.ID, id):
			return e, nil
		case id == "" && only != nil:
			return nil, terminal.Usagef("the plan has several Azure subscriptions: give --entitlement")
		case id == "":
			only = e
		}
	}
	if only == nil {
		return nil, errors.New("the subscription has no such Azure subscription; list them with subscriptions azure-entitlements")
	}
	return only, nil
}

var entitlementsOfAzureView = &terminal.View[*partnercenter.AzureEntitlement]{
	Plural: "Azure subscriptions",
	Columns: []terminal.Column[*partnercenter.AzureEntitlement]{
		{Name: "entitlementId", Kind: terminal.ID, Value: func(e *partnercenter.AzureEntitlement) any { return e.ID }},
		{Name: "name", Value: func(e *partnercenter.AzureEntitlement) any { return e.FriendlyName }},
		{Name: "status", Kind: terminal.State, Value: func(e *partnercenter.AzureEntitlement) any { return e.Status }},
		{Name: "subscriptionId", Header: "PLAN", Kind: terminal.ID, Value: func(e *partnercenter.AzureEntitlement) any { return e.SubscriptionID }},
	},
}
