package main

import (
	"strings"

	"github.com/spf13/cobra"

	"github.com/partnercenter-go/partnercenter"
)

// marketOptions are the flags of commands that read the catalog: where to look
// at it.
type marketOptions struct {
	country, customer string
}

func (o *marketOptions) addFlags(cmd *cobra.Command, byCustomer bool) {
	f := cmd.Flags()
	f.StringVar(&o.country, "country", "", "the country to buy in, two `letters` such as US")
	_ = cmd.RegisterFlagCompletionFunc("country", cobra.NoFileCompletions)
	if byCustomer {
		f.StringVar(&o.customer, "customer", "", "in the country of the customer with this tenant `id`")
		_ = cmd.RegisterFlagCompletionFunc("customer", cobra.NoFileCompletions)
	}
}

// check refuses what names no market; what it asks is of what.
func (o *marketOptions) check(what string, byCustomer bool) error {
	switch {
	case o.country != "" || o.customer != "":
		return nil
	case byCustomer:
		return usageErrorf("%s where? Give --country, such as US, or --customer ID", what)
	}
	return usageErrorf("%s where? Give --country, such as US", what)
}

// products are the products of the market.
func (o *marketOptions) products(pc *partnercenter.Client) *partnercenter.ProductsClient {
	if o.customer != "" {
		return pc.Customers.ByID(o.customer).Products
	}
	return pc.Products.ByCountry(o.country)
}

// selectOptions are the flags that narrow lists of products, SKUs and
// availabilities.
type selectOptions struct{ segment, scope string }

func (o *selectOptions) addFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&o.segment, "segment", "", "only what is sold to this `segment`: "+orList(texts(partnercenter.TargetSegments())))
	f.StringVar(&o.scope, "reservation-scope", "", "AzurePlan lists reservations for Azure plans")
	registerValues(cmd, "segment", texts(partnercenter.TargetSegments())...)
	registerValues(cmd, "reservation-scope", string(partnercenter.ReservationScopeAzurePlan))
}

// values checks the flags and returns what they name, in any case.
func (o *selectOptions) values() (partnercenter.TargetSegment, partnercenter.ReservationScope, error) {
	segment := partnercenter.TargetSegment(o.segment).Normalize()
	if o.segment != "" {
		if err := oneOf("segment", string(segment), texts(partnercenter.TargetSegments())...); err != nil {
			return "", "", err
		}
	}
	scope := partnercenter.ReservationScope(o.scope)
	if strings.EqualFold(o.scope, string(partnercenter.ReservationScopeAzurePlan)) {
		scope = partnercenter.ReservationScopeAzurePlan
	}
	if o.scope != "" {
		if err := oneOf("reservation-scope", string(scope), string(partnercenter.ReservationScopeAzurePlan)); err != nil {
			return "", "", err
		}
	}
	return segment, scope, nil
}

// texts are the values of an enum as flags take them.
func texts[T ~string](values []T) []string {
	list := make([]string, len(values))
	for i, v := range values {
		list[i] = string(v)
	}
	return list
}
