// Package partnercenter is a client for the customer orders API of Microsoft Partner
// Center, and defines the types of that API.
//
//	pc, err := partnercenter.NewClient(cred, nil)
//	orders, err := pc.Customers.ByID(customerID).Orders.Get(ctx)
//
// A [Client] is a tree of accessors that end in verbs. Accessors (ByID) do no I/O and
// cannot fail; verbs (Get, All, Create) make one documented call each. Verbs report empty
// ids.
//
// The types are the wire format and lose nothing: a [Time] keeps its digits and offset, a
// [Decimal] its text, an enum its spelling, and members that are unknown, null or empty
// are kept in the Extra field. Resources are passed by pointer, their parts are values, and a field is a
// pointer only where the API distinguishes absent from zero: Quantity: new(5). Use
// [Marshal] and [Unmarshal] for types without a MarshalJSON method.
//
// An answer that is not a success is an [*Error]; match its Code or Category. A call that
// cannot succeed is not sent and fails with a [*CredentialError] or a [*NotOfferedError].
//
// Every call keeps one MS-RequestId, the service's idempotency key, over its retries,
// so that a retried write has one effect. [Unsettled] reports whether a failed write
// may have had its effect; [WithRequestID] repeats it safely, even after a crash.
package partnercenter

//go:generate go test -run Docs$ -update .
