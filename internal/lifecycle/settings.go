package lifecycle

import (
	"time"

	"github.com/partnercenter-go/partnercenter"
)

// Settings are the parameters of the rules. The service documents most of them; tests
// need others. The zero value is a production account in which everything happens at
// once and orders can be cancelled at any time.
type Settings struct {
	// Sandbox says that the partner's account is an integration sandbox: limits apply
	// to its holdings, and reservations and marketplace SaaS can also be cancelled by
	// order. In production only software can.
	Sandbox bool

	// Cloud is the cloud of the partner's account. What it does not sell cannot be
	// bought; empty sells everything.
	Cloud partnercenter.CloudName

	// Limits on the holdings of a sandbox account. Zero means no limit; production has
	// none.
	MaxCustomers     int // of the partner
	MaxSubscriptions int // of a customer
	MaxLicences      int // of a subscription
	MaxAzurePlans    int // of the partner

	// SandboxCancelWithin is the age up to which an order can be cancelled because it
	// is in a sandbox. Zero means any age.
	SandboxCancelWithin time.Duration

	// CancelWithin is how long after their purchase software and seats of a
	// subscription can be cancelled; each added quantity is a purchase of its own. Zero
	// means at any time.
	CancelWithin time.Duration

	// OrderLag is the time until a new order appears in lists. It can be read by its id
	// at once. Zero means no delay.
	OrderLag time.Duration

	// ProvisioningTime is the time until a purchase is provisioned. Zero means at once.
	ProvisioningTime time.Duration
}

// cancelWithin is the documented week for software and seats. It is a rule about money,
// not a limitation of the service, so every profile has it.
const cancelWithin = 7 * 24 * time.Hour

// Instant returns the settings of a sandbox without limits and delays, for fast tests.
func Instant() Settings {
	return Settings{Sandbox: true, CancelWithin: cancelWithin}
}

// Realistic returns the settings of a sandbox as documented. The provisioning time is
// not documented: five minutes is long enough to affect clients that do not wait.
func Realistic() Settings {
	return Settings{
		Sandbox:             true,
		MaxCustomers:        75,
		MaxSubscriptions:    5,
		MaxLicences:         25,
		MaxAzurePlans:       10,
		SandboxCancelWithin: 60 * 24 * time.Hour,
		CancelWithin:        cancelWithin,
		OrderLag:            15 * time.Minute,
		ProvisioningTime:    5 * time.Minute,
	}
}
