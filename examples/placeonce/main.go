// Command placeonce places an order exactly once, even if it crashes:
//
//	placeonce -file order-4711.json -customer ID -offer ID -quantity 5
//
// The order and its request id are written to the file before the call. Until the file
// contains the id of the placed order, running the command again repeats the call with
// the same request id, which finds the order if there is one. After that it only prints
// the id. A file is for one order; another one is refused. Environment variables set the
// Partner Center and the credentials; see partnercenter.NewClientFromEnvironment.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"log"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"

	"github.com/partnercenter-go/partnercenter"
)

// intent is the content of the file.
type intent struct {
	RequestID string
	Order     *partnercenter.Order // as sent
	Placed    string               `json:",omitempty"` // id of the placed order
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, args []string, stdout io.Writer) error {
	flags := flag.NewFlagSet("placeonce", flag.ContinueOnError)
	name := flags.String("file", "", "the `file` that keeps the order")
	customer := flags.String("customer", "", "the customer's `id`")
	offer := flags.String("offer", "", "the offer's `id`")
	quantity := flags.Int("quantity", 1, "how many")
	if err := flags.Parse(args); err != nil {
		return err
	}
	pc, err := partnercenter.NewClientFromEnvironment(nil)
	if err != nil {
		return err
	}
	kept, first, err := keep(*name, &partnercenter.Order{
		ReferenceCustomerID: *customer,
		BillingCycle:        partnercenter.BillingCycleTypeMonthly,
		LineItems:           []partnercenter.OrderLineItem{{LineItemNumber: new(0), OfferID: *offer, Quantity: quantity}},
	})
	if err != nil {
		return err
	}
	if kept.Placed == "" {
		ctx := partnercenter.WithRequestID(ctx, kept.RequestID)
		order, err := pc.Customers.ByID(*customer).Orders.Create(ctx, kept.Order)
		switch {
		case err == nil: // placed, by this run or an earlier one
		case first && !partnercenter.Unsettled(err):
			return fmt.Errorf("nothing was ordered; delete %s to order something else: %w", *name, err)
		default: // a refusal of this call does not settle an earlier one
			return fmt.Errorf("the order may have been placed; run the command again: %w", err)
		}
		kept.Placed = order.ID
		if err := kept.write(*name, os.Rename); err != nil {
			return err
		}
	}
	_, err = fmt.Fprintln(stdout, kept.Placed)
	return err
}

// keep returns the content of the file, once it is on disk, and whether it is
// new. It never replaces the file, so that concurrent runs use the same request
// id.
func keep(name string, order *partnercenter.Order) (kept *intent, first bool, err error) {
	kept = &intent{RequestID: partnercenter.NewRequestID(), Order: order}
	err = kept.write(name, os.Link)
	if !errors.Is(err, fs.ErrExist) {
		return kept, true, err
	}
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, false, err
	}
	kept = new(intent)
	if err := json.Unmarshal(data, kept); err != nil {
		return nil, false, fmt.Errorf("%s: %w", name, err)
	}
	before, _ := json.Marshal(kept.Order)
	now, _ := json.Marshal(order)
	if !bytes.Equal(before, now) {
		return nil, false, fmt.Errorf("%s is for another order: %s", name, before)
	}
	return kept, false, nil
}

// write writes the file under another name, syncs it to disk, and moves it into
// place with put, so that the file is complete or does not exist.
func (i *intent) write(name string, put func(from, to string) error) error {
	data, err := json.MarshalIndent(i, "", "\t")
	if err != nil {
		return err
	}
	file, err := os.CreateTemp(filepath.Dir(name), ".placeonce-*.json")
	if err != nil {
		return err
	}
	defer os.Remove(file.Name())
	_, err = file.Write(data)
	if err := errors.Join(err, file.Sync(), file.Close()); err != nil {
		return err
	}
	if err := put(file.Name(), name); err != nil || runtime.GOOS == "windows" {
		return err
	}
	folder, err := os.Open(filepath.Dir(name)) // sync the folder, too, to persist the name
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}
