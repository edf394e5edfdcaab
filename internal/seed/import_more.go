package seed

import (
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/internal/ascii"
	"github.com/partnercenter-go/partnercenter/internal/guid"
	"github.com/partnercenter-go/partnercenter/internal/spelling"
)

// other adds what is neither an order nor a customer.
func (f *importFile) other(kind string, value jsontext.Value, m map[string]member, offset int, name, customer string) error {
	at := read[string]{item: customerIn(m), offset: offset, name: name}
	if at.item == "" {
		at.item = customer
	}
	switch partnercenter.ObjectType(kind).Normalize() {
	case partnercenter.ObjectTypeSubscription:
		return addOfCustomer(f, &f.into.Subscriptions, value, at, "subscription", func(s *OfCustomer[partnercenter.Subscription]) (id, problem string) {
			member, problem := problemOf(&Subscription{Subscription: s.Item})
			if problem != "" {
				problem = member + " " + problem
			}
			return s.Item.ID, problem
		})
	case partnercenter.ObjectTypeCart:
		return addOfCustomer(f, &f.into.Carts, value, at, "cart", func(c *OfCustomer[partnercenter.Cart]) (id, problem string) {
			return c.Item.ID, cartProblem(&c.Item)
		})
	case partnercenter.ObjectTypeSupportContact:
		uri := jsonText(members(members(m["links"].value)["self"].value)["uri"])
		return addOfCustomer(f, &f.into.Contacts, value, at, "support contact of subscription", func(c *OfCustomer[partnercenter.SupportContact]) (id, problem string) {
			_, after, _ := strings.Cut(ascii.ToLower(uri), "/subscriptions/")
			c.SubscriptionID, _, _ = strings.Cut(after, "/")
			return c.SubscriptionID, ""
		})
	case partnercenter.ObjectTypeOverage:
		uri := members(members(m["links"].value)["overage"].value)
		if at.item == "" {
			at.item = customerOf(jsonText(uri["uri"]))
		}
		return addOfCustomer(f, &f.into.Overages, value, at, "overage of Azure subscription", func(o *OfCustomer[partnercenter.Overage]) (id, problem string) {
			return o.Item.AzureEntitlementID, ""
		})
	case partnercenter.ObjectTypeTransition:
		var t partnercenter.Transition
		if err := partnercenter.Unmarshal(value, &t); err != nil {
			return f.fail(offset, name, "is no transition of the API: %v; fetch it again or correct the file", err)
		}
		spelling.Normalize(&t)
		if err := f.dates(&t, offset, name); err != nil {
			return err
		}
		if !guid.Is(t.FromSubscriptionID) || t.OperationID == "" {
			return f.fail(offset, name, "is a transition without operationId or fromSubscriptionId, as in a request; save the answer instead")
		}
		key := "transition " + guid.Key(t.FromSubscriptionID) + " " + t.OperationID
		return addOnce(f, &f.into.Transitions, f.into.others, read[partnercenter.Transition]{item: t, key: key, what: key, offset: offset, name: name})
	}
	return f.fail(offset, name, "is of type %.60q; import takes customers, orders, subscriptions, transitions, support contacts, overages and carts, leave this out", kind)
}

// addOfCustomer adds an item of a customer, whose id is that of where it was read. About
// returns the id by which the item is known, and what is wrong with it.
func addOfCustomer[T any](f *importFile, list *[]OfCustomer[T], value jsontext.Value, at read[string], what string, about func(*OfCustomer[T]) (id, problem string)) error {
	one := OfCustomer[T]{CustomerID: at.item}
	if err := partnercenter.Unmarshal(value, &one.Item); err != nil {
		return f.fail(at.offset, at.name, "is no %s of the API: %v; fetch it again or correct the file", what, err)
	}
	spelling.Normalize(&one.Item)
	if err := f.dates(&one.Item, at.offset, at.name); err != nil {
		return err
	}
	id, problem := about(&one)
	switch {
	case !guid.Is(id):
		return f.fail(at.offset, at.name, "is a %s whose id %.60q is not a GUID; save the service's answer", what, id)
	case !guid.Is(one.CustomerID):
		return f.fail(at.offset, at.name, "%s %s does not say whose it is: its links name no customer; fetch it again", what, id)
	case problem != "":
		return f.fail(at.offset, at.name, "%s %s: %s", what, id, problem)
	}
	key := what + " " + guid.Key(one.CustomerID) + " " + guid.Key(id)
	return addOnce(f, list, f.into.others, read[OfCustomer[T]]{item: one, key: key, what: what + " " + id, offset: at.offset, name: at.name})
}

// describe gives customers the subscriptions that were read, with what else is about them.
func (im *Import) describe(of func(customerID string) *Customer) error {
	for i := range im.Subscriptions {
		s := &im.Subscriptions[i]
		c := of(s.CustomerID)
		by, is := linesOf(c.Orders)[guid.Key(s.Item.ID)]
		if !is {
			return im.orphan("subscription", s.CustomerID, s.Item.ID, "no order that was read has it; import the customer's orders in the same command")
		}
		fillSubscription(&s.Item, by)
		c.Subscriptions = append(c.Subscriptions, Subscription{Subscription: s.Item})
	}
	// find returns a subscription that was read, or made of nothing but its line.
	find := func(customerID, id string) *Subscription {
		c := of(customerID)
		for i := range c.Subscriptions {
			if guid.Key(c.Subscriptions[i].Subscription.ID) == guid.Key(id) {
				return &c.Subscriptions[i]
			}
		}
		return nil
	}
	const first = "the subscription was not read; import the customer's subscriptions in the same command"
	for _, contact := range im.Contacts {
		s := find(contact.CustomerID, contact.SubscriptionID)
		if s == nil {
			return im.orphan("support contact of subscription", contact.CustomerID, contact.SubscriptionID, first)
		}
		s.SupportContact = &contact.Item
	}
	for _, overage := range im.Overages {
		var plan *Subscription
		c := of(overage.CustomerID)
		for i := range c.Subscriptions {
			if ascii.EqualFold(c.Subscriptions[i].Subscription.EntitlementID, overage.Item.AzureEntitlementID) {
				plan = &c.Subscriptions[i]
			}
		}
		if plan == nil {
			return im.orphan("overage of Azure subscription", overage.CustomerID, overage.Item.AzureEntitlementID, first)
		}
		plan.OverageEnabled = overage.Item.OverageEnabled
	}
	owners := map[string]string{}
	for i := range im.Subscriptions {
		owners[guid.Key(im.Subscriptions[i].Item.ID)] = im.Subscriptions[i].CustomerID
	}
	for _, t := range im.Transitions {
		owner, is := owners[guid.Key(t.FromSubscriptionID)]
		if !is {
			key := "transition " + guid.Key(t.FromSubscriptionID) + " " + t.OperationID
			return im.failed(im.others[key], "transition "+t.OperationID+": "+first)
		}
		s := find(owner, t.FromSubscriptionID)
		s.Transitions = append(s.Transitions, t)
	}
	return nil
}

// orphan is the error about something that belongs to nothing that was read.
func (im *Import) orphan(what, customerID, id, why string) error {
	return im.failed(im.others[what+" "+guid.Key(customerID)+" "+guid.Key(id)], what+" "+id+": "+why)
}

func (im *Import) failed(at imported, message string) error {
	return &ImportError{File: at.file, Line: at.line, Item: at.item, Message: message}
}
