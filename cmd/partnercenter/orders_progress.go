package main

import (
	"context"
	"iter"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/partnercenter-go/partnercenter"
)

func newOrdersProvisioningCmd(app *app, c *connection) *cobra.Command {
	return show[*partnercenter.OrderLineItemProvisioningStatus]{
		use:     "provisioning ORDER --customer ID",
		short:   "Show how far the service has come with an order",
		long:    "Show the provisioning status of each line of an order. Orders of legacy offers have none.",
		example: "  partnercenter orders provisioning ORDER --customer ID",
		id:      "order id",
		view: oneLayout("lines that are provisioned", []string{"LINE", columnStatus, "QUANTITIES"}, []string{"lineItemNumber", "status", "quantities"},
			func(s *partnercenter.OrderLineItemProvisioningStatus) [][]string {
				var quantities []string
				for _, q := range s.QuantityProvisioningInformation {
					quantities = append(quantities, strings.TrimSpace(number(q.Quantity)+" "+q.Status))
				}
				return [][]string{{number(s.LineItemNumber), s.Status, strings.Join(quantities, ", ")}}
			}),
		all: func(ctx context.Context, c *partnercenter.CustomerClient, id string) iter.Seq2[*partnercenter.OrderLineItemProvisioningStatus, error] {
			return c.Orders.ByID(id).ProvisioningStatus.All(ctx)
		},
	}.command(app, c)
}

// activationLinksView shows activation links.
var activationLinksView = oneLayout("activation links", []string{"LINE", "LINK"}, []string{"lineItemNumber", "link"},
	func(l *partnercenter.OrderLineItemActivationLink) [][]string {
		uri := ""
		if l.Link != nil {
			uri = l.Link.URI
		}
		return [][]string{{number(l.LineItemNumber), uri}}
	})

func newOrdersActivationLinksCmd(app *app, c *connection) *cobra.Command {
	line := -1
	return show[*partnercenter.OrderLineItemActivationLink]{
		use:   "activation-links ORDER --customer ID",
		short: "Print the links that activate marketplace purchases of an order",
		long: `Print the links to the publishers' pages on which marketplace purchases are
activated. In a sandbox they lead nowhere: use "subscriptions activate".`,
		example: "  partnercenter orders activation-links ORDER --customer ID --line 0",
		id:      "order id",
		view:    activationLinksView,
		flags: func(cmd *cobra.Command) {
			cmd.Flags().IntVar(&line, "line", -1, "`number` of the line, from 0; -1 for all lines that need it")
			_ = cmd.RegisterFlagCompletionFunc("line", cobra.NoFileCompletions)
		},
		all: func(ctx context.Context, c *partnercenter.CustomerClient, id string) iter.Seq2[*partnercenter.OrderLineItemActivationLink, error] {
			order := c.Orders.ByID(id)
			if line >= 0 {
				return order.LineItems.ByNumber(line).ActivationLinks.All(ctx)
			}
			return order.ActivationLinks.All(ctx)
		},
	}.command(app, c)
}

func newOrdersWaitCmd(app *app, c *connection) *cobra.Command {
	var patience time.Duration
	return show[customerOrder]{
		use:   "wait-visible ORDER --customer ID",
		short: "Wait until the list of orders has a new order",
		long: `Wait until the list of the customer's orders has a new order, which takes up to 15
minutes, and print it. An order that does not exist fails at once.`,
		example: "  partnercenter orders wait-visible ORDER --customer ID --wait 30m",
		id:      "order id",
		view:    ordersView(false, false),
		flags: func(cmd *cobra.Command) {
			cmd.Flags().DurationVar(&patience, "wait", partnercenter.DefaultWaitTimeout, "how long to wait at most")
			_ = cmd.RegisterFlagCompletionFunc("wait", cobra.NoFileCompletions)
		},
		one: func(ctx context.Context, c *partnercenter.CustomerClient, id string) (customerOrder, error) {
			if patience <= 0 {
				return customerOrder{}, usageErrorf("--wait %s is no time to wait: use something like 20m", patience)
			}
			order, err := c.Orders.ByID(id).WaitVisible(ctx, &partnercenter.WaitOptions{
				Timeout: patience,
				Progress: func(waited, pause time.Duration) {
					app.linef("not listed after %s; looking again in %s", waited.Round(time.Second), pause.Round(time.Second))
				},
			})
			if err != nil {
				return customerOrder{}, err
			}
			return customerOrder{order: order}, nil
		},
	}.command(app, c)
}
