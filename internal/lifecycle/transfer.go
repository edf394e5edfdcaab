package lifecycle

import (
	"time"

	"github.com/partnercenter-go/partnercenter"
)

// TransferEligibility says whether a subscription can be transferred to another partner.
// Transfers themselves are not offered.
func (s *Subscription) TransferEligibility(now time.Time) partnercenter.TransferEligibility {
	current := *s
	current.advance(now)
	e := partnercenter.TransferEligibility{ID: s.Document.ID, IsEligible: new(isActive(&current))}
	if !*e.IsEligible {
		e.Reason = "Subscription " + s.Document.ID + " is " + string(current.Document.Status) + ", and only active ones are transferred."
	}
	return e
}
