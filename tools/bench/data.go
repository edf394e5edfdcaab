package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/internal/guid"
	"github.com/partnercenter-go/partnercenter/internal/postgrestest"
	"github.com/partnercenter-go/partnercenter/internal/seed"
	"github.com/partnercenter-go/partnercenter/internal/store"
)

// A size is a number of orders per customer that is measured.
type size struct {
	orders    int
	customers int // customers with this number of orders
	hot       int // those that are requested repeatedly
}

// sizes returns the content of the database. Most customers have ten orders. The hot
// sets fit into the server's default cache.
func (o *options) sizes() []size {
	return []size{
		{orders: 2, customers: 30_000, hot: 5_000},
		{orders: 10, customers: o.customers, hot: min(3_000, o.customers)},
		{orders: 200, customers: 1_000, hot: 150},
	}
}

// hotPaths are the lists that are requested repeatedly.
func (s size) hotPaths() []string {
	paths := make([]string, s.hot)
	for i := range paths {
		paths[i] = ordersPath(s.orders, i)
	}
	return paths
}

// data is a database for the measurements.
type data struct {
	path string // the file, or the address in PostgreSQL
	app  seed.App
	// cluster is where it is; nil for SQLite.
	cluster *postgrestest.Cluster
}

// Kinds of databases.
const (
	kindSQLite   = "SQLite"
	kindPostgres = "PostgreSQL"
)

func (d *data) String() string {
	if d.cluster != nil {
		return kindPostgres
	}
	return kindSQLite
}

const (
	partnerID = "3a4b9c53-0000-4000-8000-000000000001"
	clientID  = "3a4b9c53-0000-4000-8000-000000000002"
	// dataVersion is raised when the data changes, so that an old file is not used.
	dataVersion = 3
	loadBatch   = 20_000 // orders
)

// customerID returns the id of a customer by its number of orders and its own number.
// The numbers are mixed, so that neighbours are not requested one after another.
func customerID(orders, n int) string {
	var b [16]byte
	mixed := (uint64(orders)<<40 | uint64(n)) * 0x9e3779b97f4a7c15
	binary.BigEndian.PutUint64(b[:], mixed)
	binary.BigEndian.PutUint64(b[8:], uint64(orders)<<40|uint64(n))
	return guid.Of(b)
}

// prepareData creates the databases that do not exist, and returns how to sign in to
// them.
func prepareData(ctx context.Context, o *options, cluster *postgrestest.Cluster) ([]*data, error) {
	var all []*data
	if o.database != "postgres" {
		path := filepath.Join(o.dir, fmt.Sprintf("orders-v%d-%d.db", dataVersion, o.customers))
		if _, err := os.Stat(path); err != nil {
			if err := makeFile(ctx, path, o.customersByID()); err != nil {
				return nil, err
			}
		}
		all = append(all, &data{path: path})
	}
	if cluster != nil {
		address, err := makePostgres(ctx, cluster, "orders", o.customersByID())
		if err != nil {
			return nil, err
		}
		all = append(all, &data{path: address, cluster: cluster})
	}
	for _, d := range all {
		if err := d.open(ctx); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// warm has the system read the data into its memory, which may have given it up while other
// things were measured.
func (d *data) warm() error {
	root := d.path
	if d.cluster != nil {
		root = d.cluster.Data()
	}
	return filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return nil // a file of PostgreSQL's that is gone
		}
		f, err := os.Open(path)
		if err != nil {
			return nil
		}
		defer f.Close()
		_, err = io.Copy(io.Discard, f)
		return err
	})
}

// open determines how to sign in to a database.
func (d *data) open(ctx context.Context) error {
	st, err := store.Open(ctx, d.path, nil)
	if err != nil {
		return err
	}
	defer st.Close()
	apps, err := st.Apps(ctx, partnerID)
	if err != nil || len(apps) == 0 {
		return fmt.Errorf("no app in %s: %w; remove the file and run again", st.Name(), err)
	}
	d.app = apps[0]
	return nil
}

// makeFile creates a SQLite file of customers with their orders.
func makeFile(ctx context.Context, path string, customers []numbered) error {
	unfinished := path + ".unfinished"
	if err := removeDatabase(unfinished); err != nil {
		return err
	}
	if err := makeData(ctx, unfinished, customers); err != nil {
		return err
	}
	return os.Rename(unfinished, path)
}

// makeData loads customers with their orders into a new database.
func makeData(ctx context.Context, path string, customers []numbered) error {
	started := time.Now()
	st, err := store.Open(ctx, path, nil)
	if err != nil {
		return err
	}
	defer st.Close()
	partner := makePartner()
	total, pending := 0, 0
	for i, c := range customers {
		partner.Customers = append(partner.Customers, makeCustomer(c.orders, c.number))
		pending += c.orders
		if pending < loadBatch && i < len(customers)-1 {
			continue
		}
		if _, err := st.Load(ctx, &seed.Seed{Partners: []seed.Partner{partner}}); err != nil {
			return err
		}
		total, pending, partner.Customers = total+pending, 0, partner.Customers[:0]
		fmt.Fprintf(os.Stderr, "\rloading: %d orders, %s ", total, time.Since(started).Round(time.Second))
	}
	fmt.Fprintln(os.Stderr)
	return st.Close()
}

// makePartner returns the partner of all customers.
func makePartner() seed.Partner {
	return seed.Partner{
		Tenant: seed.Tenant{TenantID: partnerID, Name: "Bench", Domain: "bench.onmicrosoft.com", MPNID: "1", Country: "US"},
		Apps:   []seed.App{{ClientID: clientID, Name: "bench"}},
	}
}

// numbered is a customer to create.
type numbered struct {
	id             string
	orders, number int
}

// customersByID returns all customers ordered by id, which is best for a bulk load: it
// fills pages, and mixes the sizes on disk.
func (o *options) customersByID() []numbered {
	var all []numbered
	for _, s := range o.sizes() {
		for n := range s.customers {
			all = append(all, numbered{customerID(s.orders, n), s.orders, n})
		}
	}
	slices.SortFunc(all, func(a, b numbered) int { return strings.Compare(a.id, b.id) })
	return all
}

func makeCustomer(orders, n int) seed.Customer {
	id := customerID(orders, n)
	c := seed.Customer{Customer: partnercenter.Customer{
		ID: id, RelationshipToPartner: partnercenter.RelationshipToPartnerReseller,
		CompanyProfile: &partnercenter.CustomerCompanyProfile{
			TenantID: id, CompanyName: fmt.Sprintf("Customer %d of %d", n, orders), Domain: fmt.Sprintf("c%dx%d.onmicrosoft.com", n, orders),
			Attributes: attributes(partnercenter.ObjectTypeCustomerCompanyProfile),
		},
		Attributes: attributes(partnercenter.ObjectTypeCustomer),
	}}
	for i := range orders {
		c.Orders = append(c.Orders, makeOrder(id, n, i))
	}
	return c
}

// makeOrder returns an order like the service's today: about a kilobyte.
func makeOrder(customer string, n, i int) partnercenter.Order {
	id := fmt.Sprintf("%06x%06x", n, i)
	self := "/customers/" + customer + "/orders/" + id
	const product = "/products/CFQ7TTC0LH18"
	return partnercenter.Order{
		ID: id, AlternateID: id, ReferenceCustomerID: customer,
		BillingCycle: partnercenter.BillingCycleTypeMonthly, CurrencyCode: "USD", CurrencySymbol: "$",
		LineItems: []partnercenter.OrderLineItem{{
			LineItemNumber: new(0), OfferID: "CFQ7TTC0LH18:0001:CFQ7TTC0K971", SubscriptionID: customer,
			TermDuration: new("P1Y"), TransactionType: "New", FriendlyName: "Business Basic", Quantity: new(i + 1),
			Links: &partnercenter.OrderLineItemLinks{
				Product:      partnercenter.NewLink("GET", product+"?country=US"),
				SKU:          partnercenter.NewLink("GET", product+"/skus/0001?country=US"),
				Availability: partnercenter.NewLink("GET", product+"/skus/0001/availabilities/CFQ7TTC0K971?country=US"),
			},
		}},
		CreationDate: partnercenter.TimeOf(time.Date(2024, 1, 1, 0, i, n%60, 1234567*100, time.UTC)),
		Status:       partnercenter.OrderStatusCompleted, TransactionType: partnercenter.OrderTransactionTypeUserPurchase,
		Links: &partnercenter.OrderLinks{
			ProvisioningStatus: partnercenter.NewLink("GET", self+"/provisioningstatus"), Self: partnercenter.NewLink("GET", self), PatchOperation: partnercenter.NewLink("PATCH", self),
		},
		Client:     &partnercenter.OrderClientInfo{},
		Attributes: attributes(partnercenter.ObjectTypeOrder),
	}
}

func attributes(t partnercenter.ObjectType) *partnercenter.ResourceAttributes {
	return &partnercenter.ResourceAttributes{ObjectType: t}
}
