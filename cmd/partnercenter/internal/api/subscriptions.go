package api

import (
	"cmp"
	"context"
	"fmt"
	"iter"

	"github.com/spf13/cobra"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/command"
	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/terminal"
	"github.com/partnercenter-go/partnercenter/internal/words"
)

// Subscriptions returns the commands about subscriptions.
func Subscriptions(term *terminal.Terminal) *cobra.Command {
	return command.Noun(term, "subscriptions", "subscription", "Subscriptions of customers",
		subscriptionsList(),
		command.Get(oneSubscription("get", "Show a subscription", "", " --json"), subscriptionsView, func(ctx context.Context, call *command.Call) (*partnercenter.Subscription, error) {
			return subscription(call).Get(ctx)
		}),
		command.List(oneSubscription("addons", "List the add-ons of a subscription", "", ""), subscriptionsView, func(ctx context.Context, call *command.Call) iter.Seq2[*partnercenter.Subscription, error] {
			return subscription(call).AddOns.All(ctx)
		}),
		subscriptionsUpdate(),
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
				return subscription(call).RegistrationStatus.Get(partnercenter.WithRequestID(ctx, ""))
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
	)
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
	return command.List(command.Spec{
		Use: "list --customer ID", Customer: true, Short: "List a customer's subscriptions",
		Long: "List a customer's subscriptions: all, or those of an order or an indirect reseller." + terminal.OutputHelp(subscriptionsView.CSV.Columns),
		Example: `  partnercenter subscriptions list --customer ID
  partnercenter subscriptions list --customer ID --order ORDER --json`,
		Flags: func(cmd *cobra.Command) {
			cmd.Flags().StringVar(&order, "order", "", "only those of the order with this `id`")
			cmd.Flags().StringVar(&partner, "partner", "", "only those of the indirect reseller with this MPN `id`")
		},
		Exclusive: [][]string{{"order", "partner"}},
	}, subscriptionsView, func(ctx context.Context, call *command.Call) iter.Seq2[*partnercenter.Subscription, error] {
		if partner != "" {
			return call.Customer.Subscriptions.ByPartner(partner).All(ctx)
		}
		return call.Customer.Subscriptions.ByOrder(order).All(ctx)
	})
}

var provisioningView = terminal.OneLayout("provisioning status", []string{"SKU ID", terminal.ColumnStatus, terminal.ColumnQuantity, "ENDS"}, []string{"skuId", "status", "quantity", "endDate"},
	func(s *partnercenter.SubscriptionProvisioningStatus) []string {
		return []string{s.SKUID, string(s.Status), terminal.Number(s.Quantity), terminal.ShortTime(s.EndDate)}
	})

var registrationView = terminal.OneLayout("registrations", []string{"SUBSCRIPTION ID", terminal.ColumnStatus}, []string{"subscriptionId", "status"},
	func(s *partnercenter.SubscriptionRegistrationStatus) []string {
		return []string{s.SubscriptionID, string(s.Status)}
	})

var subscriptionsView = terminal.NewView("subscriptions",
	[]string{"SUBSCRIPTION ID", "NAME", terminal.ColumnQuantity, terminal.ColumnStatus, "BILLING", "ENDS"},
	[]string{"SUBSCRIPTION ID", "NAME", terminal.ColumnQuantity, terminal.ColumnStatus, "BILLING", "TERM", "RENEWS", "CREATED", "ENDS", "OFFER ID", "ORDER ID", "PARENT", "PARTNER"},
	[]string{
		"subscriptionId", "orderId", "offerId", "offerName", "friendlyName", "quantity", "unitType", "status", "billingCycle",
		"billingType", "termDuration", "autoRenewEnabled", "creationDate", "effectiveStartDate", "commitmentEndDate",
		"parentSubscriptionId", "entitlementId", "partnerId",
	},
	func(s *partnercenter.Subscription) (table, wide, csv []string) {
		quantity, status, cycle := terminal.Number(s.Quantity), string(s.Status), string(s.BillingCycle)
		renews, ends, partner := terminal.YesNo(s.AutoRenewEnabled), terminal.ShortTime(s.CommitmentEndDate), terminal.OrZero(s.PartnerID)
		first := []string{s.ID, subscriptionName(s), quantity, status, cycle}
		return append(first, ends),
			append(first, s.TermDuration, renews, terminal.ShortTime(s.CreationDate), ends, s.OfferID, s.OrderID, s.ParentSubscriptionID, partner),
			[]string{
				s.ID, s.OrderID, s.OfferID, s.OfferName, s.FriendlyName, quantity, s.UnitType, status, cycle,
				string(s.BillingType), s.TermDuration, renews, terminal.ExactTime(s.CreationDate), terminal.ExactTime(s.EffectiveStartDate),
				terminal.ExactTime(s.CommitmentEndDate), s.ParentSubscriptionID, s.EntitlementID, partner,
			}
	}, 1)

func subscriptionName(s *partnercenter.Subscription) string {
	return cmp.Or(s.FriendlyName, s.OfferName)
}

// describeSubscription adds the subscription to the plan.
func describeSubscription(_ context.Context, call *command.Call, p *command.Plan) error {
	p.Add("subscription", call.Arg)
	return nil
}

var activationsView = terminal.OneLayout("activations", []string{"SUBSCRIPTION ID", terminal.ColumnStatus}, []string{"subscriptionId", "status"},
	func(r *partnercenter.SubscriptionActivationResult) []string {
		return []string{r.SubscriptionID, r.Status}
	})

// subscriptionUpdate holds the flags of subscriptions update.
type subscriptionUpdate struct {
	quantity      int
	status, name  string
	autoRenew     bool
	file, ifMatch string
	given         func(flag string) bool
	next          *partnercenter.Subscription // the desired state
}

// subscriptionStatuses are the values of --status.
var subscriptionStatuses = words.Texts([]partnercenter.SubscriptionStatus{
	partnercenter.SubscriptionStatusActive, partnercenter.SubscriptionStatusSuspended, partnercenter.SubscriptionStatusDeleted,
})

func subscriptionsUpdate() command.Form {
	var u subscriptionUpdate
	return command.Change(command.Spec{
		Use: "update SUBSCRIPTION --customer ID {--quantity N | --status STATUS | --nickname TEXT | --auto-renew=BOOL | -f FILE}",
		Arg: "subscription id", Customer: true, Short: "Change the quantity, status, name or renewal of a subscription",
		Long: `Change a subscription. The subscription is read and sent back with the changes from
the flags, unless it was changed in the meantime. With -f the file is sent unchanged.

Status suspended suspends, active reactivates, and deleted cancels a marketplace
subscription. To change the billing cycle use "orders patch".`,
		Example: `  partnercenter subscriptions update SUBSCRIPTION --customer ID --quantity 10
  partnercenter subscriptions update SUBSCRIPTION --customer ID --status suspended --yes`,
		Flags:     u.addFlags,
		Exclusive: [][]string{{"file", "quantity"}, {"file", "status"}, {"file", "nickname"}, {"file", "auto-renew"}},
		Check:     u.check,
	}, subscriptionsView, command.Plan{
		What: "change a subscription", Question: "Change this subscription?",
		Describe: u.describe,
	}, func(ctx context.Context, call *command.Call) (*partnercenter.Subscription, error) {
		return subscription(call).Patch(ctx, u.next, patchOptions(u.ifMatch)...)
	})
}

func (u *subscriptionUpdate) addFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.IntVar(&u.quantity, "quantity", 0, "`number` of licences")
	f.StringVar(&u.status, "status", "", "`status`: "+words.Or(subscriptionStatuses))
	f.StringVar(&u.name, "nickname", "", "friendly name: a `text`")
	f.BoolVar(&u.autoRenew, "auto-renew", false, "renew it at the end of its term; --auto-renew=false turns that off")
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
	case !u.given("quantity") && !u.given("status") && !u.given("nickname") && !u.given("auto-renew"):
		return terminal.Usagef("there is nothing to change: give --quantity, --status, --nickname, --auto-renew or -f FILE")
	case u.given("quantity") && u.quantity < 1:
		return terminal.Usagef("--quantity %d: use 1 or more; --status suspended or deleted ends a subscription", u.quantity)
	case u.given("status"):
		return terminal.OneOf("status", u.status, subscriptionStatuses...)
	}
	return nil
}

func (u *subscriptionUpdate) describe(ctx context.Context, call *command.Call, p *command.Plan) error {
	now, err := subscription(call).Get(ctx)
	if err != nil {
		return err
	}
	if u.next == nil {
		copied := *now
		u.next = &copied
		u.apply(u.next)
		p.ReadAgain = true
	}
	p.Add("subscription", fmt.Sprintf("%s %s", now.ID, subscriptionName(now)))
	if !describeUpdate(p, now, u.next) {
		return &command.Unneeded{Text: "nothing to change: the subscription already has these values", Item: now}
	}
	return nil
}

func (u *subscriptionUpdate) apply(s *partnercenter.Subscription) {
	if u.given("quantity") {
		s.Quantity = &u.quantity
	}
	if u.given("status") {
		s.Status = partnercenter.SubscriptionStatus(u.status)
	}
	if u.given("nickname") {
		s.FriendlyName = u.name
	}
	if u.given("auto-renew") {
		s.AutoRenewEnabled = &u.autoRenew
	}
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
	return changes
}
