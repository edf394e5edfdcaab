package lifecycle

import (
	"time"

	"github.com/partnercenter-go/partnercenter"
)

// Settings are the numbers that rules are made of. The service documents most
// of them; a test wants others. The zero value is a production account whose
// orders can be cancelled at any time, in which everything happens at once.
type Settings struct {
	// Sandbox says that the partner's account is an integration sandbox: limits
	// on what it may hold apply, and reservations and marketplace SaaS can be
	// cancelled by order too. In production only software can.
	Sandbox bool

	// Cloud is where the partner's account is. What a cloud does not sell cannot
	// be bought; empty sells everything.
	Cloud partnercenter.CloudName

	// What a sandbox account may hold. Zero means no limit; none of them counts
	// in production.
	MaxCustomers     int // of the partner
	MaxSubscriptions int // of a customer
	MaxLicences      int // of a subscription
	MaxAzurePlans    int // of the partner

	// SandboxCancelWithin is how old an order may be when it is cancelled for
	// being in a sandbox. Zero means any age.
	SandboxCancelWithin time.Duration

	// CancelWithin is how long after their purchase software, and seats of a
	// subscription, can be cancelled; each added quantity has a purchase of its
	// own. Zero means at any time.
	CancelWithin time.Duration

	// OrderLag is the time until a new order is listed. It can be got by its id
	// at once. Zero means that it is listed at once too.
	OrderLag time.Duration

	// ProvisioningTime is the time until what an order bought is there. Zero
	// means at once.
	ProvisioningTime time.Duration
}

// cancelWithin is the documented week for software and seats. It is a rule
// about money, not an inconvenience of the service, so every profile has it.
const cancelWithin = 7 * 24 * time.Hour

// Instant returns the settings of a sandbox without limits and delays, for
// tests that want to get on.
func Instant() Settings {
	return Settings{Sandbox: true, CancelWithin: cancelWithin}
}

// Realistic returns the settings of a sandbox as it is documented. How long
// provisioning takes is not: five minutes is long enough to be met by whoever
// does not wait for it.
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
