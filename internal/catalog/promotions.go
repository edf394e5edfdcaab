package catalog

import (
	"slices"
	"time"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/internal/ascii"
	"github.com/partnercenter-go/partnercenter/internal/yamlfile"
)

// filePromotion is a promotion in a file: the API's resource, and where and for how many
// seats it is.
type filePromotion struct {
	apiPromotion    `json:",embed"`
	Countries       []string                    `json:"countries"`
	Segment         partnercenter.TargetSegment `json:"segment"`
	MinimumQuantity int                         `json:"minimumQuantity"`
	MaximumQuantity int                         `json:"maximumQuantity"`
}

type apiPromotion partnercenter.Promotion

// Promotion is a discount on some items.
type Promotion struct {
	Resource partnercenter.Promotion
	Segment  partnercenter.TargetSegment
	// MinimumQuantity and MaximumQuantity are the seats that it is for; zero means any.
	MinimumQuantity, MaximumQuantity int

	countries []string // nil for all
}

// In reports whether the promotion is for a country.
func (p *Promotion) In(country string) bool {
	return p.countries == nil || slices.Contains(p.countries, fold(country))
}

// Current reports whether it can be used at an instant.
func (p *Promotion) Current(now time.Time) bool {
	start, end := p.Resource.StartDate, p.Resource.EndDate
	return !now.Before(start.Time()) && (end.IsZero() || !now.After(end.Time()))
}

// Discounts returns what the promotion says of an item, nil if it is for others.
func (p *Promotion) Discounts(item *Item) *partnercenter.PromotionProduct {
	for i := range p.Resource.RequiredProducts {
		r := &p.Resource.RequiredProducts[i]
		if ascii.EqualFold(r.ProductID, item.ProductID) && ascii.EqualFold(r.SKUID, item.SKUID) {
			return r
		}
	}
	return nil
}

// Promotions returns all promotions, in the order of the file.
func (c *Catalog) Promotions() []*Promotion { return c.promotions }

// Promotion returns the promotion with an id, in any case, or nil.
func (c *Catalog) Promotion(id string) *Promotion {
	for _, p := range c.promotions {
		if ascii.EqualFold(p.Resource.ID, ascii.TrimSpace(id)) {
			return p
		}
	}
	return nil
}

func (c *Catalog) addPromotion(f *filePromotion) {
	p := &Promotion{
		Resource: partnercenter.Promotion(f.apiPromotion), Segment: f.Segment, MinimumQuantity: f.MinimumQuantity, MaximumQuantity: f.MaximumQuantity,
		countries: folded(f.Countries),
	}
	if p.Segment == "" {
		p.Segment = partnercenter.TargetSegmentCommercial
	}
	res := &p.Resource
	if res.Properties == nil {
		res.Properties = &partnercenter.PromotionProperties{}
	}
	res.Properties.IsAutoApplicable = orElse(res.Properties.IsAutoApplicable, false)
	for i := range res.RequiredProducts {
		if t := res.RequiredProducts[i].Term; t != nil {
			t.BillingCycle = t.BillingCycle.Normalize()
		}
	}
	c.promotions = append(c.promotions, p)
}

// promotion checks a promotion of the file.
func (c *checker) promotion(at yamlfile.Position, p *filePromotion, n *names, ids map[string]int) {
	c.Required(at, "id", "such as 39NFJQT1X27Q:0001:39NFJQT1Q5KC")
	c.Required(at, "name", "what the promotion is called")
	c.Unique(ids, at.Field("id"), fold(p.ID))
	c.checkSales(at, p.Countries, p.Segment, n)
	if p.StartDate.IsZero() {
		c.Problem(at.Field("startDate"), "is missing; write when the promotion begins, such as 2026-01-01T00:00:00Z")
	}
	if len(p.RequiredProducts) == 0 {
		c.Problem(at.Field("requiredProducts"), "is missing; name the SKUs that it is a discount on")
	}
	if p.MinimumQuantity < 0 || p.MaximumQuantity < 0 || p.MaximumQuantity > 0 && p.MaximumQuantity < p.MinimumQuantity {
		c.Problem(at.Field("maximumQuantity"), "does not fit minimumQuantity; write the seats that it is for, or leave both out")
	}
	for i := range p.RequiredProducts {
		at, r := at.Field("requiredProducts").Item(i), &p.RequiredProducts[i]
		if _, ok := n.skus[fold(r.ProductID+":"+r.SKUID)]; !ok {
			c.Problem(at.Field("productId"), "%q with SKU %q is not one of the file's products; add it there or correct the ids", r.ProductID, r.SKUID)
		}
		if r.Term == nil || TermMonths(r.Term.Duration) == 0 || !r.Term.BillingCycle.Known() {
			c.Problem(at.Field("term"), "is not a term; write such as {duration: P1Y, billingCycle: annual}")
		}
		for j, policy := range r.PricingPolicies {
			value, err := partnercenter.Decimal(policy.Value).Rat()
			if policy.PolicyType.Normalize() != partnercenter.PricingPolicyTypePercentDiscount || err != nil || value.Sign() < 0 || value.Num().Cmp(value.Denom()) > 0 {
				c.Problem(at.Field("pricingPolicies").Item(j), "is no discount that is known here; write {policyType: PercentDiscount, value: \"0.05\"} for 5 %%")
			}
		}
		if len(r.PricingPolicies) == 0 {
			c.Problem(at.Field("pricingPolicies"), "is missing; write the discount, such as [{policyType: PercentDiscount, value: \"0.05\"}]")
		}
	}
}
