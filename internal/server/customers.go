package server

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/internal/store"
)

const (
	// maxPageSize is the largest size. Clients send up to 500.
	maxPageSize = 10_000
	// maxFilter bounds a filter, which continuation tokens contain.
	maxFilter = 2048
	// maxOffset is more than any partner's number of customers.
	maxOffset = 10_000_000
)

const keyContinuationToken = "Ms-Continuationtoken"

// ofReseller is the only list of customers that requires a user.
var ofReseller = partnercenter.OperationNamed("customers", "list-by-indirect-reseller")

// listCustomers answers with the partner's customers: all, a page, or those that a
// filter selects.
func (s *Server) listCustomers(c *call) error {
	page, err := s.customerPage(c)
	if err != nil {
		return err
	}
	if page.Filter != nil && page.Filter.Field == partnercenter.CustomerSearchFieldIndirectReseller {
		if err := s.permitOperation(c.claims, ofReseller); err != nil {
			return err
		}
	}
	q := page.query(c.claims.TenantID)
	list, err := s.config.Store.ListCustomers(c.r.Context(), make([]byte, envelopeRoom), q)
	if err != nil {
		return err
	}
	list.Items = append(list.Items, ']')
	items, err := page.appendLinks(s.seal, c.claims.TenantID, list)
	if err != nil {
		return err
	}
	items = append(items, `,"attributes":{"objectType":"Collection"}}`...)
	c.write(http.StatusOK, withEnvelope(items, list.Count))
	return nil
}

// customerPage is a page of customers, as a continuation token stores it.
type customerPage struct {
	Size   int                        `json:"s,omitzero"`
	Filter *partnercenter.FieldFilter `json:"f,omitzero"`
	First  string                     `json:"a,omitzero"` // id of the first customer on the page
	Last   string                     `json:"z,omitzero"` // id of the last

	seek   partnercenter.SeekOperation // relative to the page with First and Last
	offset int
}

// customerPage reads the page that a request asks for. With a continuation token, size
// and filter come from the token, as clients do not repeat them.
func (s *Server) customerPage(c *call) (customerPage, error) {
	var page customerPage
	seek := partnercenter.SeekOperation(c.query["seekoperation"]).Normalize()
	switch seek {
	case "", partnercenter.SeekOperationNext, partnercenter.SeekOperationPrevious, partnercenter.SeekOperationFirst, partnercenter.SeekOperationLast:
	default:
		return page, errEnum("seekOperation", string(seek), []string{"Next", "Previous", "First", "Last"})
	}
	size, err := c.query.number("size", maxPageSize)
	if err != nil {
		return page, err
	}
	tokens := c.r.Header[keyContinuationToken]
	if len(tokens) > 1 {
		return page, errBadToken
	}
	if len(tokens) == 1 && tokens[0] != "" {
		if err := s.seal.open(tokens[0], c.claims.TenantID, &page); err != nil {
			return page, errBadToken
		}
		page.seek, page.Size = cmp.Or(seek, partnercenter.SeekOperationNext), cmp.Or(size, page.Size)
		return page, nil
	}
	// A client that loses its token still asks for Next: it gets the first page, and
	// without a size everything, which ends its loop.
	if page.seek = seek; seek == partnercenter.SeekOperationNext || seek == partnercenter.SeekOperationPrevious {
		page.seek = partnercenter.SeekOperationFirst
	}
	page.Size = size
	if page.offset, err = c.query.number("offset", maxOffset); err != nil {
		return page, err
	}
	if raw := c.query["filter"]; raw != "" {
		page.Filter, err = parseFilter(raw)
	}
	return page, err
}

// searchFields and searchOperators are the values allowed in a filter of customers.
var (
	searchFields    = []string{"CompanyName", "Domain", "IndirectReseller", "IndirectCloudSolutionProvider"}
	searchOperators = []string{
		"starts_with", "not_starts_with", "equals", "not_equals", "substring",
		"greater_than", "greater_than_or_equals", "less_than", "less_than_or_equals",
	}
)

// parseFilter reads a filter: one JSON object, keys in any case and order.
func parseFilter(raw string) (*partnercenter.FieldFilter, error) {
	var f partnercenter.FieldFilter
	const example = `send one like {"Field":"CompanyName","Value":"Cont","Operator":"starts_with"}, percent-encoded`
	if len(raw) > maxFilter {
		return nil, errBadQuery("the filter is longer than "+strconv.Itoa(maxFilter)+" characters", "shorten it")
	}
	if err := json.Unmarshal([]byte(raw), &f, json.MatchCaseInsensitiveNames(true)); err != nil {
		return nil, errBadQuery("the filter is not a field filter in JSON", example)
	}
	if !isText(f.Value) {
		return nil, errBadQuery("the filter's Value has a NUL character", example)
	}
	f.Field, f.Operator = f.Field.Normalize(), f.Operator.Normalize()
	if !slices.Contains(searchFields, string(f.Field)) {
		return nil, errEnum("Field", string(f.Field), searchFields)
	}
	f.Operator = cmp.Or(f.Operator, partnercenter.FilterOperatorStartsWith)
	if !slices.Contains(searchOperators, string(f.Operator)) {
		return nil, errEnum("Operator", string(f.Operator), searchOperators)
	}
	return &f, nil
}

// query returns the store's query for the page.
func (p *customerPage) query(partnerID string) store.CustomerQuery {
	q := store.CustomerQuery{PartnerID: partnerID, Offset: p.offset, Limit: p.Size}
	if p.Filter != nil {
		q.Filter = &store.CustomerFilter{Field: p.Filter.Field, Operator: p.Filter.Operator, Value: p.Filter.Value}
	}
	switch p.seek {
	case partnercenter.SeekOperationNext:
		q.After = p.Last
	case partnercenter.SeekOperationPrevious:
		q.Before = p.First
	case partnercenter.SeekOperationLast:
		q.Last = true
	}
	return q
}

// appendLinks writes the continuation token and the links of a page.
func (p *customerPage) appendLinks(seal *sealer, partnerID string, list store.CustomerList) ([]byte, error) {
	body, token := list.Items, ""
	if p.Size > 0 && p.offset == 0 && p.hasNext(list.First, list.More) {
		var err error
		token, err = seal.seal(partnerID, customerPage{Size: p.Size, Filter: p.Filter, First: list.First, Last: list.Last})
		if err != nil {
			return nil, err
		}
		body = append(body, `,"continuationToken":"`...)
		body = append(body, token...)
		body = append(body, '"')
	}
	body = append(body, `,"links":{"self":`...)
	body = appendLink(body, p.uri(p.offset, ""), "")
	switch {
	case token != "":
		body = append(body, `,"next":`...)
		body = appendLink(body, p.uri(0, partnercenter.SeekOperationNext), token)
	case list.More && p.Size > 0 && p.offset > 0:
		body = append(body, `,"next":`...)
		body = appendLink(body, p.uri(p.offset+p.Size, ""), "")
	}
	return append(body, '}'), nil
}

// hasNext reports whether customers follow the page. The store reports whether there
// are more in the direction of reading, which is not always forward.
func (p *customerPage) hasNext(first string, more bool) bool {
	switch p.seek {
	case partnercenter.SeekOperationPrevious:
		return first != "" // the client came from there
	case partnercenter.SeekOperationLast:
		return false
	}
	return more
}

// uri is the address of a page. It omits the version, the one form that every client
// resolves.
func (p *customerPage) uri(offset int, seek partnercenter.SeekOperation) string {
	var query []string
	if p.Size > 0 {
		query = append(query, "size="+strconv.Itoa(p.Size))
	}
	if offset > 0 {
		query = append(query, "offset="+strconv.Itoa(offset))
	}
	if seek != "" {
		query = append(query, "seekOperation="+string(seek))
	} else if p.Filter != nil {
		filter, err := json.Marshal(p.Filter)
		if err == nil {
			query = append(query, "filter="+url.QueryEscape(string(filter)))
		}
	}
	if len(query) == 0 {
		return "/customers"
	}
	return "/customers?" + strings.Join(query, "&")
}

// appendLink writes a link. Its strings are URL-encoded, so they need no escaping.
func appendLink(body []byte, uri, token string) []byte {
	body = append(body, `{"uri":"`...)
	body = append(body, uri...)
	body = append(body, `","method":"GET","headers":[`...)
	if token != "" {
		body = append(body, `{"key":"MS-ContinuationToken","value":"`...)
		body = append(body, token...)
		body = append(body, `"}`...)
	}
	return append(body, `]}`...)
}

// getCustomer answers with one customer.
func (s *Server) getCustomer(c *call) error {
	body, err := s.config.Store.GetCustomer(c.r.Context(), c.claims.TenantID, c.customer)
	if err != nil {
		return err
	}
	c.write(http.StatusOK, body)
	return nil
}

// getCompanyProfile answers with a customer's company profile.
func (s *Server) getCompanyProfile(c *call) error {
	return s.aboutCustomer(c, func(customer *partnercenter.Customer) (any, error) {
		if customer.CompanyProfile == nil {
			return nil, errNoProfile("company", customer.ID)
		}
		return customer.CompanyProfile, nil
	})
}

// getBillingProfile answers with a customer's billing profile.
func (s *Server) getBillingProfile(c *call) error {
	return s.aboutCustomer(c, func(customer *partnercenter.Customer) (any, error) {
		if customer.BillingProfile == nil {
			return nil, errNoProfile("billing", customer.ID)
		}
		return customer.BillingProfile, nil
	})
}

// aboutCustomer answers with a part of a customer.
func (s *Server) aboutCustomer(c *call, part func(*partnercenter.Customer) (any, error)) error {
	doc, err := s.config.Store.GetCustomer(c.r.Context(), c.claims.TenantID, c.customer)
	if err != nil {
		return err
	}
	var customer partnercenter.Customer
	if err := partnercenter.Unmarshal(doc, &customer); err != nil {
		return err
	}
	value, err := part(&customer)
	if err != nil {
		return err
	}
	return c.writeJSON(value)
}
