package main

import (
	"context"
	"fmt"
	"iter"

	"github.com/spf13/cobra"

	"github.com/partnercenter-go/partnercenter"
)

func newSubscriptionsCmd(app *app) *cobra.Command {
	var c connection
	cmd := newGroupCmd("subscriptions", "Subscriptions of customers",
		newSubscriptionsListCmd(app, &c), newSubscriptionsGetCmd(app, &c), newSubscriptionsAddOnsCmd(app, &c),
		newSubscriptionsUpdateCmd(app, &c), newSubscriptionsProvisioningCmd(app, &c),
		newSubscriptionsRegisterCmd(app, &c), newSubscriptionsRegistrationCmd(app, &c),
		newSubscriptionsActivationLinksCmd(app, &c), newSubscriptionsActivateCmd(app, &c),
	)
	cmd.Aliases = []string{"subscription"}
	c.addFlags(app, cmd)
	return cmd
}

func newSubscriptionsListCmd(app *app, c *connection) *cobra.Command {
	var order, partner string
	cmd := show[*partnercenter.Subscription]{
		use:   "list --customer ID",
		short: "List a customer's subscriptions",
		long:  "List a customer's subscriptions: all, or those of an order or of an indirect reseller." + outputHelp(subscriptionCSVColumns),
		example: `  partnercenter subscriptions list --customer ID
  partnercenter subscriptions list --customer ID --order ORDER --json`,
		view: subscriptionsView,
		flags: func(cmd *cobra.Command) {
			cmd.Flags().StringVar(&order, "order", "", "only those that this order made: its `id`")
			cmd.Flags().StringVar(&partner, "partner", "", "only those of this indirect reseller: its MPN `id`")
			for _, free := range []string{"order", "partner"} {
				_ = cmd.RegisterFlagCompletionFunc(free, cobra.NoFileCompletions)
			}
		},
		all: func(ctx context.Context, c *partnercenter.CustomerClient, _ string) iter.Seq2[*partnercenter.Subscription, error] {
			if partner != "" {
				return c.Subscriptions.ByPartner(partner).All(ctx)
			}
			return c.Subscriptions.ByOrder(order).All(ctx)
		},
	}.command(app, c)
	cmd.PreRunE = firstOf(exclusive("order", "partner"), exclusive("output", "json"))
	return cmd
}

func newSubscriptionsGetCmd(app *app, c *connection) *cobra.Command {
	return show[*partnercenter.Subscription]{
		use: "get SUBSCRIPTION --customer ID", short: "Show a subscription",
		example: "  partnercenter subscriptions get SUBSCRIPTION --customer ID --json",
		id:      "subscription id", view: subscriptionsView,
		one: func(ctx context.Context, c *partnercenter.CustomerClient, id string) (*partnercenter.Subscription, error) {
			return c.Subscriptions.ByID(id).Get(ctx)
		},
	}.command(app, c)
}

func newSubscriptionsAddOnsCmd(app *app, c *connection) *cobra.Command {
	return show[*partnercenter.Subscription]{
		use: "addons SUBSCRIPTION --customer ID", short: "List the add-ons of a subscription",
		example: "  partnercenter subscriptions addons SUBSCRIPTION --customer ID",
		id:      "subscription id", view: subscriptionsView,
		all: func(ctx context.Context, c *partnercenter.CustomerClient, id string) iter.Seq2[*partnercenter.Subscription, error] {
			return c.Subscriptions.ByID(id).AddOns.All(ctx)
		},
	}.command(app, c)
}

func newSubscriptionsProvisioningCmd(app *app, c *connection) *cobra.Command {
	return show[*partnercenter.SubscriptionProvisioningStatus]{
		use: "provisioning SUBSCRIPTION --customer ID", short: "Show how far the service has come with a subscription",
		long:    "Show the provisioning status of a subscription. Microsoft's service wants a user in the token for it.",
		example: "  partnercenter subscriptions provisioning SUBSCRIPTION --customer ID",
		id:      "subscription id",
		view: oneLayout("provisioning status", []string{"SKU ID", columnStatus, columnQuantity, "ENDS"}, []string{"skuId", "status", "quantity", "endDate"},
			func(s *partnercenter.SubscriptionProvisioningStatus) [][]string {
				return [][]string{{s.SKUID, s.Status, number(s.Quantity), shortTime(s.EndDate)}}
			}),
		one: func(ctx context.Context, c *partnercenter.CustomerClient, id string) (*partnercenter.SubscriptionProvisioningStatus, error) {
			return c.Subscriptions.ByID(id).ProvisioningStatus.Get(ctx)
		},
	}.command(app, c)
}

func newSubscriptionsRegistrationCmd(app *app, c *connection) *cobra.Command {
	return show[*partnercenter.SubscriptionRegistrationStatus]{
		use: "registration SUBSCRIPTION --customer ID", short: "Show whether an Azure subscription is registered for reservations",
		example: "  partnercenter subscriptions registration SUBSCRIPTION --customer ID",
		id:      "subscription id", view: registrationView,
		one: func(ctx context.Context, c *partnercenter.CustomerClient, id string) (*partnercenter.SubscriptionRegistrationStatus, error) {
			return c.Subscriptions.ByID(id).RegistrationStatus.Get(ctx)
		},
	}.command(app, c)
}

var registrationView = oneLayout("registrations", []string{"SUBSCRIPTION ID", columnStatus}, []string{"subscriptionId", "status"},
	func(s *partnercenter.SubscriptionRegistrationStatus) [][]string {
		return [][]string{{s.SubscriptionID, s.Status}}
	})

func newSubscriptionsActivationLinksCmd(app *app, c *connection) *cobra.Command {
	return show[*partnercenter.OrderLineItemActivationLink]{
		use: "activation-links SUBSCRIPTION --customer ID", short: "Print the link that activates a marketplace purchase",
		long: `Print the link to the publisher's page on which a marketplace purchase is
activated. In a sandbox it leads nowhere: use "subscriptions activate".`,
		example: "  partnercenter subscriptions activation-links SUBSCRIPTION --customer ID",
		id:      "subscription id", view: activationLinksView,
		all: func(ctx context.Context, c *partnercenter.CustomerClient, id string) iter.Seq2[*partnercenter.OrderLineItemActivationLink, error] {
			return c.Subscriptions.ByID(id).ActivationLinks.All(ctx)
		},
	}.command(app, c)
}

// subscriptionsView shows subscriptions.
var subscriptionsView = view[*partnercenter.Subscription]{
	plural:   "subscriptions",
	resource: func(s *partnercenter.Subscription) any { return s },
	table: layout[*partnercenter.Subscription]{
		columns: []string{"SUBSCRIPTION ID", "NAME", columnQuantity, columnStatus, "BILLING", "ENDS"},
		gives:   []int{1},
		rows: func(s *partnercenter.Subscription) [][]string {
			return [][]string{{s.ID, subscriptionName(s), number(s.Quantity), string(s.Status), string(s.BillingCycle), shortTime(s.CommitmentEndDate)}}
		},
	},
	wide: layout[*partnercenter.Subscription]{
		columns: []string{"SUBSCRIPTION ID", "NAME", columnQuantity, columnStatus, "BILLING", "TERM", "RENEWS", "CREATED", "ENDS", "OFFER ID", "ORDER ID", "PARENT", "PARTNER"},
		rows: func(s *partnercenter.Subscription) [][]string {
			return [][]string{{
				s.ID, subscriptionName(s), number(s.Quantity), string(s.Status), string(s.BillingCycle), s.TermDuration, yesNo(s.AutoRenewEnabled),
				shortTime(s.CreationDate), shortTime(s.CommitmentEndDate), s.OfferID, s.OrderID, s.ParentSubscriptionID, orEmpty(s.PartnerID),
			}}
		},
	},
	csv: layout[*partnercenter.Subscription]{
		columns: subscriptionCSVColumns,
		rows: func(s *partnercenter.Subscription) [][]string {
			return [][]string{{
				s.ID, s.OrderID, s.OfferID, s.OfferName, s.FriendlyName, number(s.Quantity), s.UnitType, string(s.Status), string(s.BillingCycle),
				s.BillingType, s.TermDuration, yesNo(s.AutoRenewEnabled), exactTime(s.CreationDate), exactTime(s.EffectiveStartDate), exactTime(s.CommitmentEndDate),
				s.ParentSubscriptionID, s.EntitlementID, orEmpty(s.PartnerID),
			}}
		},
	},
}

// subscriptionCSVColumns are documented: add at the end only.
var subscriptionCSVColumns = []string{
	"subscriptionId", "orderId", "offerId", "offerName", "friendlyName", "quantity", "unitType", "status", "billingCycle",
	"billingType", "termDuration", "autoRenewEnabled", "creationDate", "effectiveStartDate", "commitmentEndDate",
	"parentSubscriptionId", "entitlementId", "partnerId",
}

func subscriptionName(s *partnercenter.Subscription) string {
	if s.FriendlyName != "" {
		return s.FriendlyName
	}
	return s.OfferName
}

func orEmpty(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// act is a command that does one thing to a subscription.
type act[T any] struct {
	use, short, long, example string
	what, question            string
	view                      view[T]
	do                        func(ctx context.Context, c *partnercenter.CustomerClient, id string) (T, error)
}

func (a act[T]) command(app *app, c *connection) *cobra.Command {
	var (
		output   outputOptions
		write    writeOptions
		customer string
	)
	cmd := &cobra.Command{
		Use: a.use, Short: a.short, Long: a.long + writeHelp, Example: a.example,
		Args:              oneArg("subscription id"),
		ValidArgsFunction: cobra.NoFileCompletions,
		PreRunE:           exclusive("output", "json"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if customer == "" {
				return errWhichCustomer
			}
			p, err := newPrinter(app, &output, a.view)
			if err != nil {
				return err
			}
			w, err := newWriter(app, c, &write, false)
			if err != nil {
				return err
			}
			change := &change{what: a.what, question: a.question}
			if err := w.describeCustomer(cmd.Context(), change, customer); err != nil {
				return err
			}
			change.add("subscription", args[0])
			if err := w.confirm(cmd.Context(), change); err != nil {
				return err
			}
			var result T
			done, err := w.do(cmd.Context(), change, func(ctx context.Context) error {
				result, err = a.do(ctx, w.pc.Customers.ByID(customer), args[0])
				return err
			})
			if !done {
				return err
			}
			return printOne(p, result)
		},
	}
	cmd.Flags().SortFlags = false
	addCustomerFlag(cmd, &customer)
	write.addFlags(cmd)
	output.addFlags(cmd)
	return cmd
}

func newSubscriptionsRegisterCmd(app *app, c *connection) *cobra.Command {
	return act[*partnercenter.SubscriptionRegistrationStatus]{
		use:   "register SUBSCRIPTION --customer ID",
		short: "Register an Azure subscription for reservations",
		long: `Register an Azure subscription, so that reservations can be bought for it. The
service does so later; "subscriptions registration" shows how far it is.`,
		example: "  partnercenter subscriptions register SUBSCRIPTION --customer ID --yes",
		what:    "register a subscription for reservations", question: "Register this subscription?",
		view: registrationView,
		do: func(ctx context.Context, c *partnercenter.CustomerClient, id string) (*partnercenter.SubscriptionRegistrationStatus, error) {
			subscription := c.Subscriptions.ByID(id)
			if _, err := subscription.Registrations.Create(ctx); err != nil {
				return nil, err
			}
			return subscription.RegistrationStatus.Get(partnercenter.WithRequestID(ctx, ""))
		},
	}.command(app, c)
}

func newSubscriptionsActivateCmd(app *app, c *connection) *cobra.Command {
	return act[*partnercenter.SubscriptionActivationResult]{
		use:     "activate SUBSCRIPTION --customer ID",
		short:   "Activate a marketplace purchase in a sandbox",
		long:    "Activate a subscription to a marketplace product in a sandbox, where no publisher's page does.",
		example: "  partnercenter subscriptions activate SUBSCRIPTION --customer ID --yes",
		what:    "activate a subscription", question: "Activate this subscription?",
		view: oneLayout("activations", []string{"SUBSCRIPTION ID", columnStatus}, []string{"subscriptionId", "status"},
			func(r *partnercenter.SubscriptionActivationResult) [][]string {
				return [][]string{{r.SubscriptionID, r.Status}}
			}),
		do: func(ctx context.Context, c *partnercenter.CustomerClient, id string) (*partnercenter.SubscriptionActivationResult, error) {
			return c.Subscriptions.ByID(id).Activate(ctx)
		},
	}.command(app, c)
}

// subscriptionUpdate is what subscriptions update changes.
type subscriptionUpdate struct {
	quantity                int
	status, name            string
	autoRenew               bool
	set                     func(flag string) bool
	customer, file, ifMatch string
}

func newSubscriptionsUpdateCmd(app *app, c *connection) *cobra.Command {
	var (
		output outputOptions
		write  writeOptions
		u      subscriptionUpdate
	)
	statuses := []string{string(partnercenter.SubscriptionActive), string(partnercenter.SubscriptionSuspended), string(partnercenter.SubscriptionDeleted)}
	cmd := &cobra.Command{
		Use:   "update SUBSCRIPTION --customer ID {--quantity N | --status STATUS | --nickname TEXT | --auto-renew=BOOL | -f FILE}",
		Short: "Change the quantity, status, name or renewal of a subscription",
		Long: `Change a subscription. It is read, and sent back whole with what the flags change,
unless somebody else changed it meanwhile; with -f the file is sent as it is.

Status suspended suspends, active reactivates, and deleted cancels a marketplace
subscription. How it is billed is changed with "orders patch".` + writeHelp,
		Example: `  partnercenter subscriptions update SUBSCRIPTION --customer ID --quantity 10
  partnercenter subscriptions update SUBSCRIPTION --customer ID --status suspended --yes`,
		Args:              oneArg("subscription id"),
		ValidArgsFunction: cobra.NoFileCompletions,
		PreRunE: firstOf(exclusive("file", "quantity"), exclusive("file", "status"), exclusive("file", "nickname"), exclusive("file", "auto-renew"),
			exclusive("output", "json")),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			u.set = cmd.Flags().Changed
			if err := u.check(statuses); err != nil {
				return err
			}
			p, err := newPrinter(app, &output, subscriptionsView)
			if err != nil {
				return err
			}
			var next *partnercenter.Subscription
			if u.file != "" {
				next = new(partnercenter.Subscription)
				if err := readContent(app, u.file, next); err != nil {
					return err
				}
			}
			w, err := newWriter(app, c, &write, u.file == "-")
			if err != nil {
				return err
			}
			change := &change{what: "change a subscription", question: "Change this subscription?", readAgain: u.file == ""}
			if err := w.describeCustomer(ctx, change, u.customer); err != nil {
				return err
			}
			client := w.pc.Customers.ByID(u.customer).Subscriptions.ByID(args[0])
			now, err := client.Get(ctx)
			if err != nil {
				return err
			}
			if next == nil {
				copied := *now
				next = &copied
				u.apply(next)
			}
			change.add("subscription", fmt.Sprintf("%s %s", now.ID, subscriptionName(now)))
			if !describeUpdate(change, now, next) {
				app.linef("nothing to change: the subscription is like this already")
				return printOne(p, now)
			}
			if err := w.confirm(ctx, change); err != nil {
				return err
			}
			var opts []partnercenter.PatchOption
			if u.ifMatch != "" {
				opts = append(opts, partnercenter.IfMatch(u.ifMatch))
			}
			done, err := w.do(ctx, change, func(ctx context.Context) error {
				next, err = client.Patch(ctx, next, opts...)
				return err
			})
			if !done {
				return err
			}
			return printOne(p, next)
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	addCustomerFlag(cmd, &u.customer)
	f.IntVar(&u.quantity, "quantity", 0, "`number` of licences")
	f.StringVar(&u.status, "status", "", "`status`: "+orList(statuses))
	f.StringVar(&u.name, "nickname", "", "`text` to call it by")
	f.BoolVar(&u.autoRenew, "auto-renew", false, "renew it at the end of its term; --auto-renew=false does not")
	f.StringVarP(&u.file, "file", "f", "", "`file` with the whole subscription in JSON or YAML; - for standard input")
	f.StringVar(&u.ifMatch, "if-match", "", "`etag` that the subscription must still have")
	registerValues(cmd, "status", statuses...)
	for _, free := range []string{"quantity", "nickname", "if-match"} {
		_ = cmd.RegisterFlagCompletionFunc(free, cobra.NoFileCompletions)
	}
	write.addFlags(cmd)
	output.addFlags(cmd)
	return cmd
}

func (u *subscriptionUpdate) check(statuses []string) error {
	switch {
	case u.customer == "":
		return errWhichCustomer
	case u.file == "" && !u.set("quantity") && !u.set("status") && !u.set("nickname") && !u.set("auto-renew"):
		return usageErrorf("what is to change? Give --quantity, --status, --nickname, --auto-renew or -f FILE")
	case u.set("quantity") && u.quantity < 1:
		return usageErrorf("--quantity %d: use 1 or more; --status suspended or deleted ends a subscription", u.quantity)
	case u.set("status"):
		return oneOf("status", u.status, statuses...)
	}
	return nil
}

func (u *subscriptionUpdate) apply(s *partnercenter.Subscription) {
	if u.set("quantity") {
		s.Quantity = &u.quantity
	}
	if u.set("status") {
		s.Status = partnercenter.SubscriptionStatus(u.status)
	}
	if u.set("nickname") {
		s.FriendlyName = u.name
	}
	if u.set("auto-renew") {
		s.AutoRenewEnabled = &u.autoRenew
	}
}

// describeUpdate adds what changes, and reports whether anything does.
func describeUpdate(c *change, now, next *partnercenter.Subscription) bool {
	changes := false
	differ := func(name, from, to string) {
		if to != "" && from != to {
			c.add(name, fmt.Sprintf("%s → %s", from, to))
			changes = true
		}
	}
	differ("quantity", number(now.Quantity), number(next.Quantity))
	differ("status", string(now.Status.Normalize()), string(next.Status.Normalize()))
	differ("name", now.FriendlyName, next.FriendlyName)
	differ("auto-renew", yesNo(now.AutoRenewEnabled), yesNo(next.AutoRenewEnabled))
	return changes
}
