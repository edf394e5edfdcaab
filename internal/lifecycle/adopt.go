package lifecycle

import (
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/internal/ascii"
)

// described is what a document of a loaded subscription has besides the subscription's own
// members.
type described struct {
	Transitions    []partnercenter.Transition    `json:"transitions"`
	SupportContact *partnercenter.SupportContact `json:"supportContact"`
	OverageEnabled *bool                         `json:"overageEnabled"`
	Rest           map[string]json.RawMessage    `json:",embed"`
}

// adopt takes over what a loaded document says of a subscription that was derived from its
// line. What time has done to it until the document was written is in the document.
func (s *Subscription) adopt(document *partnercenter.Subscription) {
	d, given := &s.Document, *document
	s.adoptMore(&given)
	into, from := reflect.ValueOf(d).Elem(), reflect.ValueOf(&given).Elem()
	for i := range into.NumField() {
		if field := from.Field(i); !field.IsZero() {
			into.Field(i).Set(field)
		}
	}
	d.Status = d.Status.Normalize()
	d.RefundableQuantity, d.CancellationAllowedUntilDate = nil, partnercenter.Time{} // they follow from the seats
	s.adoptSeats(given.RefundableQuantity)
	// It says how it renews, so that its terms end.
	s.Facts.Ends = given.AutoRenewEnabled != nil || len(given.ScheduledActions) > 0
	if given.CommitmentEndDate.IsZero() && (!given.EffectiveStartDate.IsZero() || given.TermDuration != "") {
		d.CommitmentEndDate = partnercenter.Time{}
		s.setEnds(s.first())
	}
	s.adoptSchedule()
}

// adoptMore moves what is no member of a subscription out of a document.
func (s *Subscription) adoptMore(given *partnercenter.Subscription) {
	if len(given.Extra) == 0 {
		return
	}
	var more described
	if partnercenter.Unmarshal(given.Extra, &more) != nil {
		return // of somebody else's making
	}
	s.Facts.Transitions, s.Facts.Overage = more.Transitions, more.OverageEnabled
	if c := more.SupportContact; c != nil {
		s.Facts.Support = &Supporter{TenantID: c.SupportTenantID, MPNID: c.SupportMPNID, Name: c.Name}
	}
	given.Extra = nil
	var rest []byte
	for _, name := range slices.Sorted(maps.Keys(more.Rest)) {
		quoted, _ := partnercenter.Marshal(name) // text always can be written
		rest = slices.Concat(rest, []byte(","), quoted, []byte(":"), more.Rest[name])
	}
	if len(rest) > 0 {
		rest[0] = '{'
		given.Extra = append(rest, '}')
	}
}

// adoptSeats sets the quantities that were added, as far as the document has them: those
// that can still be returned, and the others at the start.
func (s *Subscription) adoptSeats(refundable *partnercenter.RefundableQuantity) {
	left, start := 0, s.Document.EffectiveStartDate.Time()
	if s.Document.Quantity != nil {
		left = *s.Document.Quantity
	} else {
		s.Document.Quantity = new(0)
	}
	var open []Seats
	if refundable != nil {
		for _, detail := range refundable.Details {
			n := min(left, detail.GetQuantity())
			if n <= 0 || detail.AllowedUntil.IsZero() {
				continue
			}
			open = append(open, Seats{Quantity: n, Added: detail.AllowedUntil.Time().Add(-Realistic().CancelWithin)})
			left -= n
		}
	}
	s.Facts.Seats = nil
	if left > 0 || len(open) == 0 {
		s.Facts.Seats = []Seats{{Quantity: left, Added: start}}
	}
	s.Facts.Seats = append(s.Facts.Seats, open...)
}

// adoptSchedule completes what is scheduled as a request to schedule it is completed. What
// seeds and imports refuse, such as another product, it leaves out.
func (s *Subscription) adoptSchedule() {
	d := &s.Document
	complete := func(i *partnercenter.SubscriptionInstructions) *partnercenter.SubscriptionInstructions {
		term, cycle := s.renewsAs()
		i = s.instructions(i, term, cycle)
		if i == nil || !strings.HasPrefix(ascii.ToUpper(d.OfferID)+":", ascii.ToUpper(i.Product.ProductID+":"+i.Product.SKUID+":")) {
			return nil
		}
		return i
	}
	if !s.schedules() {
		d.ScheduledNextTermInstructions, d.NextChargeInstructions, d.ScheduledActions = nil, nil, nil
		return
	}
	d.ScheduledNextTermInstructions, d.NextChargeInstructions = complete(d.ScheduledNextTermInstructions), complete(d.NextChargeInstructions)
	if d.NextChargeInstructions != nil {
		s.Facts.NextCharge = d.BillingCycleEndDate.Time().UTC().Truncate(24*time.Hour).AddDate(0, 0, 1)
	}
	if len(d.ScheduledActions) == 0 {
		return
	}
	a := d.ScheduledActions[0]
	a.ScheduleType, a.ActionType, a.Instructions = a.ScheduleType.Normalize(), a.ActionType.Normalize(), complete(a.Instructions)
	d.ScheduledActions = partnercenter.ScheduledActions{a}
	if a.ScheduleType != partnercenter.ScheduleTypeTermEnd || a.ActionType == partnercenter.ScheduledActionTypeTransition {
		d.ScheduledActions = nil
	}
}
