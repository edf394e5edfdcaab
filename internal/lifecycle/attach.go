package lifecycle

import (
	"net/http"
	"strings"
	"time"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/internal/ascii"
	"github.com/partnercenter-go/partnercenter/internal/quote"
)

// Attachment is the command to attach files to an order.
type Attachment struct {
	Metadata *partnercenter.AttachmentMetadata
	// PurchaseOrders and Tenders are the numbers of files of each kind.
	PurchaseOrders, Tenders int
}

func (a *Attachment) ofTender() bool {
	return a.Metadata.IsPartOfTender != nil && *a.Metadata.IsPartOfTender
}

// attachRules are about the parts of an upload.
var attachRules = []rule[*Attachment]{
	{http.StatusBadRequest, partnercenter.ErrorCodeInvalidProperty, "there is no metadata", func(a *Attachment) (string, string) {
		return require(a.Metadata != nil, "Send the metadata as a part named metadata", "Invalid property metadata: the upload has none")
	}},
	{http.StatusBadRequest, partnercenter.ErrorCodeInvalidProperty, "there is no purchase order", func(a *Attachment) (string, string) {
		return require(a.PurchaseOrders > 0, "Send at least one file as a part named POFiles", "Invalid property POFiles: the upload has none")
	}},
	{http.StatusBadRequest, partnercenter.ErrorCodeInvalidProperty, "the customer's price is not an amount", func(a *Attachment) (string, string) {
		return amount("customerPrice", a.Metadata.CustomerPrice, false)
	}},
	{http.StatusBadRequest, partnercenter.ErrorCodeInvalidProperty, "the exchange rate is not a number", func(a *Attachment) (string, string) {
		return amount("fxRate", a.Metadata.FxRate, true)
	}},
	{http.StatusBadRequest, partnercenter.ErrorCodeInvalidProperty, "the currency is not a three-letter code", func(a *Attachment) (string, string) {
		c := a.Metadata.Currency
		return require(len(c) == 3 && strings.Trim(ascii.ToUpper(c), "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == "", "Send an ISO 4217 code such as USD", "Invalid property currency: %s", quote.Text(a.Metadata.Currency))
	}},
	{http.StatusBadRequest, partnercenter.ErrorCodeInvalidProperty, "a tender has neither link nor files, or there are tender files without a tender", func(a *Attachment) (string, string) {
		switch {
		case a.ofTender() && a.Metadata.TenderLink == "" && a.Tenders == 0:
			return violation("Send its tenderLink, or the files as parts named TenderFiles", "Invalid property isPartOfTender: the tender has neither link nor files")
		case !a.ofTender() && a.Tenders > 0:
			return violation("Set isPartOfTender to true, or leave the files out", "Invalid property TenderFiles: the order is not part of a tender")
		}
		return "", ""
	}},
}

func amount(name, text string, optional bool) (string, string) {
	if text == "" && optional {
		return "", ""
	}
	r, err := partnercenter.Decimal(text).Rat()
	return require(err == nil && r.Sign() >= 0, "Send a decimal number as text, such as 156.87", "Invalid property %s: %s", name, quote.Text(text))
}

// CanAttach fails for an order to which nothing can be attached now.
func CanAttach(o *Order, now time.Time) error {
	_, err := move(OrderMachine, o.status(now), Attach)
	return err
}

// AttachPurchaseOrder decides about an upload. The order then continues: provisioning
// of what it bought starts now.
func AttachPurchaseOrder(o *Order, command Attachment, settings Settings, now time.Time) (*Order, []Event, error) {
	to, err := move(OrderMachine, o.status(now), Attach)
	if err != nil {
		return nil, nil, err
	}
	if err := check(attachRules, &command); err != nil {
		return nil, nil, err
	}
	next := o.clone()
	next.Document.Status = partnercenter.OrderStatus(to.To)
	for i := range next.Facts.Lines {
		facts := &next.Facts.Lines[i]
		if facts.Provisioned.Before(never) {
			continue
		}
		facts.Provisioned = later(now, settings.ProvisioningTime)
		if s := next.subscriptionOf(i); s != nil {
			s.start(facts.Provisioned)
			next.Changed = append(next.Changed, s)
		}
	}
	next.touch()
	return next, []Event{{Kind: to.Event}}, nil
}
