package api

import (
	"context"
	"iter"
	"strings"

	"github.com/spf13/cobra"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/command"
	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/terminal"
	"github.com/partnercenter-go/partnercenter/internal/words"
)

func productsPromotions() command.Form {
	var segment partnercenter.TargetSegment
	in := countryFlags{}
	return command.List(in.withFlags(command.Spec{
		Use: "promotions --country CC", Short: "List the promotions that can be used now",
		Example: "  partnercenter products promotions --country US",
		Flags: func(cmd *cobra.Command) {
			cmd.Flags().StringVar((*string)(&segment), "segment", "", "only promotions for this `segment`: "+words.Or(partnercenter.TargetSegments()))
			terminal.Choices(cmd, "segment", words.Texts(partnercenter.TargetSegments())...)
		},
		Check: func(*command.Call) error {
			if segment == "" {
				return nil
			}
			return terminal.OneOf("segment", string(segment), words.Texts(partnercenter.TargetSegments())...)
		},
	}), promotionsView, func(ctx context.Context, call *command.Call) iter.Seq2[*partnercenter.Promotion, error] {
		list := call.Client.ProductPromotions.ByCountry(in.country)
		if segment != "" {
			return list.BySegment(segment).All(ctx)
		}
		return list.All(ctx)
	})
}

func productsPromotion() command.Form {
	in := countryFlags{}
	return command.Get(in.withFlags(command.Spec{
		Use: "promotion PROMOTION --country CC", Arg: "promotion id", Short: "Show a promotion",
		Example: "  partnercenter products promotion 39NFJQT1X27Q:0001:39NFJQT1Q5KC --country US",
	}), promotionsView, func(ctx context.Context, call *command.Call) (*partnercenter.Promotion, error) {
		return call.Client.ProductPromotions.ByCountry(in.country).ByID(call.Arg).Get(ctx)
	})
}

func productsPromotionEligibility() command.Form {
	var item partnercenter.PromotionEligibilities
	var quantity int
	return command.List(command.Spec{
		Use: "promotion-eligibility ITEM --customer ID --quantity N --term TERM --billing-cycle CYCLE", Arg: "catalog item", Customer: true,
		Short:   "Ask which promotions apply to a purchase of a customer",
		Example: "  partnercenter products promotion-eligibility CFQ7TTC0HD32:0002:CFQ7TTC0K6ZC --customer ID --quantity 5 --term P1Y --billing-cycle annual",
		Flags: func(cmd *cobra.Command) {
			f := cmd.Flags()
			f.IntVar(&quantity, "quantity", 1, "`number` of seats")
			f.StringVar(&item.TermDuration, "term", "", "`term`: P1M, P1Y or P3Y")
			f.StringVar((*string)(&item.BillingCycle), "billing-cycle", "", "billing `cycle`")
			f.StringVar(&item.PromotionID, "promotion", "", "only the promotion with this `id`")
		},
	}, promotionEligibilityView, func(ctx context.Context, call *command.Call) iter.Seq2[*partnercenter.PromotionEligibility, error] {
		item.ID, item.CatalogItemID, item.Quantity = new(0), call.Arg, &quantity
		answer, err := call.Customer.PromotionEligibilities.Check(ctx, &partnercenter.PromotionEligibilitiesRequest{Items: []partnercenter.PromotionEligibilities{item}})
		var list []*partnercenter.PromotionEligibility
		if err == nil {
			for _, purchase := range answer.Items {
				for i := range purchase.Eligibilities {
					list = append(list, &purchase.Eligibilities[i])
				}
			}
		}
		return command.Items(list, err)
	})
}

var promotionsView = &terminal.View[*partnercenter.Promotion]{
	Plural: "promotions",
	Columns: []terminal.Column[*partnercenter.Promotion]{
		{Name: "promotionId", Kind: terminal.ID, Value: func(p *partnercenter.Promotion) any { return p.ID }},
		{Name: "name", Value: func(p *partnercenter.Promotion) any { return p.Name }},
		{Name: "for", Value: func(p *partnercenter.Promotion) any {
			var items []string
			for _, r := range p.RequiredProducts {
				term := terminal.OrZero(r.Term)
				items = append(items, strings.TrimSpace(r.ProductID+":"+r.SKUID+" "+term.Duration+" "+string(term.BillingCycle)))
			}
			return strings.Join(items, ", ")
		}},
		{Name: "endDate", Header: "ENDS", Value: func(p *partnercenter.Promotion) any { return p.EndDate }},
		{Name: "description", Shown: terminal.OnlyWide, Value: func(p *partnercenter.Promotion) any { return p.Description }},
	},
}

var promotionEligibilityView = &terminal.View[*partnercenter.PromotionEligibility]{
	Plural: "promotions",
	Columns: []terminal.Column[*partnercenter.PromotionEligibility]{
		{Name: "promotionId", Kind: terminal.ID, Value: func(e *partnercenter.PromotionEligibility) any { return e.PromotionID }},
		{Name: "isEligible", Header: "APPLIES", Value: func(e *partnercenter.PromotionEligibility) any { return e.IsEligible }},
		{Name: "reason", Value: func(e *partnercenter.PromotionEligibility) any {
			var texts []string
			for _, err := range e.Errors {
				texts = append(texts, strings.TrimSuffix(err.Description, "."))
			}
			return strings.Join(texts, "; ")
		}},
	},
}
