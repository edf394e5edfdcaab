package store

// table is a table of the schema. What works on all of them goes by [tables], which a
// test holds against the schemas of both dialects.
type table struct {
	name  string
	owner owner
	// key identifies a row in every dialect. That of what belongs to a customer begins
	// with partner_id and customer_id.
	key     []string
	emptied bool // by Reset
	// rowID is a column that only SQLite has, to order rows by their age. In a copy it is
	// their order there, until they are old enough to be deleted.
	rowID string
}

// owner is whose rows a table has.
type owner int

const (
	ofAll      owner = iota // partners, and what belongs to them or to nobody
	ofCustomer              // a customer's
	ofServers               // what servers tell each other, and ends with them: it is not copied, and need not be in SQLite
)

// tablesSince is the step since which the schema has these tables. Backups can be made of
// databases that have not taken the later ones.
const tablesSince = 15

// tables are in an order in which rows can be inserted.
var tables = []table{
	{name: "settings", key: []string{"name"}},
	{name: "signing_keys", key: []string{"key_id"}},
	{name: "partners", key: []string{"partner_id"}},
	{name: "apps", key: []string{"partner_id", "client_id"}},
	{name: "users", key: []string{"partner_id", "upn_key"}},
	{name: "indirect_resellers", key: []string{"partner_id", "reseller_id"}},
	{name: "consents", key: []string{"tenant_id", "client_id", "user_id"}, emptied: true},
	{name: "sign_ins", key: []string{"sign_in_no"}, emptied: true},

	{name: "customers", owner: ofCustomer, key: []string{"partner_id", "customer_id"}, emptied: true},
	{name: "customer_domains", owner: ofCustomer, key: []string{"partner_id", "customer_id", "domain"}, emptied: true},
	{name: "orders", owner: ofCustomer, key: []string{"partner_id", "customer_id", "order_id"}, emptied: true},
	{name: "subscriptions", owner: ofCustomer, key: []string{"partner_id", "customer_id", "subscription_id"}, emptied: true},
	{name: "attachments", owner: ofCustomer, key: []string{"partner_id", "customer_id", "order_id", "attachment_id"}, emptied: true},
	{name: "carts", owner: ofCustomer, key: []string{"partner_id", "customer_id", "cart_id"}, emptied: true},
	{name: "requests", owner: ofCustomer, key: []string{"partner_id", "customer_id", "key"}, emptied: true, rowID: "request_no"},

	{name: "changes", owner: ofServers},
	{name: "windows", owner: ofServers},
	{name: "servers", owner: ofServers},
}
