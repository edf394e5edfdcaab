package api

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/command"
	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/terminal"
	"github.com/partnercenter-go/partnercenter/internal/ascii"
)

// subscriptionSchedule holds the flags of subscriptions schedule.
type subscriptionSchedule struct {
	action, term, end string
	to                string // another catalog item
	on                string // a date
	day, ends         partnercenter.Time
	quantity          int
	cycle             billingCycle
	charge            bool
	etag              string // of the subscription that was shown
}

// The values of --action.
const (
	scheduleRenew  = "renew"
	scheduleCancel = "cancel"
	scheduleExtend = "extend"
	scheduleBecome = "transition"
)

func subscriptionsSchedule() command.Form {
	var s subscriptionSchedule
	return command.Change(command.Spec{
		Use: "schedule SUBSCRIPTION --customer ID {--action ACTION | --next-charge} [--on DATE] [--to ITEM] [--quantity N] [--term TERM] [--term-end DATE] [--billing-cycle CYCLE]",
		Arg: "subscription id", Customer: true, Short: "Schedule what happens at the end of a subscription's term",
		Long: `Schedule what happens when the term of a subscription of new commerce ends: it
renews, also with another quantity, billing cycle or longer term, up to a date, or as
another catalog item; it is cancelled; or it is extended from month to month, which costs
more.
This takes the place of what was scheduled before: --action renew alone renews it as it
is. With --action transition it becomes another item without being asked to renew after
that.

With --on this happens on a day before the term ends: it is cancelled then, or another
term begins, which is not shorter than the present one and has no fewer licences.
"subscriptions eligibilities --scheduled" lists the items for --to.

With --next-charge the quantity or billing cycle change when the current billing
cycle ends. Fewer licences are possible if the term ends then, too.

The subscription is read and sent back with the changes, unless it was changed in the
meantime. What is already scheduled for another time stays.`,
		Example: `  partnercenter subscriptions schedule SUBSCRIPTION --customer ID --action renew --quantity 8 --term P1Y
  partnercenter subscriptions schedule SUBSCRIPTION --customer ID --action cancel --yes
  partnercenter subscriptions schedule SUBSCRIPTION --customer ID --action transition --to ITEM --on 2027-03-01
  partnercenter subscriptions schedule SUBSCRIPTION --customer ID --next-charge --quantity 12`,
		Flags: s.addFlags, Check: s.check,
		Exclusive: [][]string{{"action", "next-charge"}, {"term", "next-charge"}, {"term-end", "next-charge"}, {"to", "next-charge"}, {"on", "next-charge"}},
	}, subscriptionsView, command.Plan{
		What: "schedule a change of a subscription", Question: "Schedule this change?",
		Describe: s.describe,
	}, func(ctx context.Context, call *command.Call) (*partnercenter.Subscription, error) {
		return subscription(call).Change(ctx, func(next *partnercenter.Subscription) error {
			s.apply(call, next)
			return nil
		}, patchOptions(s.etag)...)
	})
}

func (s *subscriptionSchedule) addFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&s.action, "action", "", "what happens at the end of the term: `renew`, cancel, extend or transition")
	f.StringVar(&s.on, "on", "", "the `day` on which it happens, such as 2027-03-01, before the end of the term")
	f.StringVar(&s.to, "to", "", "the catalog `item` to become: product:sku:availability")
	f.BoolVar(&s.charge, "next-charge", false, "make the change with the next charge")
	f.IntVar(&s.quantity, "quantity", 0, "`number` of licences from then on")
	f.StringVar(&s.term, "term", "", "`term` from then on, such as P1Y")
	f.StringVar(&s.end, "term-end", "", "the `date` on which the next term ends, one of \"subscriptions term-ends --start\"")
	s.cycle.addFlag(cmd, "billing `cycle` from then on")
	terminal.Choices(cmd, "action", scheduleRenew, scheduleCancel, scheduleExtend, scheduleBecome)
}

func (s *subscriptionSchedule) check(call *command.Call) error {
	changes := call.Given("quantity") || call.Given("term") || call.Given("term-end") || call.Given("billing-cycle") || s.to != ""
	switch {
	case s.action == "" && !s.charge:
		return terminal.Usagef("there is nothing to schedule: give --action renew, cancel, extend or transition, or --next-charge")
	case s.charge && !changes:
		return terminal.Usagef("--next-charge: give --quantity or --billing-cycle as well")
	case call.Given("quantity") && s.quantity < 1:
		return terminal.Usagef("--quantity %d: use 1 or more; --action cancel ends a subscription", s.quantity)
	case changes && !s.charge && s.action != scheduleRenew && s.action != scheduleBecome:
		return terminal.Usagef("--quantity, --term, --term-end, --billing-cycle and --to are for --action renew, --action transition and --next-charge")
	case s.action == scheduleBecome && s.to == "":
		return terminal.Usagef("--action transition: give --to as well, the catalog item to become")
	case s.to != "" && strings.Count(s.to, ":") != 2:
		return terminal.Usagef("--to %s: give a catalog item, as product:sku:availability", s.to)
	case s.on != "" && s.action == scheduleExtend:
		return terminal.Usagef("--on is for --action renew, cancel and transition: a term is extended when it ends")
	}
	if s.action != "" {
		if err := terminal.OneOf("action", s.action, scheduleRenew, scheduleCancel, scheduleExtend, scheduleBecome); err != nil {
			return err
		}
	}
	if s.on != "" {
		day, _, err := parseDate("on", s.on)
		if err != nil {
			return err
		}
		s.day = partnercenter.TimeOf(day.UTC())
	}
	if s.end != "" {
		var err error
		if s.ends, err = parseTermEnd(s.end); err != nil {
			return err
		}
	}
	return s.cycle.parse()
}

func (s *subscriptionSchedule) describe(ctx context.Context, call *command.Call, p *command.Plan) error {
	now, err := subscription(call).Get(ctx)
	if err != nil {
		return err
	}
	next := *now
	s.apply(call, &next)
	s.etag = etagOf(now)
	p.Add("subscription", fmt.Sprintf("%s %s", now.ID, subscriptionName(now)))
	before, after := scheduledInWords(now), scheduledInWords(&next)
	if before == after {
		return &command.Unneeded{Text: "nothing to change: this is what will happen already", Item: now}
	}
	p.Add("will", after)
	p.Add("instead of", before)
	ends := now.CommitmentEndDateTime
	if s.charge {
		ends = now.BillingCycleEndDateTime
	}
	name := "after"
	if s.on != "" {
		name, ends = "on", s.day
	}
	when := terminal.TimeInWords(ends, call.Term.ServiceNow())
	p.Add(name, when)
	p.Add("take back", "until "+cmp.Or(when, "then")+", with another schedule")
	if !call.DryRun {
		asked := next
		if i := s.instructions(call); i != nil && i.Quantity != nil {
			asked.Quantity = i.Quantity
		}
		p.Add("quantity", changeInWords(terminal.Number(now.Quantity), terminal.Number(asked.Quantity)))
		if s.to != "" {
			found, err := lookUp(ctx, call, s.to)
			if err != nil {
				p.Add("item", "its name cannot be looked up: "+terminal.Explain(err, call.Term.Now()).What)
			} else {
				p.Add("item", subscriptionName(now)+" → "+found.name)
			}
		}
		if s.action == scheduleCancel {
			return nil // which costs nothing
		}
		term, billed := cmp.Or(s.term, now.TermDuration), string(cmp.Or(s.cycle.value, now.BillingCycle).Normalize())
		if s.action == scheduleExtend {
			term, billed = "P1M", "monthly"
		}
		p.Add("term", term)
		p.Add("billed", billed)
		otherTerm := s.term != "" && !ascii.EqualFold(s.term, now.TermDuration) || s.cycle.value != "" && s.cycle.value.Normalize() != now.BillingCycle.Normalize()
		if s.to != "" || otherTerm || s.action == scheduleExtend {
			p.Add("price", unknownPrice)
		} else {
			describePrice(ctx, call, p, now, &asked)
		}
	}
	return nil
}

// instructions are what the flags ask for, nil if that is nothing.
func (s *subscriptionSchedule) instructions(call *command.Call) *partnercenter.SubscriptionInstructions {
	i := &partnercenter.SubscriptionInstructions{}
	if call.Given("quantity") {
		i.Quantity = &s.quantity
	}
	if s.term != "" || s.cycle.value != "" || s.to != "" {
		i.Product = &partnercenter.InstructedProduct{TermDuration: s.term, BillingCycle: s.cycle.value}
	}
	i.CustomTermEndDate = s.ends
	if i.Quantity == nil && i.Product == nil && i.CustomTermEndDate.IsZero() {
		return nil
	}
	return i
}

func (s *subscriptionSchedule) apply(call *command.Call, next *partnercenter.Subscription) {
	if s.charge {
		next.NextChargeInstructions = s.filled(call, next)
		return
	}
	next.ScheduledNextTermInstructions, next.ScheduledActions = nil, nil
	if s.action != scheduleBecome {
		next.SetAutoRenew(s.action == scheduleRenew)
	}
	if s.action == scheduleRenew && s.on == "" {
		next.ScheduledNextTermInstructions = s.filled(call, next)
		return
	}
	action := partnercenter.ScheduledAction{ScheduleType: partnercenter.ScheduleTypeTermEnd, ActionType: scheduledTypes[s.action], Instructions: s.filled(call, next)}
	if s.on != "" {
		action.ScheduleType, action.EffectiveDate = partnercenter.ScheduleTypeCustomDate, s.day
	}
	next.ScheduledActions = partnercenter.ScheduledActions{action}
}

// scheduledTypes are the types of what --action names.
var scheduledTypes = map[string]partnercenter.ScheduledActionType{
	scheduleRenew: partnercenter.ScheduledActionTypeRenew, scheduleCancel: partnercenter.ScheduledActionTypeCancel,
	scheduleExtend: partnercenter.ScheduledActionTypeRenewExtended, scheduleBecome: partnercenter.ScheduledActionTypeTransition,
}

// filled returns the instructions with what the subscription has where the flags say
// nothing: Microsoft's service wants all of them.
func (s *subscriptionSchedule) filled(call *command.Call, next *partnercenter.Subscription) *partnercenter.SubscriptionInstructions {
	i := s.instructions(call)
	if i == nil {
		return nil
	}
	item := next.OfferID
	if s.to != "" {
		item = s.to
	}
	ids := strings.SplitN(item+"::", ":", 4)
	p := partnercenter.InstructedProduct{ProductID: ids[0], SKUID: ids[1], AvailabilityID: ids[2], BillingCycle: next.BillingCycle, TermDuration: next.TermDuration}
	if s.term != "" {
		p.TermDuration = s.term
	}
	if s.cycle.value != "" {
		p.BillingCycle = s.cycle.value
	}
	i.Product = &p
	if i.Quantity == nil {
		i.Quantity = next.Quantity
	}
	return i
}

// scheduledInWords says what will become of a subscription.
func scheduledInWords(s *partnercenter.Subscription) string {
	instructions := s.ScheduledNextTermInstructions
	text := "not renew"
	if terminal.OrZero(s.AutoRenewEnabled) {
		text = "renew"
	}
	if len(s.ScheduledActions) > 0 {
		a := &s.ScheduledActions[0]
		instructions = a.Instructions
		switch a.ActionType.Normalize() {
		case partnercenter.ScheduledActionTypeRenew:
			text = "renew"
		case partnercenter.ScheduledActionTypeCancel:
			text = "be cancelled"
		case partnercenter.ScheduledActionTypeRenewExtended:
			text = "be extended from month to month"
		case partnercenter.ScheduledActionTypeTransition:
			text = "become another item"
		default:
			text = string(a.ActionType)
		}
		if a.ScheduleType.Normalize() == partnercenter.ScheduleTypeCustomDate {
			text += " on " + a.EffectiveDate.Time().UTC().Format(time.DateOnly)
		}
	}
	text += instructionsInWords(instructions)
	if i := instructions; i != nil && i.Product != nil {
		if id := i.Product.ProductID + ":" + i.Product.SKUID + ":" + i.Product.AvailabilityID; i.Product.ProductID != "" && !ascii.EqualFold(id, s.OfferID) {
			text += ", as " + id
		}
	}
	if i := s.NextChargeInstructions; i != nil {
		text += "; with the next charge have" + strings.TrimPrefix(instructionsInWords(i), " with")
	}
	return text
}

func instructionsInWords(i *partnercenter.SubscriptionInstructions) string {
	if i == nil {
		return ""
	}
	var parts []string
	if i.Quantity != nil {
		parts = append(parts, fmt.Sprintf("quantity %d", *i.Quantity))
	}
	if p := i.Product; p != nil {
		if p.TermDuration != "" {
			parts = append(parts, "term "+p.TermDuration)
		}
		if named(p.BillingCycle) {
			parts = append(parts, "billed "+string(p.BillingCycle.Normalize()))
		}
	}
	if at := i.CustomTermEndDate.Time(); !at.IsZero() {
		parts = append(parts, "a term that ends on "+at.UTC().Format(time.DateOnly))
	}
	return " with " + strings.Join(parts, ", ")
}

func changeInWords(from, to string) string {
	if from == to {
		return to
	}
	return from + " → " + to
}

// describeLoss adds to a plan what a change turns off because it leaves it out: in new
// commerce, the renewal and what is scheduled. It reports whether that is anything.
func describeLoss(p *command.Plan, now, next *partnercenter.Subscription) bool {
	switch terminal.OrZero(now.ProductType).ID {
	case "OnlineServicesNCE", "Software":
	default:
		return false
	}
	atOnce := terminal.Number(now.Quantity) != terminal.Number(next.Quantity) && next.Quantity != nil || next.TermDuration != "" && !ascii.EqualFold(next.TermDuration, now.TermDuration)
	if now.ScheduledNextTermInstructions != nil && atOnce {
		p.Add("next term", "no longer scheduled: a change at once removes that")
	}
	lost := false
	lose := func(name string, is bool) {
		if is {
			p.Add(name, "turned off: the change leaves it out")
			lost = true
		}
	}
	lose("auto-renew", terminal.OrZero(now.AutoRenewEnabled) && next.AutoRenewEnabled == nil)
	lose("next term", now.ScheduledNextTermInstructions != nil && next.ScheduledNextTermInstructions == nil)
	lose("next charge", now.NextChargeInstructions != nil && next.NextChargeInstructions == nil)
	lose("at the end", len(now.ScheduledActions) > 0 && len(next.ScheduledActions) == 0)
	return lost
}
