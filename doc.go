// Package partnercenter is a Go client for Microsoft Partner Center's
// customer orders, and the home of that API's types.
//
//	pc, err := partnercenter.NewClient(cred, nil)
//	orders, err := pc.Customers.ByID(customerID).Orders.Get(ctx)
//
// # Shape
//
// A [Client] is a tree of accessors ending in verbs. Accessors (ByID,
// ByBillingCycle) do no I/O and cannot fail; a verb (Get, All, Create) makes one
// documented call, takes a context first and returns a value and an error. An
// empty id is reported by the verb, before anything is sent.
//
// # Types
//
// The types are the wire format and lose nothing: a [Time] keeps its digits and
// offset, a [Decimal] its text, an enum its spelling, and members this package
// does not know stay in a value's Extra field and are written back. Fields are
// pointers only where the API tells absence from zero; use the built-in new to
// make one: Quantity: new(5).
//
// [Order], [OrderLineItem], [Customer], [Collection] and [ErrorBody] work with
// encoding/json and with github.com/go-json-experiment/json alike. The smaller
// types inside them are meant for the latter, or for [Marshal] and [Unmarshal],
// when used alone: encoding/json before Go 1.27 does not know how to spread an
// Extra field.
//
// # Errors
//
// An answer that is not a success becomes an [*Error]: status, code,
// description, request and correlation ids, a category, and what to do next.
// Match it with [errors.As] and its Code or Category, never by its text.
//
// # Credentials and clouds
//
// A call that cannot succeed is not sent: one that a token shows to be in vain,
// because it is an app's own and a user is needed, say, is a [*CredentialError];
// one that the client's cloud does not offer is a [*NotOfferedError]. What the
// client cannot see, the service decides. [Operations] lists what each documented
// call asks for.
//
// # Money
//
// Every call has one MS-RequestId, which is the service's idempotency key, and
// keeps it over its retries, so that a retried write has one effect. A write
// whose answer is lost is sent again, and while the service says that the first
// is still running, the client waits for it. [Unsettled] tells of an error
// whether the write may have happened all the same; [WithRequestID] says how to
// repeat it safely, even after a crash.
package partnercenter

//go:generate go test -run Docs$ -update .
