package seed

import (
	"bytes"
	_ "embed"
	"io"
	"reflect"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/internal/spelling"
	"github.com/partnercenter-go/partnercenter/internal/words"
	"github.com/partnercenter-go/partnercenter/internal/yamlfile"
)

// Format is the value of a seed file's format field.
const Format = "partnercenter-seed/1"

// maxFileSize bounds the memory for one seed or import file.
const maxFileSize = 256 << 20

//go:embed sample.yaml
var sample []byte

// Sample returns the sample data: two fictitious partners, their customers and orders.
func Sample() (*Seed, error) {
	return Read("sample.yaml", bytes.NewReader(sample))
}

// Read reads a seed file, in YAML or JSON, as described in docs/seed-format.md, and
// fills in defaults. Customers and orders are read as in answers of the API, and what is
// not documented is warned of. Enumerated values come in their normal spelling. The name
// is for messages only. A file with mistakes gives a *[yamlfile.Error].
func Read(name string, r io.Reader) (*Seed, error) {
	var file struct {
		Format string `json:"format"`
		Seed   `json:",embed"`
	}
	f, err := format.Read(name, r, &file)
	if err != nil {
		return nil, err
	}
	c := &checker{f}
	if f.Err() == nil && f.Incomplete() {
		c.answers(f.Root, &file.Seed)
	}
	c.seed(f.Root, &file.Seed)
	if err := f.Err(); err != nil {
		return nil, err
	}
	spelling.Normalize(&file.Seed)
	file.Warnings = f.Warnings()
	return &file.Seed, nil
}

// format describes seed files.
var format = yamlfile.Format{Name: Format, Limit: maxFileSize, Enums: map[reflect.Type][]string{
	reflect.TypeFor[partnercenter.UserRole](): words.Texts(partnercenter.UserRoles()),
}, Open: map[reflect.Type][]string{
	reflect.TypeFor[partnercenter.BillingCycleType](): words.Texts(partnercenter.BillingCycleTypes()),
	reflect.TypeFor[partnercenter.OrderStatus](): words.Texts([]partnercenter.OrderStatus{
		partnercenter.OrderStatusUnknown, partnercenter.OrderStatusCompleted, partnercenter.OrderStatusPending, partnercenter.OrderStatusCancelled,
		partnercenter.OrderStatusSuspended, partnercenter.OrderStatusPendingReview, partnercenter.OrderStatusPendingPOUpload,
		partnercenter.OrderStatusPOUploadComplete, partnercenter.OrderStatusPOReviewRejected, partnercenter.OrderStatusPartialSuccess,
		partnercenter.OrderStatusError,
	}),
	reflect.TypeFor[partnercenter.SubscriptionStatus](): words.Texts(partnercenter.SubscriptionStatuses()),
	reflect.TypeFor[partnercenter.OrderTransactionType](): words.Texts([]partnercenter.OrderTransactionType{
		partnercenter.OrderTransactionTypeUserPurchase, partnercenter.OrderTransactionTypeSystemPurchase,
		partnercenter.OrderTransactionTypeSystemBilling,
	}),
	reflect.TypeFor[partnercenter.LineItemTransactionType](): {
		"New", "renew", "addQuantity", "removeQuantity", "cancel", "convert", "customerCredit"},
	reflect.TypeFor[partnercenter.RelationshipToPartner](): words.Texts([]partnercenter.RelationshipToPartner{
		partnercenter.RelationshipToPartnerUnknown, partnercenter.RelationshipToPartnerReseller, partnercenter.RelationshipToPartnerAdvisor,
		partnercenter.RelationshipToPartnerSyndication, partnercenter.RelationshipToPartnerMicrosoftSupport, partnercenter.RelationshipToPartnerNone,
	}),
}}
