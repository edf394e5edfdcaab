package api

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/command"
	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/terminal"
	"github.com/partnercenter-go/partnercenter/internal/ascii"
	"github.com/partnercenter-go/partnercenter/internal/words"
)

// movingSeats are the commands that make other subscriptions of a subscription.
func movingSeats() []command.Form {
	scheduled := false
	eligible := oneSubscription("eligibilities", "List what a subscription in new commerce can become",
		"List the catalog items that seats of a subscription in new commerce can move to, with\nthe reasons where they cannot.", "")
	eligible.Flags = func(cmd *cobra.Command) {
		cmd.Flags().BoolVar(&scheduled, "scheduled", false, "what it can become when its term ends, instead of now")
	}
	return []command.Form{
		command.List(eligible, eligibilitiesView, func(ctx context.Context, call *command.Call) iter.Seq2[*partnercenter.TransitionEligibility, error] {
			if scheduled {
				return subscription(call).TransitionEligibilities.ByType(partnercenter.EligibilityTypeScheduled).All(ctx)
			}
			return subscription(call).TransitionEligibilities.All(ctx)
		}),
		command.List(oneSubscription("transitions", "List the transitions of a subscription in new commerce",
			"List what seats of a subscription have moved to, and how far that is.", ""), transitionsView, func(ctx context.Context, call *command.Call) iter.Seq2[*partnercenter.Transition, error] {
			return subscription(call).Transitions.All(ctx)
		}),
		subscriptionsTransition(),
		command.List(oneSubscription("upgrades", "List what a subscription to a legacy offer can be upgraded to", "", ""), upgradesView, func(ctx context.Context, call *command.Call) iter.Seq2[*partnercenter.Upgrade, error] {
			return subscription(call).Upgrades.All(ctx)
		}),
		subscriptionsUpgrade(),
		command.List(oneSubscription("conversions", "List what a trial of a legacy offer can become",
			"List what a trial of a legacy offer can become. Microsoft's service requires a token with\na user for it.", ""), conversionsView, func(ctx context.Context, call *command.Call) iter.Seq2[*partnercenter.Conversion, error] {
			return subscription(call).Conversions.All(ctx)
		}),
		subscriptionsConvert(),
	}
}

// describeSource adds the subscription whose seats are to move to the plan, and returns
// it.
func describeSource(ctx context.Context, call *command.Call, p *command.Plan) (*partnercenter.Subscription, error) {
	now, err := subscription(call).Get(ctx)
	if err != nil {
		return nil, err
	}
	p.Add("subscription", fmt.Sprintf("%s %s", now.ID, subscriptionName(now)))
	p.Add("seats now", terminal.Number(now.Quantity))
	return now, nil
}

// describeSeatsLeft says what is left of a subscription that seats move away from.
func describeSeatsLeft(p *command.Plan, now *partnercenter.Subscription, n int) {
	if left := now.GetQuantity() - n; left > 0 {
		p.Add("stay", fmt.Sprint(left))
	} else {
		p.Add("ends", "this subscription, because all its seats move")
	}
}

// because joins the reasons why something is not possible.
func because(list []partnercenter.TransitionError) string {
	var texts []string
	for _, e := range list {
		texts = append(texts, strings.TrimSuffix(e.Description, "."))
	}
	return strings.Join(texts, "; ")
}

func subscriptionsTransition() command.Form {
	var t partnercenter.Transition
	var quantity int
	var cycle string
	var attested bool
	return command.Change(command.Spec{
		Use: "transition SUBSCRIPTION --customer ID --to ITEM --quantity N", Arg: "subscription id", Customer: true,
		Short: "Move seats of a subscription in new commerce to another catalog item",
		Long: `Move seats of a subscription in new commerce to another catalog item: into a new
subscription, for which an order is placed, or into one that is there. Without any seats
left, the subscription ends. "subscriptions eligibilities" lists what is possible.`,
		Example: `  partnercenter subscriptions transition SUBSCRIPTION --customer ID --to CFQ7TTC0LFLZ:0002:CFQ7TTC0K7TR --quantity 5
  partnercenter subscriptions transition SUBSCRIPTION --customer ID --to ITEM --quantity 5 --into OTHER --yes`,
		Flags: func(cmd *cobra.Command) {
			f := cmd.Flags()
			f.StringVar(&t.ToCatalogItemID, "to", "", "the catalog `item` that the seats are to be of: product:sku:availability")
			f.IntVar(&quantity, "quantity", 0, "`number` of seats to move")
			f.StringVar(&t.ToSubscriptionID, "into", "", "move them into the subscription with this `id`, instead of a new one")
			f.StringVar(&t.TermDuration, "term", "", "`term` of a new subscription: P1M, P1Y or P3Y (default: the current one)")
			f.StringVar(&cycle, "billing-cycle", "", "billing `cycle` of a new subscription (default: the current one)")
			f.BoolVar(&attested, "attestation-accepted", false, "the customer has attested what the item asks for")
		},
		Exclusive: [][]string{{"into", "term"}, {"into", "billing-cycle"}},
		Check: func(call *command.Call) error {
			switch {
			case t.ToCatalogItemID == "":
				return terminal.Usagef("--to is missing: give the catalog item that the seats are to be of")
			case quantity < 1:
				return terminal.Usagef("--quantity %d: give the number of seats to move, 1 or more", quantity)
			}
			t.Quantity, t.BillingCycle, t.TransitionType = &quantity, partnercenter.BillingCycleType(cycle), partnercenter.TransitionTypeOnly
			if attested {
				t.AttestationAccepted = &attested
			}
			return nil
		},
	}, transitionsView, command.Plan{
		What: "move seats of a subscription", Question: "Move these seats?",
		Describe: func(ctx context.Context, call *command.Call, p *command.Plan) error {
			now, err := describeSource(ctx, call, p)
			if err != nil {
				return err
			}
			p.Add("into", t.ToSubscriptionID)
			describeSeatsLeft(p, now, quantity)
			moved := t
			if !call.DryRun {
				addTerm(ctx, call, &moved, now)
			}
			return describeMove(ctx, call, p, t.ToCatalogItemID, quantity, moved.TermDuration, moved.BillingCycle)
		},
	}, func(ctx context.Context, call *command.Call) (*partnercenter.Transition, error) {
		return subscription(call).Transitions.Create(ctx, &t)
	})
}

// addTerm sets the term and billing cycle that seats get, as far as they are known. What a
// transition leaves out is that of the subscription that they move into, or else of the one
// that they leave, if the item is sold for it and that is no trial.
func addTerm(ctx context.Context, call *command.Call, t *partnercenter.Transition, now *partnercenter.Subscription) {
	if t.ToSubscriptionID != "" {
		if into, err := call.Customer.Subscriptions.ByID(t.ToSubscriptionID).Get(ctx); err == nil {
			t.TermDuration, t.BillingCycle = into.TermDuration, into.BillingCycle
		}
		return // or else the service decides
	}
	term, cycle := cmp.Or(t.TermDuration, now.TermDuration), cmp.Or(t.BillingCycle, now.BillingCycle)
	found, err := lookUp(ctx, call, t.ToCatalogItemID)
	if err == nil && found.availability != nil && !terminal.OrZero(now.IsTrial) && len(found.terms(&term, cycle)) > 0 {
		t.TermDuration, t.BillingCycle = term, cycle
	}
}

// describeMove says what seats become. An empty cycle is not known.
func describeMove(ctx context.Context, call *command.Call, p *command.Plan, item string, quantity int, term string, cycle partnercenter.BillingCycleType) error {
	p.Add("billed", string(cycle.Normalize()))
	line := partnercenter.OrderLineItem{OfferID: item, Quantity: &quantity}
	if term != "" {
		line.TermDuration = &term
	}
	return describePurchase(ctx, call, p, &partnercenter.Order{BillingCycle: cycle, LineItems: []partnercenter.OrderLineItem{line}})
}

func subscriptionsUpgrade() command.Form {
	var to string
	var upgrade *partnercenter.Upgrade
	return command.Change(command.Spec{
		Use: "upgrade SUBSCRIPTION --customer ID [--to OFFER]", Arg: "subscription id", Customer: true,
		Short: "Upgrade a subscription to a legacy offer",
		Long: `Upgrade a subscription to a legacy offer. It ends, and a new one to the other offer has
its seats. "subscriptions upgrades" lists what is possible; --to can be left out if that
is one offer.`,
		Example: `  partnercenter subscriptions upgrade SUBSCRIPTION --customer ID --to 796B6B5F-613C-4E24-A17C-EBA730D49C02`,
		Flags: func(cmd *cobra.Command) {
			cmd.Flags().StringVar(&to, "to", "", "the `offer` to upgrade to")
		},
	}, upgradeResultsView, command.Plan{
		What: "upgrade a subscription", Question: "Upgrade this subscription?",
		Describe: func(ctx context.Context, call *command.Call, p *command.Plan) error {
			now, err := describeSource(ctx, call, p)
			if err != nil {
				return err
			}
			if upgrade, err = choose(subscription(call).Upgrades.All(ctx), to, noUpgrade, func(u *partnercenter.Upgrade) string { return terminal.OrZero(u.TargetOffer).ID }); err != nil {
				return err
			}
			if !terminal.OrZero(upgrade.IsEligible) {
				return fmt.Errorf("the subscription cannot be upgraded for now: %s; correct that, and try again", because(upgrade.UpgradeErrors))
			}
			describeSeatsLeft(p, now, now.GetQuantity())
			cycle := now.BillingCycle.Normalize()
			if sold := upgrade.TargetOffer.SupportedBillingCycles; !slices.Contains(sold, cycle) {
				cycle = "" // the service decides
			}
			return describeMove(ctx, call, p, upgrade.TargetOffer.ID, now.GetQuantity(), "", cycle)
		},
	}, func(ctx context.Context, call *command.Call) (*partnercenter.UpgradeResult, error) {
		result, err := subscription(call).Upgrades.Create(ctx, upgrade)
		if err == nil && len(result.UpgradeErrors) > 0 {
			return nil, fmt.Errorf("the subscription was not upgraded: %s; correct that, and try again", because(result.UpgradeErrors))
		}
		return result, err
	})
}

func subscriptionsConvert() command.Form {
	var to, cycle string
	var quantity int
	var conversion *partnercenter.Conversion
	return command.Change(command.Spec{
		Use: "convert SUBSCRIPTION --customer ID [--to OFFER]", Arg: "subscription id", Customer: true,
		Short: "Make a paid subscription of a trial of a legacy offer",
		Long: `Make a paid subscription of a trial of a legacy offer. It keeps its id. "subscriptions
conversions" lists what is possible; --to can be left out if that is one offer. A trial in
new commerce becomes another subscription, with "subscriptions transition".

Microsoft's service requires a token with a user for it.`,
		Example: `  partnercenter subscriptions convert SUBSCRIPTION --customer ID --quantity 10 --billing-cycle annual`,
		Flags: func(cmd *cobra.Command) {
			f := cmd.Flags()
			f.StringVar(&to, "to", "", "the `offer` that it is to become")
			f.IntVar(&quantity, "quantity", 0, "`number` of licences to pay for (default: the trial's)")
			f.StringVar(&cycle, "billing-cycle", "", "billing `cycle` (default: the first of the offer)")
		},
		Check: func(call *command.Call) error {
			if call.Given("quantity") && quantity < 1 {
				return terminal.Usagef("--quantity %d: use 1 or more", quantity)
			}
			return nil
		},
	}, conversionResultsView, command.Plan{
		What: "convert a trial", Question: "Convert this trial?",
		Describe: func(ctx context.Context, call *command.Call, p *command.Plan) error {
			_, err := describeSource(ctx, call, p)
			if err != nil {
				return err
			}
			if conversion, err = choose(subscription(call).Conversions.All(ctx), to, noConversion, func(c *partnercenter.Conversion) string { return c.TargetOfferID }); err != nil {
				return err
			}
			if quantity > 0 {
				conversion.Quantity = &quantity
			}
			if cycle != "" {
				conversion.BillingCycle = partnercenter.BillingCycleType(cycle)
			}
			return describeMove(ctx, call, p, conversion.TargetOfferID, conversion.GetQuantity(), "", conversion.BillingCycle)
		},
	}, func(ctx context.Context, call *command.Call) (*partnercenter.ConversionResult, error) {
		result, err := subscription(call).Conversions.Create(ctx, conversion)
		if err == nil && result.Error != nil {
			return nil, fmt.Errorf("the trial was not converted: %s; correct that, and try again", because([]partnercenter.TransitionError{*result.Error}))
		}
		return result, err
	})
}

// What is said if there is nothing to choose from.
const (
	noUpgrade    = "there is no offer that the subscription can be upgraded to; \"subscriptions get\" shows whether it was upgraded before, and \"subscriptions eligibilities\" lists what one in new commerce can become"
	noConversion = "the subscription is no trial of a legacy offer, or is no longer one; \"subscriptions get\" shows what it is, and \"subscriptions eligibilities\" lists what one in new commerce can become"
)

// choose returns the one of a list that has an id, or the only one.
func choose[T any](list iter.Seq2[*T, error], wanted, nothing string, id func(*T) string) (*T, error) {
	var all []*T
	var ids []string
	for item, err := range list {
		if err != nil {
			return nil, err
		}
		all, ids = append(all, item), append(ids, id(item))
		if ascii.EqualFold(id(item), wanted) {
			return item, nil
		}
	}
	switch {
	case len(all) == 0:
		return nil, errors.New(nothing)
	case wanted != "":
		return nil, terminal.Usagef("--to %s is not possible: use %s", wanted, words.Or(ids))
	case len(all) > 1:
		return nil, terminal.Usagef("there is more than one: give --to %s", words.Or(ids))
	}
	return all[0], nil
}

var eligibilitiesView = &terminal.View[*partnercenter.TransitionEligibility]{
	Plural: "items",
	Columns: []terminal.Column[*partnercenter.TransitionEligibility]{
		{Name: "catalogItemId", Kind: terminal.ID, Value: func(e *partnercenter.TransitionEligibility) any { return e.CatalogItemID }},
		{Name: "title", Value: func(e *partnercenter.TransitionEligibility) any { return e.Title }},
		{Name: "quantity", Value: func(e *partnercenter.TransitionEligibility) any { return e.Quantity }},
		{Name: "possible", Kind: terminal.State, Value: func(e *partnercenter.TransitionEligibility) any {
			if len(e.Eligibilities) == 0 {
				return ""
			}
			if first := e.Eligibilities[0]; !terminal.OrZero(first.IsEligible) {
				return "no: " + because(first.Errors)
			}
			return "yes"
		}},
		{Name: "into", Header: "INTO", Shown: terminal.OnlyWide, Value: func(e *partnercenter.TransitionEligibility) any {
			var ids []string
			for _, s := range e.SubscriptionEligibilities {
				if terminal.OrZero(s.IsEligible) {
					ids = append(ids, s.SubscriptionID)
				}
			}
			return strings.Join(ids, " ")
		}},
	},
}

var transitionsView = &terminal.View[*partnercenter.Transition]{
	Plural: "transitions",
	Columns: []terminal.Column[*partnercenter.Transition]{
		{Name: "operationId", Kind: terminal.ID, Value: func(t *partnercenter.Transition) any { return t.OperationID }},
		{Name: "quantity", Value: func(t *partnercenter.Transition) any { return t.Quantity }},
		{Name: "toCatalogItemId", Header: "TO ITEM", Kind: terminal.ID, Value: func(t *partnercenter.Transition) any { return t.ToCatalogItemID }},
		{Name: "toSubscriptionId", Header: "TO SUBSCRIPTION", Kind: terminal.ID, Value: func(t *partnercenter.Transition) any { return t.ToSubscriptionID }},
		{Name: "state", Kind: terminal.State, Value: func(t *partnercenter.Transition) any {
			if len(t.Events) == 0 {
				return ""
			}
			return t.Events[len(t.Events)-1].Status
		}},
		{Name: "termDuration", Header: "TERM", Shown: terminal.OnlyWide, Value: func(t *partnercenter.Transition) any { return t.TermDuration }},
		{Name: "billingCycle", Header: "BILLING", Shown: terminal.OnlyWide, Kind: terminal.State, Value: func(t *partnercenter.Transition) any { return t.BillingCycle }},
		{Name: "fromCatalogItemId", Shown: terminal.Hidden, Kind: terminal.ID, Value: func(t *partnercenter.Transition) any { return t.FromCatalogItemID }},
		{Name: "fromSubscriptionId", Shown: terminal.Hidden, Kind: terminal.ID, Value: func(t *partnercenter.Transition) any { return t.FromSubscriptionID }},
	},
}

var upgradesView = &terminal.View[*partnercenter.Upgrade]{
	Plural: "upgrades",
	Columns: []terminal.Column[*partnercenter.Upgrade]{
		{Name: "offerId", Kind: terminal.ID, Value: func(u *partnercenter.Upgrade) any { return terminal.OrZero(u.TargetOffer).ID }},
		{Name: "name", Value: func(u *partnercenter.Upgrade) any { return terminal.OrZero(u.TargetOffer).Name }},
		{Name: "quantity", Value: func(u *partnercenter.Upgrade) any { return u.Quantity }},
		{Name: "possible", Kind: terminal.State, Value: func(u *partnercenter.Upgrade) any {
			if !terminal.OrZero(u.IsEligible) {
				return "no: " + because(u.UpgradeErrors)
			}
			return "yes"
		}},
	},
}

var upgradeResultsView = &terminal.View[*partnercenter.UpgradeResult]{
	Plural: "results",
	Columns: []terminal.Column[*partnercenter.UpgradeResult]{
		{Name: "sourceSubscriptionId", Header: "FROM", Kind: terminal.ID, Value: func(r *partnercenter.UpgradeResult) any { return r.SourceSubscriptionID }},
		{Name: "targetSubscriptionId", Header: "TO", Kind: terminal.ID, Value: func(r *partnercenter.UpgradeResult) any { return r.TargetSubscriptionID }},
	},
}

var conversionsView = &terminal.View[*partnercenter.Conversion]{
	Plural: "conversions",
	Columns: []terminal.Column[*partnercenter.Conversion]{
		{Name: "targetOfferId", Header: "TO OFFER", Kind: terminal.ID, Value: func(c *partnercenter.Conversion) any { return c.TargetOfferID }},
		{Name: "quantity", Value: func(c *partnercenter.Conversion) any { return c.Quantity }},
		{Name: "billingCycle", Header: "BILLING", Kind: terminal.State, Value: func(c *partnercenter.Conversion) any { return c.BillingCycle }},
		{Name: "offerId", Shown: terminal.Hidden, Kind: terminal.ID, Value: func(c *partnercenter.Conversion) any { return c.OfferID }},
		{Name: "orderId", Shown: terminal.Hidden, Kind: terminal.ID, Value: func(c *partnercenter.Conversion) any { return c.OrderID }},
	},
}

var conversionResultsView = &terminal.View[*partnercenter.ConversionResult]{
	Plural: "results",
	Columns: []terminal.Column[*partnercenter.ConversionResult]{
		{Name: "subscriptionId", Kind: terminal.ID, Value: func(r *partnercenter.ConversionResult) any { return r.SubscriptionID }},
		{Name: "targetOfferId", Header: "IS NOW", Kind: terminal.ID, Value: func(r *partnercenter.ConversionResult) any { return r.TargetOfferID }},
	},
}
