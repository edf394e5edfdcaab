package server

import (
	"context"
	"errors"
	"net/http"
	"slices"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/internal/lifecycle"
	"github.com/partnercenter-go/partnercenter/internal/store"
	"github.com/partnercenter-go/partnercenter/internal/words"
)

// listTransitionEligibilities answers with what a subscription can become.
func (s *Server) listTransitionEligibilities(c *call) error {
	when := partnercenter.EligibilityTypeImmediate
	if value := c.query["eligibilitytype"]; value != "" {
		if when = partnercenter.EligibilityType(value).Normalize(); !when.Known() {
			return errEnum("eligibilityType", value, words.Texts(partnercenter.EligibilityTypes()))
		}
	}
	return s.aboutMovingSeats(c, func(a *lifecycle.Account, x *lifecycle.Subscription) any {
		return collection(lifecycle.TransitionEligibilities(a, x, when, s.config.Rules, s.now()), "")
	})
}

// listTransitions answers with the transitions of a subscription, or with one of them.
func (s *Server) listTransitions(c *call) error {
	return s.aboutSubscription(c, func(x *lifecycle.Subscription) any {
		return collection(x.TransitionsAt(c.query["operationid"], s.now()), "")
	})
}

// createTransition moves seats of a subscription to another catalog item.
func (s *Server) createTransition(c *call) error {
	body, request, err := readJSON[partnercenter.Transition](c)
	if err != nil {
		return err
	}
	return s.moveSeats(c, body, request.ToCatalogItemID, request.ToSubscriptionID, func(m *movement) (lifecycle.Moved, any, []lifecycle.Event, error) {
		command := lifecycle.TransitionCommand{Request: request, Entropy: newEntropy()}
		if m.into != nil {
			command.Into = m.into.order
		}
		return withAnswer(lifecycle.TransitionSubscription(m.from.account, m.from.order, m.id, command, s.rulesOf(c), s.now()))
	})
}

// listUpgrades answers with what a subscription can be upgraded to.
func (s *Server) listUpgrades(c *call) error {
	return s.aboutMovingSeats(c, func(a *lifecycle.Account, x *lifecycle.Subscription) any {
		return collection(lifecycle.Upgrades(a, x, s.config.Rules, s.now()), "")
	})
}

// createUpgrade upgrades a subscription.
func (s *Server) createUpgrade(c *call) error {
	body, request, err := readJSON[partnercenter.Upgrade](c)
	if err != nil {
		return err
	}
	target := ""
	if request.TargetOffer != nil {
		target = request.TargetOffer.ID
	}
	return s.moveSeats(c, body, target, "", func(m *movement) (lifecycle.Moved, any, []lifecycle.Event, error) {
		return withAnswer(lifecycle.UpgradeSubscription(m.from.account, m.from.order, m.id, request, newEntropy(), s.rulesOf(c), s.now()))
	})
}

// withAnswer makes any answer of a typed one.
func withAnswer[T any](moved lifecycle.Moved, answer T, events []lifecycle.Event, err error) (lifecycle.Moved, any, []lifecycle.Event, error) {
	return moved, answer, events, err
}

// listConversions answers with what a trial can become.
func (s *Server) listConversions(c *call) error {
	return s.aboutMovingSeats(c, func(a *lifecycle.Account, x *lifecycle.Subscription) any {
		return collection(lifecycle.Conversions(a, x), "")
	})
}

// createConversion makes a paid subscription of a trial.
func (s *Server) createConversion(c *call) error {
	body, request, err := readJSON[partnercenter.Conversion](c)
	if err != nil {
		return err
	}
	var result *partnercenter.ConversionResult
	return s.changeSubscription(c, body, func(_ context.Context, a *lifecycle.Account, o *lifecycle.Order, id string) (next *lifecycle.Order, events []lifecycle.Event, err error) {
		next, result, events, err = lifecycle.ConvertTrial(a, o, id, request, s.rulesOf(c), s.now())
		return next, events, err
	}, func(*lifecycle.Subscription) (int, string, any) { return http.StatusOK, "", result })
}

// aboutMovingSeats answers with something that follows from a subscription and all others
// of its customer.
func (s *Server) aboutMovingSeats(c *call, answer func(*lifecycle.Account, *lifecycle.Subscription) any) error {
	x, err := s.subscription(c)
	if err != nil {
		return err
	}
	account, err := s.account(c.r.Context(), c)
	if err == nil {
		err = s.addSubscriptions(c.r.Context(), account)
	}
	if err != nil {
		return err
	}
	return c.writeJSON(answer(account, x))
}

// addSubscriptions adds all subscriptions of the customer to an account.
func (s *Server) addSubscriptions(ctx context.Context, a *lifecycle.Account) error {
	list, err := s.allSubscriptions(ctx, a)
	if err != nil {
		return err
	}
	a.Owned = list
	a.Subscriptions = make(map[string]*lifecycle.Subscription, len(list))
	for _, x := range list {
		a.Subscriptions[lifecycle.Key(x.Document.ID)] = x
	}
	return nil
}

// movement is what a decision about moving seats of a subscription depends on.
type movement struct {
	id   string
	from *foundOrder // of the subscription
	into *foundOrder // of the one to move them into; nil for the same order, or none
}

// moveSeats decides about moving seats of the subscription in the path to an item, into
// another subscription if there is an id of one. Their orders change together, or one is
// placed.
func (s *Server) moveSeats(c *call, body []byte, item, intoID string, decide func(*movement) (lifecycle.Moved, any, []lifecycle.Event, error)) error {
	return s.writeOnce(c, body, func(ctx context.Context) (*writeResult, error) {
		m := &movement{id: c.param("subscription-id")}
		orderID, err := s.config.Store.OrderOf(ctx, c.claims.TenantID, c.customer, m.id)
		if err != nil {
			return nil, err
		}
		if m.from, err = s.order(ctx, c, orderID); err != nil {
			return nil, err
		}
		x := m.from.order.Subscription(m.id)
		if x == nil {
			return nil, errSubscriptionNotFound(m.id)
		}
		line := partnercenter.OrderLineItem{OfferID: item}
		if x.Document.PartnerID != nil {
			line.PartnerIDOnRecord = *x.Document.PartnerID
		}
		held, err := s.loadReferenced(ctx, m.from.account, &partnercenter.Order{LineItems: []partnercenter.OrderLineItem{line}})
		if err == nil {
			err = s.addSubscriptions(ctx, m.from.account)
		}
		if err != nil {
			return nil, err
		}
		if intoID != "" && m.from.order.Subscription(intoID) == nil {
			switch id, err := s.config.Store.OrderOf(ctx, c.claims.TenantID, c.customer, intoID); {
			case errors.Is(err, store.ErrSubscriptionNotFound): // the rules refuse it
			case err != nil:
				return nil, err
			default:
				if m.into, err = s.order(ctx, c, id); err != nil {
					return nil, err
				}
			}
		}
		moved, answer, events, err := decide(m)
		if err != nil {
			return nil, err
		}
		result, err := s.orderEffect(c, decision{order: moved.From, record: m.from.record, held: held}, writeResult{status: http.StatusOK, events: events}, answer)
		if err != nil || moved.To == nil {
			return result, err
		}
		to := decision{order: moved.To}
		if !moved.New {
			to.record = m.into.record
		}
		other, err := s.orderChange(c, to)
		if err != nil {
			return nil, err
		}
		result.change.More = append(result.change.More, store.OrderChange{Order: other.Order, New: other.New})
		result.change.Subscriptions = slices.Concat(result.change.Subscriptions, other.Subscriptions)
		return result, nil
	})
}
