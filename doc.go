// Package partnercenter is a client for the customer orders API of Microsoft Partner
// Center, and defines the types of that API.
//
//	pc, err := partnercenter.NewClient(cred, nil)
//	orders, err := pc.Customers.ByID(customerID).Orders.Get(ctx)
//
// A [Client] is a tree of accessors that end in verbs. Accessors (ByID) do no I/O and
// cannot fail. Verbs (Get, Create) make a documented call, and All as many as a list has
// pages. They report empty ids, and arguments that are nil, before sending anything.
//
// The types are the wire format and lose nothing: a [Time] keeps its digits and offset, a
// [Decimal] its text, an enum its spelling, and members that are unknown, null or empty
// are kept in the Extra field. Resources are passed by pointer. Fields for parts, numbers
// and booleans are pointers, nil if absent: Quantity: new(5). Elements of lists are values.
// Use [Marshal] and [Unmarshal] for types without a MarshalJSON method.
//
// An answer that is not a success is an [*Error]; match its Code or Category. A call that
// cannot succeed is not sent and fails with a [*CredentialError] or a [*NotOfferedError].
//
// Every call keeps one MS-RequestId, the service's idempotency key, over its retries,
// so that a retried write has one effect. [Unsettled] reports whether a failed write
// may have had its effect; [WithRequestID] repeats it safely, even after a crash.
package partnercenter

//go:generate go test -run Docs$ -update .
