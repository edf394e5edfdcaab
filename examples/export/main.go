// Command export writes the orders of all customers to a CSV file, for example
// every night:
//
//	export -o orders.csv
//
// Environment variables set the Partner Center and the credentials; see
// partnercenter.NewClientFromEnvironment. The file is replaced once it is
// complete. A customer whose orders cannot be listed is left out and logged.
// The exit code is 0 if all customers are in the file, 2 if some are left out,
// and 1 if there is no new file.
package main

import (
	"context"
	"encoding/csv"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"os/signal"
	"path/filepath"
	"time"

	"github.com/partnercenter-go/partnercenter"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	leftOut, err := run(ctx, os.Args[1:])
	stop()
	switch {
	case err != nil:
		log.Print(err)
		os.Exit(1)
	case leftOut > 0:
		os.Exit(2)
	}
}

// run writes the file and returns the number of customers that are not in it.
func run(ctx context.Context, args []string) (leftOut int, err error) {
	flags := flag.NewFlagSet("export", flag.ContinueOnError)
	name := flags.String("o", "orders.csv", "the `file` to write")
	rate := flags.Int("rate", 300, "requests a minute, which leaves the rest to other programs")
	if err := flags.Parse(args); err != nil {
		return 0, err
	}
	opts := &partnercenter.ClientOptions{
		ApplicationName: "nightly-export",
		Budget: partnercenter.NewBudget(&partnercenter.BudgetOptions{
			RequestsPerMinute: *rate,
			OnWait:            func(w partnercenter.BudgetWait) { log.Printf("%s: waiting %s", w.Class, w.For) },
		}),
	}
	// The job has all night to survive an outage.
	opts.Retry.MaxRetries = 8
	opts.Retry.MaxRetryDelay = 5 * time.Minute
	pc, err := partnercenter.NewClientFromEnvironment(opts)
	if err != nil {
		return 0, err
	}

	// A rename would put the file in place of whatever has the name.
	if info, err := os.Lstat(*name); err == nil && !info.Mode().IsRegular() {
		return 0, fmt.Errorf("%s is no regular file: name another", *name)
	}
	// In the folder of the file, because a rename works within one file system
	// only.
	file, err := os.CreateTemp(filepath.Dir(*name), ".export-*.csv")
	if err != nil {
		return 0, err
	}
	defer os.Remove(file.Name())
	leftOut, err = export(ctx, pc, file)
	if err := errors.Join(err, file.Sync(), file.Close()); err != nil {
		return leftOut, err
	}
	return leftOut, os.Rename(file.Name(), *name)
}

// export writes the orders of all customers to w, logs their sum by currency,
// and returns the number of customers that were left out.
func export(ctx context.Context, pc *partnercenter.Client, w io.Writer) (leftOut int, err error) {
	out := csv.NewWriter(w)
	header := []string{"customer", "company", "order", "created", "status", "billing cycle", "currency", "total"}
	if err := out.Write(header); err != nil {
		return 0, err
	}
	orders := pc.Orders.All(ctx, &partnercenter.AllOrdersOptions{
		Options: []partnercenter.OrdersOption{partnercenter.IncludePrice()},
		OnCustomer: func(customer *partnercenter.Customer, err error) {
			if err != nil {
				log.Printf("customer %s is left out: %v", customer.ID, err)
				leftOut++
			}
		},
	})
	totals := map[string]partnercenter.Decimal{} // by currency
	for each, err := range orders {
		if err != nil {
			return leftOut, err
		}
		customer, order := each.Customer, each.Order
		company := ""
		if customer.CompanyProfile != nil {
			company = customer.CompanyProfile.CompanyName
		}
		if order.TotalPrice != "" { // not every order has a price
			totals[order.CurrencyCode], err = totals[order.CurrencyCode].Add(order.TotalPrice)
			if err != nil {
				return leftOut, fmt.Errorf("order %s: %w", order.ID, err)
			}
		}
		err = out.Write([]string{
			customer.ID, company, order.ID, order.CreationDate.String(), string(order.Status.Normalize()),
			string(order.BillingCycle.Normalize()), order.CurrencyCode, order.TotalPrice.String(),
		})
		if err != nil {
			return leftOut, err
		}
	}
	log.Printf("totals by currency: %v", totals)
	out.Flush()
	return leftOut, out.Error()
}
