package api

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/command"
	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/terminal"
)

// subscriptionSchedule holds the flags of subscriptions schedule.
type subscriptionSchedule struct {
	action, term string
	quantity     int
	cycle        billingCycle
	charge       bool
	next         *partnercenter.Subscription // the desired state
}

// The values of --action.
const (
	scheduleRenew  = "renew"
	scheduleCancel = "cancel"
	scheduleExtend = "extend"
)

func subscriptionsSchedule() command.Form {
	var s subscriptionSchedule
	return command.Change(command.Spec{
		Use: "schedule SUBSCRIPTION --customer ID {--action ACTION | --next-charge} [--quantity N] [--term TERM] [--billing-cycle CYCLE]",
		Arg: "subscription id", Customer: true, Short: "Schedule what happens at the end of a subscription's term",
		Long: `Schedule what happens when the term of a subscription of new commerce ends: it
renews, also with another quantity, term or billing cycle; it is cancelled; or it is
extended from month to month, which costs more. This takes the place of what was
scheduled before: --action renew alone renews it as it is.

With --next-charge the quantity or billing cycle change when the current billing
cycle ends.

The subscription is read and sent back with the changes, unless it was changed in the
meantime. What is already scheduled for another time stays.`,
		Example: `  partnercenter subscriptions schedule SUBSCRIPTION --customer ID --action renew --quantity 8 --term P1Y
  partnercenter subscriptions schedule SUBSCRIPTION --customer ID --action cancel --yes
  partnercenter subscriptions schedule SUBSCRIPTION --customer ID --next-charge --quantity 12`,
		Flags: s.addFlags, Check: s.check,
		Exclusive: [][]string{{"action", "next-charge"}, {"term", "next-charge"}},
	}, subscriptionsView, command.Plan{
		What: "schedule a change of a subscription", Question: "Schedule this change?",
		Describe: s.describe,
	}, func(ctx context.Context, call *command.Call) (*partnercenter.Subscription, error) {
		return subscription(call).Patch(ctx, s.next)
	})
}

func (s *subscriptionSchedule) addFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&s.action, "action", "", "what happens at the end of the term: `renew`, cancel or extend")
	f.BoolVar(&s.charge, "next-charge", false, "make the change with the next charge")
	f.IntVar(&s.quantity, "quantity", 0, "`number` of licences from then on")
	f.StringVar(&s.term, "term", "", "`term` from then on, such as P1Y")
	s.cycle.addFlag(cmd, "billing `cycle` from then on")
	terminal.Choices(cmd, "action", scheduleRenew, scheduleCancel, scheduleExtend)
}

func (s *subscriptionSchedule) check(call *command.Call) error {
	changes := call.Given("quantity") || call.Given("term") || call.Given("billing-cycle")
	switch {
	case s.action == "" && !s.charge:
		return terminal.Usagef("there is nothing to schedule: give --action renew, cancel or extend, or --next-charge")
	case s.charge && !changes:
		return terminal.Usagef("--next-charge: give --quantity or --billing-cycle as well")
	case call.Given("quantity") && s.quantity < 1:
		return terminal.Usagef("--quantity %d: use 1 or more; --action cancel ends a subscription", s.quantity)
	case changes && !s.charge && s.action != scheduleRenew:
		return terminal.Usagef("--quantity, --term and --billing-cycle are for --action renew and --next-charge")
	}
	if s.action != "" {
		if err := terminal.OneOf("action", s.action, scheduleRenew, scheduleCancel, scheduleExtend); err != nil {
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
	copied := *now
	s.next = &copied
	s.apply(call, s.next)
	p.Add("subscription", fmt.Sprintf("%s %s", now.ID, subscriptionName(now)))
	before, after := scheduledInWords(now), scheduledInWords(s.next)
	if before == after {
		return &command.Unneeded{Text: "nothing to change: this is what will happen already", Item: now}
	}
	p.Add("will", after)
	p.Add("instead of", before)
	ends := now.CommitmentEndDateTime
	if s.charge {
		ends = now.BillingCycleEndDateTime
	}
	p.Add("after", terminal.TimeInWords(ends, call.Term.ServiceNow()))
	p.Add("take back", "until then, with another schedule")
	if !call.DryRun {
		asked := copied
		if i := s.instructions(call); i != nil && i.Quantity != nil {
			asked.Quantity = i.Quantity
		}
		p.Add("quantity", changeInWords(terminal.Number(now.Quantity), terminal.Number(asked.Quantity)))
		describePrice(ctx, call, p, now, &asked)
	}
	return nil
}

// instructions are what the flags ask for, nil if that is nothing.
func (s *subscriptionSchedule) instructions(call *command.Call) *partnercenter.SubscriptionInstructions {
	i := &partnercenter.SubscriptionInstructions{}
	if call.Given("quantity") {
		i.Quantity = &s.quantity
	}
	if s.term != "" || s.cycle.value != "" {
		i.Product = &partnercenter.InstructedProduct{TermDuration: s.term, BillingCycle: s.cycle.value}
	}
	if i.Quantity == nil && i.Product == nil {
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
	next.AutoRenewEnabled = new(s.action == scheduleRenew)
	switch s.action {
	case scheduleRenew:
		next.ScheduledNextTermInstructions = s.filled(call, next)
	case scheduleCancel:
		next.ScheduledActions = atTermEnd(partnercenter.ScheduledActionTypeCancel)
	case scheduleExtend:
		next.ScheduledActions = atTermEnd(partnercenter.ScheduledActionTypeRenewExtended)
	}
}

// filled returns the instructions with what the subscription has where the flags say
// nothing: Microsoft's service wants all of them.
func (s *subscriptionSchedule) filled(call *command.Call, next *partnercenter.Subscription) *partnercenter.SubscriptionInstructions {
	i := s.instructions(call)
	if i == nil {
		return nil
	}
	ids := strings.SplitN(next.OfferID+"::", ":", 4)
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

func atTermEnd(action partnercenter.ScheduledActionType) partnercenter.ScheduledActions {
	return partnercenter.ScheduledActions{{ScheduleType: partnercenter.ScheduleTypeTermEnd, ActionType: action}}
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
		default:
			text = string(a.ActionType)
		}
	}
	text += instructionsInWords(instructions)
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
	if now.ScheduledNextTermInstructions != nil && terminal.Number(now.Quantity) != terminal.Number(next.Quantity) && next.Quantity != nil {
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
