package partnercenter

import (
	"context"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"strconv"

	"github.com/go-json-experiment/json"
)

// CustomersClient reaches the partner's customers. Get it from
// [Client.Customers].
type CustomersClient struct{ client *Client }

// CustomersQuery selects customers. The zero value selects all, in one answer.
type CustomersQuery struct {
	// Size is how many customers an answer carries at most. Zero means no
	// limit in [CustomersClient.Query] and DefaultPageSize in
	// [CustomersClient.QueryAll].
	Size int
	// Filter, if not nil, narrows the customers.
	Filter *FieldFilter
	// Offset skips customers, for paging by size and offset.
	Offset int
	// ByOffset makes [CustomersClient.QueryAll] page by size and offset rather
	// than by continuation token. Customers that come or go meanwhile can then
	// be missed or seen twice; tokens do not have that flaw.
	ByOffset bool
	// Seek and ContinuationToken continue an earlier query, whose size and
	// filter the token remembers. Leave Size, Filter and Offset zero with
	// them.
	Seek              SeekOperation
	ContinuationToken string
}

// DefaultPageSize is how many customers All and QueryAll ask for at once.
const DefaultPageSize = 500

// FieldFilter compares a field of a resource with a value. The value's case is
// ignored.
type FieldFilter struct {
	Field    CustomerSearchField `json:"Field"`
	Value    string              `json:"Value"`
	Operator FilterOperator      `json:"Operator"`
}

// ByID reaches one customer by its tenant id.
func (c *CustomersClient) ByID(id string) *CustomerClient {
	m := market{client: c.client, forCustomer: true, customerID: id}
	return &CustomerClient{
		Orders:              &OrdersClient{client: c.client, customerID: id},
		Subscriptions:       &SubscriptionsClient{client: c.client, customerID: id},
		Profiles:            newProfilesClient(c.client, id),
		Offers:              &CustomerOffersClient{offerList{market: m, path: "/offers"}},
		OfferCategories:     &OfferCategoriesClient{m},
		Products:            &ProductsClient{market: m},
		ApplicationConsents: &ApplicationConsentsClient{client: c.client, customerID: id},
		client:              c.client,
		id:                  id,
	}
}

// Get returns all customers in one answer. For many customers prefer
// [CustomersClient.All], which pages.
//
// https://learn.microsoft.com/partner-center/developer/get-a-list-of-customers
func (c *CustomersClient) Get(ctx context.Context) (*Collection[*Customer], error) {
	return c.Query(ctx, CustomersQuery{})
}

// All yields all customers, page by page. It checks that each answer carries
// the items it counts and ends with a [*ShortAnswerError] where one does not,
// unless ClientOptions.AllowShortAnswers is set. After an error it yields
// nothing.
func (c *CustomersClient) All(ctx context.Context) iter.Seq2[*Customer, error] {
	return c.QueryAll(ctx, CustomersQuery{})
}

// Query returns one page of the customers that q selects. Its
// ContinuationToken, if any, leads to the next with SeekNext.
//
// https://learn.microsoft.com/partner-center/developer/get-a-list-of-customers-filtered-by-a-search-field
func (c *CustomersClient) Query(ctx context.Context, q CustomersQuery) (*Collection[*Customer], error) {
	address, header, err := c.address(q)
	if err != nil {
		return nil, err
	}
	page := new(Collection[*Customer])
	if err := c.client.get(ctx, address, header, page); err != nil {
		return nil, err
	}
	return page, nil
}

// QueryAll yields all customers that q selects, page by page, with the checks
// of [CustomersClient.All].
func (c *CustomersClient) QueryAll(ctx context.Context, q CustomersQuery) iter.Seq2[*Customer, error] {
	if q.Size == 0 && q.Seek == "" {
		q.Size = DefaultPageSize
	}
	return paged(c.client, "/customers", func() fetch[Customer] { return c.fetchAll(ctx, q) })
}

// fetchAll pages through what q selects, in the style that q asks for.
func (c *CustomersClient) fetchAll(ctx context.Context, q CustomersQuery) fetch[Customer] {
	done := false
	return func() (*Collection[*Customer], error) {
		if done {
			return nil, nil
		}
		page, err := c.Query(ctx, q)
		if err != nil {
			return nil, err
		}
		if q.ByOffset {
			// A page that is not full is the last; one that is too full comes
			// from a service that ignores the size and answers everything.
			q.Offset += len(page.Items)
			done = len(page.Items) != q.Size
			return page, nil
		}
		token := page.ContinuationToken
		if token == "" && page.Links != nil {
			token = continuation(page.Links.Next)
		}
		if token != "" && token == q.ContinuationToken {
			return nil, fmt.Errorf("partnercenter: the service repeats continuation token %q: the list would never end; try again, or page by offset", token)
		}
		done = token == ""
		q = CustomersQuery{Seek: SeekNext, ContinuationToken: token}
		return page, nil
	}
}

func (c *CustomersClient) address(q CustomersQuery) (string, http.Header, error) {
	query, header := url.Values{}, http.Header{}
	switch {
	case q.Size < 0 || q.Offset < 0:
		return "", nil, fmt.Errorf("partnercenter: size %d, offset %d: neither can be negative; zero means no limit and no offset", q.Size, q.Offset)
	case q.Size > 0:
		query.Set("size", strconv.Itoa(q.Size))
	case q.Filter != nil:
		// Microsoft's clients send the size with every filter, zero for none.
		query.Set("size", "0")
	}
	if q.Offset > 0 {
		query.Set("offset", strconv.Itoa(q.Offset))
	}
	if q.Filter != nil {
		filter, err := json.Marshal(q.Filter, encodeOptions)
		if err != nil {
			return "", nil, fmt.Errorf("partnercenter: the filter cannot be written as JSON: %w", err)
		}
		query.Set("filter", string(filter))
	}
	if q.Seek != "" {
		query.Set("seekOperation", string(q.Seek))
	}
	if q.ContinuationToken != "" {
		header.Set(headerContinuationToken, q.ContinuationToken)
	}
	return c.client.url("/customers", query), header, nil
}

// CustomerClient reaches one customer. Get it from [CustomersClient.ByID].
type CustomerClient struct {
	// Orders are the customer's orders.
	Orders *OrdersClient
	// Subscriptions are what the customer's orders gave it.
	Subscriptions *SubscriptionsClient
	// Profiles say who the customer is and how it is billed.
	Profiles *ProfilesClient
	// Offers, OfferCategories and Products are what the customer can buy.
	Offers          *CustomerOffersClient
	OfferCategories *OfferCategoriesClient
	Products        *ProductsClient
	// ApplicationConsents are the customer's consents to applications, such as a
	// control panel vendor's.
	ApplicationConsents *ApplicationConsentsClient

	client *Client
	id     string
}

// Get returns the customer with its billing profile.
//
// The error is an [*Error] with status 400 and code 900118 for an id that is
// no GUID, and 403 and code 20002 for a customer that is not this partner's,
// whether it exists or not.
//
// https://learn.microsoft.com/partner-center/developer/get-a-customer-by-id
func (c *CustomerClient) Get(ctx context.Context) (*Customer, error) {
	id, err := segment("customer id", c.id)
	if err != nil {
		return nil, err
	}
	customer := new(Customer)
	if err := c.client.get(ctx, c.client.url("/customers/"+id, nil), nil, customer); err != nil {
		return nil, err
	}
	return customer, nil
}
