package api

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/command"
	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/terminal"
	"github.com/partnercenter-go/partnercenter/internal/ascii"
	"github.com/partnercenter-go/partnercenter/internal/words"
)

// Subscriptions returns the commands about subscriptions.
func Subscriptions(term *terminal.Terminal) *cobra.Command {
	forms := []command.Form{
		subscriptionsList(),
		command.Get(oneSubscription("get", "Show a subscription", "", " --json"), subscriptionsView, func(ctx context.Context, call *command.Call) (*partnercenter.Subscription, error) {
			return subscription(call).Get(ctx)
		}),
		command.List(oneSubscription("addons", "List the add-ons of a subscription", "", ""), subscriptionsView, func(ctx context.Context, call *command.Call) iter.Seq2[*partnercenter.Subscription, error] {
			return subscription(call).AddOns.All(ctx)
		}),
		subscriptionsUpdate(),
		subscriptionsSchedule(),
		termEnds(),
		command.Get(oneSubscription("provisioning", "Show the provisioning status of a subscription",
			"Show the provisioning status of a subscription. Microsoft's service requires a token with a user for it.", ""), provisioningView, func(ctx context.Context, call *command.Call) (*partnercenter.SubscriptionProvisioningStatus, error) {
			return subscription(call).ProvisioningStatus.Get(ctx)
		}),
		command.Change(oneSubscription("register", "Register an Azure subscription for reservations",
			`Register an Azure subscription, so that reservations can be bought for it. This
takes a while; "subscriptions registration" shows the status.`, " --yes"), registrationView,
			command.Plan{What: "register a subscription for reservations", Question: "Register this subscription?", Describe: describeSubscription},
			func(ctx context.Context, call *command.Call) (*partnercenter.SubscriptionRegistrationStatus, error) {
				if _, err := subscription(call).Registrations.Create(ctx); err != nil {
					return nil, err
				}
				return subscription(call).RegistrationStatus.Get(partnercenter.WithRequestID(ctx, partnercenter.NewRequestID()))
			}),
		command.Get(oneSubscription("registration", "Show whether an Azure subscription is registered for reservations", "", ""), registrationView, func(ctx context.Context, call *command.Call) (*partnercenter.SubscriptionRegistrationStatus, error) {
			return subscription(call).RegistrationStatus.Get(ctx)
		}),
		command.List(oneSubscription("activation-links", "Print the activation link for a marketplace purchase", `Print the link to the publisher's page for activating a marketplace purchase.
In a sandbox it does not work: use "subscriptions activate".`, ""), activationLinksView, func(ctx context.Context, call *command.Call) iter.Seq2[*partnercenter.OrderLineItemActivationLink, error] {
			return subscription(call).ActivationLinks.All(ctx)
		}),
		command.Change(oneSubscription("activate", "Activate a marketplace purchase in a sandbox",
			"Activate a subscription to a marketplace product in a sandbox, where there is no\npublisher's page for it.", " --yes"), activationsView,
			command.Plan{What: "activate a subscription", Question: "Activate this subscription?", Describe: describeSubscription},
			func(ctx context.Context, call *command.Call) (*partnercenter.SubscriptionActivationResult, error) {
				return subscription(call).Activate(ctx)
			}),
	}
	return command.Noun(term, "subscriptions", "subscription", "Subscriptions of customers", slices.Concat(forms, movingSeats(), supporting(), azureEntitlements(), overage())...)
}

// oneSubscription returns the spec of a command about one of a customer's
// subscriptions.
func oneSubscription(use, short, long, flags string) command.Spec {
	return command.Spec{
		Use: use + " SUBSCRIPTION --customer ID", Arg: "subscription id", Customer: true, Short: short, Long: long,
		Example: "  partnercenter subscriptions " + use + " SUBSCRIPTION --customer ID" + flags,
	}
}

// subscription returns the client for the subscription given as argument.
func subscription(call *command.Call) *partnercenter.SubscriptionClient {
	return call.Customer.Subscriptions.ByID(call.Arg)
}

func subscriptionsList() command.Form {
	var order, partner string
	filter := filterBy(partnercenter.SubscriptionStatuses())
	return command.List(command.Spec{
		Use: "list --customer ID", Customer: true, Short: "List a customer's subscriptions",
		Long: "List a customer's subscriptions: all, or those of an order or an indirect reseller." + terminal.OutputHelp(slices.Concat(subscriptionsView.CSVColumns(), command.CustomerColumns)),
		Example: `  partnercenter subscriptions list --customer ID
  partnercenter subscriptions list --customer ID --order ORDER --json`,
		Flags: func(cmd *cobra.Command) {
			cmd.Flags().StringVar(&order, "order", "", "only those of the order with this `id`")
			cmd.Flags().StringVar(&partner, "partner", "", "only those of the indirect reseller with this MPN `id`")
			filter.addFlags(cmd)
		},
		Check:     func(*command.Call) error { return filter.parse() },
		Exclusive: [][]string{{"order", "partner"}},
	}, subscriptionsView, func(ctx context.Context, call *command.Call) iter.Seq2[*partnercenter.Subscription, error] {
		list := call.Customer.Subscriptions.All
		switch {
		case partner != "":
			list = call.Customer.Subscriptions.ByPartner(partner).All
		case order != "":
			list = call.Customer.Subscriptions.ByOrder(order).All
		}
		return only(list(ctx), func(s *partnercenter.Subscription) bool { return filter.matches(s.CreationDate, string(s.Status)) })
	})
}

var provisioningView = &terminal.View[*partnercenter.SubscriptionProvisioningStatus]{
	Plural: "provisioning status",
	Columns: []terminal.Column[*partnercenter.SubscriptionProvisioningStatus]{
		{Name: "skuId", Kind: terminal.ID, Value: func(s *partnercenter.SubscriptionProvisioningStatus) any { return s.SKUID }},
		{Name: "status", Kind: terminal.State, Value: func(s *partnercenter.SubscriptionProvisioningStatus) any { return s.Status }},
		{Name: "quantity", Value: func(s *partnercenter.SubscriptionProvisioningStatus) any { return s.Quantity }},
		{Name: "endDate", Header: "ENDS", Value: func(s *partnercenter.SubscriptionProvisioningStatus) any { return s.EndDate }},
	},
}

var registrationView = &terminal.View[*partnercenter.SubscriptionRegistrationStatus]{
	Plural: "registrations",
	Columns: []terminal.Column[*partnercenter.SubscriptionRegistrationStatus]{
		{Name: "subscriptionId", Kind: terminal.ID, Value: func(s *partnercenter.SubscriptionRegistrationStatus) any { return s.SubscriptionID }},
		{Name: "status", Kind: terminal.State, Value: func(s *partnercenter.SubscriptionRegistrationStatus) any { return s.Status }},
	},
}

var subscriptionsView = &terminal.View[*partnercenter.Subscription]{
	Plural: "subscriptions",
	CSV: []string{
		"subscriptionId", "orderId", "offerId", "offerName", "friendlyName", "quantity", "unitType", "status", "billingCycle", "billingType", "termDuration", "autoRenewEnabled", "creationDate", "effectiveStartDate", "commitmentEndDate", "parentSubscriptionId", "entitlementId", "partnerId",
	},
	Detail: subscriptionDetail,
	Columns: []terminal.Column[*partnercenter.Subscription]{
		{Name: "subscriptionId", Kind: terminal.ID, Value: func(s *partnercenter.Subscription) any { return s.ID }},
		{Name: "name", Value: func(s *partnercenter.Subscription) any { return subscriptionName(s) }},
		{Name: "quantity", Value: func(s *partnercenter.Subscription) any { return s.Quantity }},
		{Name: "status", Kind: terminal.State, Rank: 1, Value: func(s *partnercenter.Subscription) any { return s.Status }},
		{Name: "billingCycle", Header: "BILLING", Kind: terminal.State, Rank: 3, Value: func(s *partnercenter.Subscription) any { return s.BillingCycle }},
		{Name: "termDuration", Header: "TERM", Shown: terminal.OnlyWide, Value: func(s *partnercenter.Subscription) any { return s.TermDuration }},
		{Name: "autoRenewEnabled", Header: "RENEWS", Shown: terminal.OnlyWide, Value: func(s *partnercenter.Subscription) any { return s.AutoRenewEnabled }},
		{Name: "creationDate", Header: "CREATED", Shown: terminal.OnlyWide, Value: func(s *partnercenter.Subscription) any { return s.CreationDate }},
		{Name: "commitmentEndDate", Header: "ENDS", Rank: 2, Value: func(s *partnercenter.Subscription) any { return s.CommitmentEndDate }},
		{Name: "offerId", Shown: terminal.OnlyWide, Kind: terminal.ID, Value: func(s *partnercenter.Subscription) any { return s.OfferID }},
		{Name: "orderId", Shown: terminal.OnlyWide, Kind: terminal.ID, Value: func(s *partnercenter.Subscription) any { return s.OrderID }},
		{Name: "parentSubscriptionId", Header: "PARENT", Shown: terminal.OnlyWide, Kind: terminal.ID, Value: func(s *partnercenter.Subscription) any { return s.ParentSubscriptionID }},
		{Name: "partnerId", Header: "PARTNER", Shown: terminal.OnlyWide, Value: func(s *partnercenter.Subscription) any { return terminal.OrZero(s.PartnerID) }},
		{Name: "offerName", Shown: terminal.Hidden, Value: func(s *partnercenter.Subscription) any { return s.OfferName }},
		{Name: "friendlyName", Shown: terminal.Hidden, Value: func(s *partnercenter.Subscription) any { return s.FriendlyName }},
		{Name: "unitType", Shown: terminal.Hidden, Value: func(s *partnercenter.Subscription) any { return s.UnitType }},
		{Name: "billingType", Shown: terminal.Hidden, Value: func(s *partnercenter.Subscription) any { return s.BillingType }},
		{Name: "effectiveStartDate", Shown: terminal.Hidden, Value: func(s *partnercenter.Subscription) any { return s.EffectiveStartDate }},
		{Name: "entitlementId", Shown: terminal.Hidden, Kind: terminal.ID, Value: func(s *partnercenter.Subscription) any { return s.EntitlementID }},
	},
}

// subscriptionDetail describes a subscription.
func subscriptionDetail(s *partnercenter.Subscription, now time.Time) []terminal.Fact {
	var facts terminal.Facts
	facts.Add("subscription", s.ID)
	facts.Add("name", subscriptionName(s))
	facts.Add("status", string(s.Status))
	facts.Add("quantity", strings.TrimSpace(terminal.Number(s.Quantity)+" "+s.UnitType))
	facts.Add("billed", string(s.BillingCycle))
	facts.Add("term", durationInWords(s.TermDuration))
	facts.Add("created", terminal.TimeInWords(s.CreationDate, now))
	facts.Add("started", terminal.TimeInWords(s.EffectiveStartDate, now))
	describeFuture(&facts, s, now)
	if s.ScheduledNextTermInstructions != nil || s.NextChargeInstructions != nil || len(s.ScheduledActions) > 0 {
		facts.Add("will", scheduledInWords(s))
	}
	for i := range s.LineItems {
		l := &s.LineItems[i]
		facts.Add("commits to", commitmentInWords(l.PurchaseCommitment))
		if scope := terminal.OrZero(l.Scope); scope.Type != "" {
			facts.Add("for", join(" ", string(scope.Type), "use of", cmp.Or(scope.EntitlementID, scope.SubscriptionID)))
		}
	}
	facts.Add("offer", s.OfferID)
	facts.Add("order", s.OrderID)
	facts.Add("add-on of", s.ParentSubscriptionID)
	facts.Add("partner", terminal.OrZero(s.PartnerID))
	links := terminal.OrZero(s.Links)
	addLinks(&facts, "links", link{"self", links.Self}, link{"offer", links.Offer}, link{"product", links.Product}, link{"SKU", links.SKU}, link{"availability", links.Availability},
		link{"add-on of", links.ParentSubscription}, link{"entitlement", links.Entitlement}, link{"activation", links.ActivationLinks})
	return facts
}

func subscriptionName(s *partnercenter.Subscription) string {
	return cmp.Or(s.FriendlyName, s.OfferName)
}

// describeSubscription adds the subscription to the plan.
func describeSubscription(_ context.Context, call *command.Call, p *command.Plan) error {
	p.Add("subscription", call.Arg)
	return nil
}

var activationsView = &terminal.View[*partnercenter.SubscriptionActivationResult]{
	Plural: "activations",
	Columns: []terminal.Column[*partnercenter.SubscriptionActivationResult]{
		{Name: "subscriptionId", Kind: terminal.ID, Value: func(r *partnercenter.SubscriptionActivationResult) any { return r.SubscriptionID }},
		{Name: "status", Kind: terminal.State, Value: func(r *partnercenter.SubscriptionActivationResult) any { return r.Status }},
	},
}

// subscriptionUpdate holds the flags of subscriptions update.
type subscriptionUpdate struct {
	quantity      int
	status, name  string
	term          string
	cycle         billingCycle
	autoRenew     bool
	file, ifMatch string
	given         func(flag string) bool
	next          *partnercenter.Subscription // the desired state
	etag          string                      // of the subscription that was shown
}

// subscriptionStatuses are the values of --status.
var subscriptionStatuses = words.Texts([]partnercenter.SubscriptionStatus{
	partnercenter.SubscriptionStatusActive, partnercenter.SubscriptionStatusSuspended, partnercenter.SubscriptionStatusDeleted,
})

func subscriptionsUpdate() command.Form {
	var u subscriptionUpdate
	return command.Change(command.Spec{
		Use: "update SUBSCRIPTION --customer ID {--quantity N | --status STATUS | --nickname TEXT | --auto-renew=BOOL | --term TERM [--billing-cycle CYCLE] | -f FILE}",
		Arg: "subscription id", Customer: true, Short: "Change the quantity, status, name, renewal or term of a subscription",
		Long: `Change a subscription. The subscription is read and sent back with the changes from
the flags, unless it was changed in the meantime. With -f the file is sent unchanged.

Status suspended suspends, active reactivates, and deleted cancels a subscription of
the marketplace, of new commerce or to software within a week, and an Azure plan without
an active Azure subscription. To change the billing cycle use "orders patch", and for
the next term "subscriptions schedule".

With --term a longer term begins at once, in new commerce. It cannot be taken back, and
takes the place of the present term and of what is scheduled.

In new commerce a change turns off what it leaves out: the renewal and what is
scheduled. Flags leave nothing out; what a file leaves out is shown.`,
		Example: `  partnercenter subscriptions update SUBSCRIPTION --customer ID --quantity 10
  partnercenter subscriptions update SUBSCRIPTION --customer ID --status suspended --yes
  partnercenter subscriptions update SUBSCRIPTION --customer ID --term P3Y --billing-cycle annual`,
		Flags:     u.addFlags,
		Exclusive: [][]string{{"file", "quantity"}, {"file", "status"}, {"file", "nickname"}, {"file", "auto-renew"}, {"file", "term"}, {"file", "billing-cycle"}},
		Check:     u.check,
	}, subscriptionsView, command.Plan{
		What: "change a subscription", Question: "Change this subscription?",
		Describe: u.describe,
	}, func(ctx context.Context, call *command.Call) (*partnercenter.Subscription, error) {
		if u.file != "" {
			return subscription(call).Patch(ctx, u.next, patchOptions(u.ifMatch)...)
		}
		return subscription(call).Change(ctx, u.apply, patchOptions(cmp.Or(u.ifMatch, u.etag))...)
	})
}

func (u *subscriptionUpdate) addFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.IntVar(&u.quantity, "quantity", 0, "`number` of licences")
	f.StringVar(&u.status, "status", "", "`status`: "+words.Or(subscriptionStatuses))
	f.StringVar(&u.name, "nickname", "", "friendly name: a `text`")
	f.BoolVar(&u.autoRenew, "auto-renew", false, "renew it at the end of its term; --auto-renew=false turns that off")
	f.StringVar(&u.term, "term", "", "longer `term` that begins at once: P1Y or P3Y")
	u.cycle.addFlag(cmd, "billing `cycle` of that term (default: the present one)")
	command.FileFlag(cmd, &u.file, "the whole subscription")
	f.StringVar(&u.ifMatch, "if-match", "", "`etag` that the subscription must still have")
	terminal.Choices(cmd, "status", subscriptionStatuses...)
}

func (u *subscriptionUpdate) check(call *command.Call) error {
	u.given = call.Given
	switch {
	case u.file != "":
		u.next = new(partnercenter.Subscription)
		return call.ReadContent(u.file, u.next)
	case u.given("billing-cycle") && u.term == "":
		return terminal.Usagef("--billing-cycle is for --term: \"orders patch\" changes that of the present term")
	case !u.given("quantity") && !u.given("status") && !u.given("nickname") && !u.given("auto-renew") && u.term == "":
		return terminal.Usagef("there is nothing to change: give --quantity, --status, --nickname, --auto-renew, --term or -f FILE")
	case u.given("quantity") && u.quantity < 1:
		return terminal.Usagef("--quantity %d: use 1 or more; --status suspended or deleted ends a subscription", u.quantity)
	case u.given("status"):
		if err := terminal.OneOf("status", u.status, subscriptionStatuses...); err != nil {
			return err
		}
	}
	return u.cycle.parse()
}

func (u *subscriptionUpdate) describe(ctx context.Context, call *command.Call, p *command.Plan) error {
	now, err := subscription(call).Get(ctx)
	if err != nil {
		return err
	}
	if u.next == nil {
		next := *now
		if err := u.apply(&next); err != nil {
			return err
		}
		u.next, u.etag = &next, etagOf(now)
	}
	p.Add("subscription", fmt.Sprintf("%s %s", now.ID, subscriptionName(now)))
	changes := describeUpdate(p, now, u.next)
	if lost := describeLoss(p, now, u.next); !changes && !lost {
		return &command.Unneeded{Text: "nothing to change: the subscription already has these values", Item: now}
	}
	if !call.DryRun {
		describeSeats(ctx, call, p, now, u.next)
	}
	return nil
}

// apply makes the change that the flags ask for.
func (u *subscriptionUpdate) apply(s *partnercenter.Subscription) error {
	if u.given("quantity") {
		s.Quantity = &u.quantity
	}
	if u.given("status") {
		s.Status = partnercenter.SubscriptionStatus(u.status)
	}
	if u.given("nickname") {
		s.FriendlyName = u.name
	}
	if u.term != "" {
		s.TermDuration = u.term
		if u.cycle.value != "" {
			s.BillingCycle = u.cycle.value
		}
	}
	if u.given("auto-renew") {
		s.SetAutoRenew(u.autoRenew)
	}
	return nil
}

// etagOf returns the etag of a subscription, empty if it has none.
func etagOf(s *partnercenter.Subscription) string {
	return terminal.OrZero(terminal.OrZero(s.Attributes).Etag)
}

// describeUpdate adds the changes to the plan, and reports whether there are any.
func describeUpdate(p *command.Plan, now, next *partnercenter.Subscription) bool {
	changes := false
	differ := func(name, from, to string) {
		if to != "" && from != to {
			p.Add(name, fmt.Sprintf("%s → %s", from, to))
			changes = true
		}
	}
	differ("quantity", terminal.Number(now.Quantity), terminal.Number(next.Quantity))
	differ("status", string(now.Status.Normalize()), string(next.Status.Normalize()))
	differ("name", now.FriendlyName, next.FriendlyName)
	differ("auto-renew", terminal.YesNo(now.AutoRenewEnabled), terminal.YesNo(next.AutoRenewEnabled))
	if next.TermDuration != "" && !ascii.EqualFold(now.TermDuration, next.TermDuration) {
		differ("term", now.TermDuration, next.TermDuration)
		p.Add("begins", "at once, in place of the present term")
		differ("billed", string(now.BillingCycle.Normalize()), string(next.BillingCycle.Normalize()))
	}
	return changes
}
