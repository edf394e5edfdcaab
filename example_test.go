package partnercenter_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"

	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/partnercentertest"
)

// sample is a customer of the sample data.
const sample = partnercentertest.CustomerID

// startServer starts a local Partner Center for an example and returns a client
// that is signed in to it.
func startServer() (*partnercenter.Client, func()) {
	srv, err := partnercentertest.Start(partnercentertest.Options{})
	if err != nil {
		log.Fatal(err)
	}
	return srv.Client(), srv.Close
}

// Sign in to Microsoft's global cloud as an app.
func ExampleNewClient() {
	cred, err := azidentity.NewClientSecretCredential("tenant id", "client id", "client secret", nil)
	if err != nil {
		log.Fatal(err)
	}
	pc, err := partnercenter.NewClient(cred, nil)
	if err != nil {
		log.Fatal(err)
	}
	orders, err := pc.Customers.ByID("customer id").Orders.Get(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(len(orders.Items))
}

// Another cloud, the caller's name, and texts in another language.
func ExampleNewClient_options() {
	cred, err := azidentity.NewDefaultAzureCredential(nil)
	if err != nil {
		log.Fatal(err)
	}
	opts := &partnercenter.ClientOptions{ApplicationName: "order report", Locale: "de-DE"}
	opts.Cloud = partnercenter.Cloud21Vianet
	opts.Retry.MaxRetries = 5
	if _, err := partnercenter.NewClient(cred, opts); err != nil {
		log.Fatal(err)
	}
}

// A call that the token does not allow is not sent; the error says how to fix
// it.
func ExampleCredentialError() {
	pc, done := startServer() // signed in as an app
	defer done()

	_, err := pc.Customers.ByID(sample).Profiles.Company.Get(context.Background())
	var refused *partnercenter.CredentialError
	if errors.As(err, &refused) && refused.Reason == partnercenter.CredentialReasonNeedsUser {
		fmt.Println(refused.Operation, "requires a signed-in user")
	}
	// Output: customers get-company-profile requires a signed-in user
}

// Get returns all of a customer's orders, newest first.
func ExampleOrdersClient_Get() {
	pc, done := startServer()
	defer done()

	orders, err := pc.Customers.ByID(sample).Orders.Get(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	for _, order := range orders.Items {
		fmt.Println(order.ID, order.CreationDate, order.Status)
	}
	// Output:
	// 9qg-ErcO-4MPbPqq_3MIQaS7bn8W6HfG1 2018-03-15T02:17:15.6455674Z pending
	// eeba9d00-7b46-443a-917e-22887a8fc993 2018-03-06T17:37:05.253-08:00 completed
}

// All yields the same orders, and an error if some are missing.
func ExampleOrdersClient_All() {
	pc, done := startServer()
	defer done()

	orders := pc.Customers.ByID(sample).Orders.All(context.Background(), partnercenter.IncludePrice(), partnercenter.IncludeSystemPurchases())
	for order, err := range orders {
		if err != nil {
			log.Fatal(err)
		}
		for _, line := range order.LineItems {
			fmt.Println(*line.Quantity, line.FriendlyName)
		}
	}
	// Output:
	// 1 Reserved_VM_Instance_Standard_D1_AP_East_1_Year
	// 1 Azure Active Directory Premium P2
	// 1 Microsoft Azure
}

// Billing cycles can be spelled in any way.
func ExampleOrdersClient_ByBillingCycleType() {
	pc, done := startServer()
	defer done()

	orders, err := pc.Customers.ByID(sample).Orders.ByBillingCycleType("OneTime").Get(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(len(orders.Items), orders.Items[0].BillingCycle)
	// Output: 1 one_time
}

func ExampleOrderClient_Get() {
	pc, done := startServer()
	defer done()

	order, err := pc.Customers.ByID(sample).Orders.ByID("9qg-ErcO-4MPbPqq_3MIQaS7bn8W6HfG1").Get(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(order.Status, order.CreationDate.Time().Year())
	// Output: pending 2018
}

// Place an order exactly once, even if the network fails or the program
// crashes: save the request id with the order, and repeat the call with both.
func ExampleOrdersClient_Create() {
	pc, done := startServer()
	defer done()

	requestID := partnercenter.NewRequestID() // save it before the call
	order := &partnercenter.Order{
		ReferenceCustomerID: sample,
		BillingCycle:        partnercenter.BillingCycleTypeMonthly,
		LineItems: []partnercenter.OrderLineItem{{
			LineItemNumber: new(0),
			OfferID:        "031C9E47-4802-4248-838E-778FB1D2CC05",
			Quantity:       new(5),
		}},
	}
	ctx := partnercenter.WithRequestID(context.Background(), requestID)
	placed, err := pc.Customers.ByID(sample).Orders.Create(ctx, order)
	switch {
	case partnercenter.Unsettled(err):
		fmt.Println("call again later with the same order and id", requestID)
	case err != nil:
		fmt.Println("nothing was bought:", err)
	default:
		fmt.Println(placed.Status, *placed.LineItems[0].Quantity)
	}
	// Output: completed 5
}

// Buy through a cart. Checking it out again, also after an error, buys nothing twice.
func ExampleCartClient_CheckOut() {
	pc, stop := startServer()
	defer stop()
	ctx := context.Background()

	carts := pc.Customers.ByID(sample).Carts
	cart, err := carts.Create(ctx, &partnercenter.Cart{LineItems: []partnercenter.CartLineItem{
		{CatalogItemID: "CFQ7TTC0LFLX:0001:CFQ7TTC0K8QN", Quantity: new(5), BillingCycle: partnercenter.BillingCycleTypeMonthly, TermDuration: "P1Y"},
	}})
	if err != nil {
		log.Fatal(err)
	}
	for _, line := range cart.LineItems {
		if line.Error != nil {
			log.Fatal(line.Error.ErrorDescription)
		}
	}
	result, err := carts.ByID(cart.ID).CheckOut(ctx)
	if err != nil {
		log.Fatal(err) // check it out again if partnercenter.Unsettled(err)
	}
	for _, order := range result.Orders {
		fmt.Println(order.Status, order.TotalPrice, order.CurrencyCode)
	}
	for _, e := range result.OrderErrors {
		fmt.Println("not ordered:", e.OrderGroupID, e.Description)
	}
	// Output: pending 2160.00 USD
}

// Change the number of licences, and nothing else.
func ExampleSubscriptionClient_Change() {
	pc, done := startServer()
	defer done()
	ctx := context.Background()

	client := pc.Customers.ByID(sample).Subscriptions.ByID("subscription id")
	_, err := client.Change(ctx, func(s *partnercenter.Subscription) error {
		s.Quantity = new(10)
		return nil
	})
	var e *partnercenter.Error
	if errors.As(err, &e) && e.Code == partnercenter.ErrorCodeEtagStale {
		fmt.Println("somebody else changed it meanwhile: try again")
	}
}

// Attach a purchase order.
func ExampleAttachmentsClient_Upload() {
	pc, done := startServer()
	defer done()

	file, err := os.Open("PO.pdf")
	if err != nil {
		log.Fatal(err)
	}
	defer file.Close()
	attachments := pc.Customers.ByID(sample).Orders.ByID("order id").Attachments
	attached, err := attachments.Upload(context.Background(), &partnercenter.AttachmentUpload{
		Metadata:       partnercenter.AttachmentMetadata{CustomerPrice: "156.87", Currency: "CAD"},
		PurchaseOrders: []partnercenter.AttachmentFile{{Name: "PO.pdf", Content: file}},
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(attached.Items[0].AttachmentID)
}

// Follow a link of an answer.
func ExampleCustomerClient_Follow() {
	pc, done := startServer()
	defer done()
	ctx := context.Background()

	customer := pc.Customers.ByID(sample)
	order, err := customer.Orders.ByID("9qg-ErcO-4MPbPqq_3MIQaS7bn8W6HfG1").Get(ctx)
	if err != nil {
		log.Fatal(err)
	}
	var same partnercenter.Order
	if err := customer.Follow(ctx, order.Links.Self, &same); err != nil {
		log.Fatal(err)
	}
	fmt.Println(same.ID)
	// Output: 9qg-ErcO-4MPbPqq_3MIQaS7bn8W6HfG1
}

// Search by prefix of the company name, page by page.
func ExampleCustomersClient_QueryAll() {
	pc, done := startServer()
	defer done()

	customers := pc.Customers.QueryAll(context.Background(), partnercenter.CustomersQuery{
		Size: 10,
		Filter: &partnercenter.FieldFilter{
			Field: partnercenter.CustomerSearchFieldCompanyName, Value: "wing", Operator: partnercenter.FilterOperatorStartsWith,
		},
	})
	for customer, err := range customers {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(customer.CompanyProfile.CompanyName)
	}
	// Output: Wingtip Toys
}

// One page at a time, by continuation token.
func ExampleCustomersClient_Query() {
	pc, done := startServer()
	defer done()
	ctx := context.Background()

	page, err := pc.Customers.Query(ctx, partnercenter.CustomersQuery{Size: 20})
	for {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(len(page.Items), "customers")
		if page.ContinuationToken == "" {
			break
		}
		page, err = pc.Customers.Query(ctx, partnercenter.CustomersQuery{
			Seek: partnercenter.SeekOperationNext, ContinuationToken: page.ContinuationToken,
		})
	}
	// Output:
	// 20 customers
	// 9 customers
}

// Errors are matched by type and code.
func ExampleError() {
	pc, done := startServer()
	defer done()

	_, err := pc.Customers.ByID("00000000-0000-0000-0000-000000000001").Orders.Get(context.Background())
	var e *partnercenter.Error
	if errors.As(err, &e) && e.Code == partnercenter.ErrorCodeNoRelationship {
		fmt.Println(e.StatusCode, e.Category)
		fmt.Println(e.NextStep)
	}
	// Output:
	// 403 forbidden
	// check that the partner may do this for the customer, and that the app or user has the required role
}

// Move seats of a subscription in new commerce to what it can become.
func ExampleTransitionsClient_Create() {
	pc, done := startServer()
	defer done()
	ctx := context.Background()

	subscription := pc.Customers.ByID("3c2f9d17-86b4-4e0a-9a57-d1f4b82c6e03").Subscriptions.ByID("b072f199-8a77-41cd-a8db-70162fe03b03")
	possible, err := subscription.TransitionEligibilities.Get(ctx)
	if err != nil {
		log.Fatal(err)
	}
	moved, err := subscription.Transitions.Create(ctx, &partnercenter.Transition{
		ToCatalogItemID: possible.Items[0].CatalogItemID, Quantity: new(3), TransitionType: partnercenter.TransitionTypeOnly,
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(moved.GetQuantity(), "seats of", moved.ToCatalogItemID)
	// Output: 3 seats of CFQ7TTC0LDPB:0001:CFQ7TTC0K3WX
}
