package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/internal/ascii"
	"github.com/partnercenter-go/partnercenter/internal/guid"
	"github.com/partnercenter-go/partnercenter/internal/seed"
)

// CustomerQuery says which customers to list.
type CustomerQuery struct {
	PartnerID string
	Filter    *CustomerFilter // nil means all
	// After and Before are customer ids: the list begins after the one and ends before
	// the other. With Before alone it has the Limit customers right before it.
	After, Before string
	// Last selects the last Limit customers.
	Last   bool
	Offset int // number to skip, in the direction of reading
	Limit  int // 0 means all
}

// CustomerFilter compares a field of customers with a value, case-insensitively.
type CustomerFilter struct {
	Field    partnercenter.CustomerSearchField
	Operator partnercenter.FilterOperator
	Value    string
}

// filterColumns are the columns of the search fields.
var filterColumns = map[partnercenter.CustomerSearchField]string{
	partnercenter.CustomerSearchFieldCompanyName:                   "company_name",
	partnercenter.CustomerSearchFieldDomain:                        "domain",
	partnercenter.CustomerSearchFieldIndirectReseller:              "reseller_id",
	partnercenter.CustomerSearchFieldIndirectCloudSolutionProvider: "partner_id",
}

// filterConditions compare a column with the value, $2. None of them has wildcards, so
// the value needs no escaping.
var filterConditions = map[partnercenter.FilterOperator]string{
	partnercenter.FilterOperatorEquals:              "%s = $2",
	partnercenter.FilterOperatorNotEquals:           "%s <> $2",
	partnercenter.FilterOperatorGreaterThan:         "%s > $2",
	partnercenter.FilterOperatorGreaterThanOrEquals: "%s >= $2",
	partnercenter.FilterOperatorLessThan:            "%s < $2",
	partnercenter.FilterOperatorLessThanOrEquals:    "%s <= $2",
	partnercenter.FilterOperatorSubstring:           "($2 = '' OR replace(%[1]s, $2, '') <> %[1]s)", // every dialect has it
	partnercenter.FilterOperatorStartsWith:          "substr(%s, 1, length($2)) = $2",
	partnercenter.FilterOperatorNotStartsWith:       "substr(%s, 1, length($2)) <> $2",
}

// condition returns the filter in SQL and the value of $2 in it.
func (f *CustomerFilter) condition() (sql, value string, err error) {
	if f == nil {
		return "$2 = ''", "", nil
	}
	column, ok := filterColumns[f.Field.Normalize()]
	condition, ok2 := filterConditions[f.Operator.Normalize()]
	if !ok || !ok2 {
		return "", "", fmt.Errorf("field %q, operator %q: %w", f.Field, f.Operator, ErrFilter)
	}
	return fmt.Sprintf(condition, column), searchKey(f.Value), nil
}

// CustomerList is the result of [Store.ListCustomers].
type CustomerList struct {
	Items []byte // documents separated by commas, after the original content
	Count int
	// First and Last are the ids to continue from.
	First, Last string
	// More says that there are more in the direction of reading: before the first one
	// with Before alone or Last, otherwise after the last one.
	More bool
}

// ListCustomers appends the documents of the partner's customers, in the short form of
// lists, to dst, separated by commas and ordered by customer id. It fails with
// [ErrFilter] or [ErrDamaged].
func (s *Store) ListCustomers(ctx context.Context, dst []byte, q CustomerQuery) (list CustomerList, err error) {
	if s.pg == nil {
		return s.listCustomers(ctx, s.read, dst, q)
	}
	err = s.readList((*replica).hasAll, func(from source) error {
		list, err = s.listCustomers(ctx, from.db, dst, q)
		return err
	})
	return list, err
}

func (s *Store) listCustomers(ctx context.Context, db *sql.DB, dst []byte, q CustomerQuery) (CustomerList, error) {
	fail := func(err error) (CustomerList, error) {
		return CustomerList{Items: dst}, s.wrapError("list customers", err)
	}
	condition, value, err := q.Filter.condition()
	if err != nil {
		return fail(err)
	}
	backward := q.Last || q.Before != "" && q.After == ""
	direction := "ASC"
	if backward {
		direction = "DESC"
	}
	limit := q.Limit
	if limit <= 0 {
		limit = math.MaxInt - 1
	}
	rows, err := db.QueryContext(ctx, `
SELECT customer_id, summary FROM customers
WHERE partner_id = $1 AND active = 1 AND customer_id > $3 AND ($4 = '' OR customer_id < $4) AND `+condition+`
ORDER BY customer_id `+direction+` LIMIT $5 OFFSET $6`,
		idKey(q.PartnerID), value, idKey(q.After), idKey(q.Before), limit+1, max(q.Offset, 0))
	if err != nil {
		return fail(err)
	}
	defer rows.Close()
	list := CustomerList{Items: dst}
	var page []string // of a backward read, to be reversed
	for rows.Next() {
		if list.Count == limit {
			list.More = true
			break
		}
		var id string
		var summary sql.RawBytes // valid until the next row, and not copied before
		if err := rows.Scan(&id, &summary); err != nil {
			return fail(err)
		}
		if !isDocument(summary) {
			return fail(damagedCustomer(id, q.PartnerID))
		}
		if list.Count == 0 {
			list.First = id
		}
		list.Last = id
		list.Count++
		if backward {
			page = append(page, string(summary))
		} else {
			list.Items = append(append(list.Items, summary...), ',')
		}
	}
	if err := rows.Err(); err != nil {
		return fail(err)
	}
	switch {
	case backward:
		list.First, list.Last = list.Last, list.First
		slices.Reverse(page)
		list.Items = append(list.Items, strings.Join(page, ",")...)
	case list.Count > 0:
		list.Items = list.Items[:len(list.Items)-1] // the last comma
	}
	return list, nil
}

const getCustomerSQL = `SELECT doc FROM customers WHERE partner_id = $1 AND customer_id = $2 AND active = 1`

// GetCustomer returns the document of a customer. It fails with [ErrNotYours] or
// [ErrDamaged].
func (s *Store) GetCustomer(ctx context.Context, partnerID, customerID string) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	var doc []byte
	ctx, cancel := s.briefly(ctx)
	defer cancel()
	err := s.getCustomer.QueryRowContext(ctx, idKey(partnerID), idKey(customerID)).Scan(&doc)
	if err == nil && !isDocument(doc) {
		err = damagedCustomer(customerID, partnerID)
	}
	return doc, s.customerError("get customer", err)
}

// CustomerTenant is the tenant of a customer.
type CustomerTenant struct {
	ID, Domain string
	Partners   []string // with a relationship to the customer
}

// CustomerTenant returns the tenant with an id or with one of its domains, if it is that
// of a customer of any partner. It is nil for others.
func (s *Store) CustomerTenant(ctx context.Context, name string) (*CustomerTenant, error) {
	id := idKey(name)
	if !guid.Is(name) {
		var err error
		if id, err = s.customerOfDomain(ctx, name); err != nil || id == "" {
			return nil, err
		}
	}
	var found *CustomerTenant
	_, err := queryAll(ctx, s, "read a customer's tenant", func(rows *sql.Rows) (none struct{}, err error) {
		var summary, partner string
		var active bool
		if err := rows.Scan(&summary, &partner, &active); err != nil {
			return none, err
		}
		if found == nil {
			found = &CustomerTenant{ID: id}
			if found.Domain, err = domainOf(id, summary); err != nil {
				return none, err
			}
		}
		if active {
			found.Partners = append(found.Partners, partner)
		}
		return none, nil
	}, `
SELECT summary, partner_id, active FROM customers WHERE partner_id IN (SELECT partner_id FROM partners) AND customer_id = $1 ORDER BY partner_id`, id)
	return found, err
}

// customerOfDomain returns the id of the customer that has a domain, "" if none has. The
// column of customers is for searches, to which more is the same than to sign-ins.
func (s *Store) customerOfDomain(ctx context.Context, name string) (string, error) {
	if name == "" { // as of the customers without a domain
		return "", nil
	}
	ids, err := queryAll(ctx, s, "find a customer's tenant", func(rows *sql.Rows) (id string, err error) {
		var summary sql.NullString
		if err := rows.Scan(&id, &summary); err != nil || !summary.Valid {
			return id, err
		}
		domain, err := domainOf(id, summary.String)
		if err != nil || !ascii.EqualFold(domain, name) {
			return "", err
		}
		return id, nil
	}, `
SELECT customer_id, summary FROM (
    SELECT customer_id, summary FROM customers WHERE partner_id IN (SELECT partner_id FROM partners) AND domain = $1
    UNION ALL
    SELECT customer_id, NULL FROM customer_domains WHERE partner_id IN (SELECT partner_id FROM partners) AND domain = $2
) AS found ORDER BY summary IS NULL, customer_id`, searchKey(name), fold(name))
	if i := slices.IndexFunc(ids, func(id string) bool { return id != "" }); i >= 0 {
		return ids[i], err
	}
	return "", err
}

// domainOf returns the domain in a customer's document.
func domainOf(id, doc string) (string, error) {
	var c partnercenter.Customer
	if err := decodeDocument(doc, &c); err != nil {
		return "", fmt.Errorf("customer %s: %w", id, err)
	}
	if c.CompanyProfile == nil {
		return "", nil
	}
	return c.CompanyProfile.Domain, nil
}

const putCustomerSQL = `
INSERT INTO customers (partner_id, customer_id, active, reseller_id, company_name, domain, summary, doc, country, agreement)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, CASE WHEN $10 < 0 THEN 1 ELSE $10 END)
ON CONFLICT (partner_id, customer_id) DO UPDATE SET
    active = excluded.active, reseller_id = excluded.reseller_id, company_name = excluded.company_name,
    domain = excluded.domain, summary = excluded.summary, doc = excluded.doc, country = excluded.country,
    agreement = CASE WHEN $10 < 0 THEN customers.agreement ELSE $10 END
WHERE customers.doc <> excluded.doc OR $10 >= 0 AND customers.agreement <> $10`

// completeCustomer returns the customer to store.
func (bulk *bulkTx) completeCustomer(partnerID string, c *seed.Customer) (*partnercenter.Customer, error) {
	if c.Complete() {
		return &c.Customer, nil
	}
	stored, err := bulk.storedCustomer(idKey(partnerID), idKey(c.Customer.ID))
	if err != nil {
		return nil, err
	}
	if stored == "" {
		return &c.Customer, nil
	}
	known := new(partnercenter.Customer)
	if err := decodeDocument(stored, known); err != nil {
		return nil, err
	}
	return c.Over(known)
}

// storedCustomer returns the document of a customer, or nothing if there is none.
func (bulk *bulkTx) storedCustomer(partner, customer string) (doc string, err error) {
	if bulk.postgres != nil {
		return bulk.postgres.stored[customer], nil
	}
	err = bulk.QueryRowContext(bulk.ctx, `SELECT doc FROM customers WHERE partner_id = $1 AND customer_id = $2`, partner, customer).Scan(&doc)
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	return doc, err
}

// customerColumns are the columns that follow from a customer's document, in the order in
// which [customerArgs] returns them after the key.
var customerColumns = []string{"active", "reseller_id", "company_name", "domain", "summary", "doc", "country"}

// customerArgs returns the first parameters of putCustomerSQL: the key and the columns.
func customerArgs(partner, customer string, c *partnercenter.Customer) ([]any, error) {
	full := *c
	full.UserCredentials = nil // only in the answer to a creation
	doc, err := document(&full)
	if err != nil {
		return nil, err
	}
	listed := partnercenter.Customer{
		ID:                    c.ID,
		RelationshipToPartner: c.RelationshipToPartner,
		Links:                 c.Links,
		Attributes:            c.Attributes,
	}
	var profile partnercenter.CustomerCompanyProfile
	if p := c.CompanyProfile; p != nil {
		profile = partnercenter.CustomerCompanyProfile{
			TenantID: p.TenantID, Domain: p.Domain, CompanyName: p.CompanyName, Links: p.Links, Attributes: p.Attributes,
		}
		listed.CompanyProfile = &profile
	}
	summary, err := document(&listed)
	if err != nil {
		return nil, err
	}
	return []any{
		partner, customer, boolToInt(isActive(c)), idKey(c.AssociatedPartnerID), searchKey(profile.CompanyName), searchKey(profile.Domain),
		summary, doc, seed.CountryOf(c),
	}, nil
}

// putCustomer creates or replaces a customer. A nil agreement keeps the stored one; a new
// customer's is confirmed.
func (bulk *bulkTx) putCustomer(partnerID string, c *partnercenter.Customer, agreement *bool) error {
	partner, customer := idKey(partnerID), idKey(c.ID)
	args, err := customerArgs(partner, customer, c)
	if err != nil {
		return err
	}
	accepted := int64(-1)
	if agreement != nil {
		accepted = boolToInt(*agreement)
	}
	args = append(args, accepted)
	stored := func(changed bool) error {
		if !changed {
			return nil
		}
		bulk.note(partnerID, c.ID)
		return bulk.putDomains(partner, customer, c.CustomDomains)
	}
	if bulk.postgres != nil && bulk.postgres.isNew(args) {
		args[len(args)-1] = boolToInt(accepted != 0)
		bulk.postgres.copy(insertCustomer, validArgs(args))
		return stored(true)
	}
	return bulk.later(stored, putCustomerSQL, args...)
}

var (
	// insertCustomer has the parameters of putCustomerSQL.
	insertCustomer = newInsertion("customers", 2, "partner_id", "customer_id", "active", "reseller_id", "company_name", "domain", "summary", "doc", "country", "agreement")
	insertDomain   = newInsertion("customer_domains", 3, "partner_id", "customer_id", "domain")
)

// putDomains replaces the domains that a customer has besides the one of its profile.
func (bulk *bulkTx) putDomains(partner, customer string, domains []string) error {
	if bulk.postgres == nil || !bulk.postgres.isNew([]any{partner, customer}) {
		if err := bulk.later(nil, `DELETE FROM customer_domains WHERE partner_id = $1 AND customer_id = $2`, partner, customer); err != nil {
			return err
		}
	}
	for _, domain := range domains {
		if err := bulk.insert(insertDomain, partner, customer, fold(domain)); err != nil {
			return err
		}
	}
	return nil
}

// isActive reports whether the partner still has the customer.
func isActive(c *partnercenter.Customer) bool {
	return c.RelationshipToPartner.Normalize() != partnercenter.RelationshipToPartnerNone
}
