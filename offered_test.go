package partnercenter_test

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/internal/catalog"
	"github.com/partnercenter-go/partnercenter/internal/contract/contracttest"
)

// verbs make every documented call that the package has a method for, by its
// operation. Where one method is several operations, what is sent tells.
var verbs = map[string]func(context.Context, *partnercenter.Client) error{
	"orders list": func(ctx context.Context, pc *partnercenter.Client) error {
		return second(customerOf(pc).Orders.Get(ctx))
	},
	"orders list-by-billing-type": func(ctx context.Context, pc *partnercenter.Client) error {
		return second(customerOf(pc).Orders.ByBillingCycleType(partnercenter.BillingCycleTypeMonthly).Get(ctx))
	},
	"orders get": func(ctx context.Context, pc *partnercenter.Client) error { return second(orderOfCustomer(pc).Get(ctx)) },
	"orders create": func(ctx context.Context, pc *partnercenter.Client) error {
		return second(customerOf(pc).Orders.Create(ctx, orderOf(1)))
	},
	"orders create-for-indirect-reseller": func(ctx context.Context, pc *partnercenter.Client) error {
		order := orderOf(1)
		order.LineItems[0].PartnerIDOnRecord = "5081207"
		return second(customerOf(pc).Orders.Create(ctx, order))
	},
	"orders update-billing-cycle": func(ctx context.Context, pc *partnercenter.Client) error {
		order := orderOf(1)
		order.BillingCycle, order.LineItems[0].SubscriptionID = partnercenter.BillingCycleTypeAnnual, "s"
		return second(orderOfCustomer(pc).Patch(ctx, order))
	},
	"orders purchase-addon": func(ctx context.Context, pc *partnercenter.Client) error {
		order := orderOf(1)
		order.LineItems[0].ParentSubscriptionID = "s"
		return second(orderOfCustomer(pc).Patch(ctx, order))
	},
	"orders cancel-software-purchase": func(ctx context.Context, pc *partnercenter.Client) error {
		return second(orderOfCustomer(pc).Cancel(ctx))
	},
	"orders get-provisioning-status": func(ctx context.Context, pc *partnercenter.Client) error {
		return second(orderOfCustomer(pc).ProvisioningStatus.Get(ctx))
	},
	"orders get-order-activation-links": func(ctx context.Context, pc *partnercenter.Client) error {
		return second(orderOfCustomer(pc).ActivationLinks.Get(ctx))
	},
	"orders get-lineitem-activation-links": func(ctx context.Context, pc *partnercenter.Client) error {
		return second(orderOfCustomer(pc).LineItems.ByID(0).ActivationLinks.Get(ctx))
	},
	"orders upload-attachments": func(ctx context.Context, pc *partnercenter.Client) error {
		file := partnercenter.AttachmentFile{Name: "po.txt", Content: strings.NewReader("x")}
		upload := &partnercenter.AttachmentUpload{PurchaseOrders: []partnercenter.AttachmentFile{file}}
		upload.Metadata.CustomerPrice, upload.Metadata.Currency = "1", "USD"
		return second(orderOfCustomer(pc).Attachments.Upload(ctx, upload))
	},
	"orders list-attachments": func(ctx context.Context, pc *partnercenter.Client) error {
		return second(orderOfCustomer(pc).Attachments.Get(ctx))
	},
	"orders download-attachment": func(ctx context.Context, pc *partnercenter.Client) error {
		return second(orderOfCustomer(pc).Attachments.ByID("a").Download(ctx)) //nolint:bodyclose // there is none
	},
	"carts create": func(ctx context.Context, pc *partnercenter.Client) error {
		return second(customerOf(pc).Carts.Create(ctx, &partnercenter.Cart{LineItems: []partnercenter.CartLineItem{{CatalogItemID: "a:b:c", Quantity: new(1)}}}))
	},
	"carts get": func(ctx context.Context, pc *partnercenter.Client) error {
		return second(customerOf(pc).Carts.ByID("k").Get(ctx))
	},
	"carts update": func(ctx context.Context, pc *partnercenter.Client) error {
		return second(customerOf(pc).Carts.ByID("k").Put(ctx, &partnercenter.Cart{}))
	},
	"carts checkout": func(ctx context.Context, pc *partnercenter.Client) error {
		return second(customerOf(pc).Carts.ByID("k").CheckOut(ctx))
	},
	"subscriptions list": func(ctx context.Context, pc *partnercenter.Client) error {
		return second(customerOf(pc).Subscriptions.Get(ctx))
	},
	"subscriptions list-by-order": func(ctx context.Context, pc *partnercenter.Client) error {
		return second(customerOf(pc).Subscriptions.ByOrder("o").Get(ctx))
	},
	"subscriptions list-by-partner": func(ctx context.Context, pc *partnercenter.Client) error {
		return second(customerOf(pc).Subscriptions.ByPartner("1").Get(ctx))
	},
	"subscriptions get": func(ctx context.Context, pc *partnercenter.Client) error { return second(subscriptionOf(pc).Get(ctx)) },
	"subscriptions update-quantity": func(ctx context.Context, pc *partnercenter.Client) error {
		return second(subscriptionOf(pc).Patch(ctx, &partnercenter.Subscription{Quantity: new(1)}))
	},
	"subscriptions suspend": func(ctx context.Context, pc *partnercenter.Client) error {
		return second(subscriptionOf(pc).Patch(ctx, &partnercenter.Subscription{Status: partnercenter.SubscriptionStatusSuspended}))
	},
	"subscriptions cancel": func(ctx context.Context, pc *partnercenter.Client) error {
		return second(subscriptionOf(pc).Patch(ctx, &partnercenter.Subscription{Status: partnercenter.SubscriptionStatusDeleted}))
	},
	"subscriptions list-addons": func(ctx context.Context, pc *partnercenter.Client) error {
		return second(subscriptionOf(pc).AddOns.Get(ctx))
	},
	"subscriptions get-provisioning-status": func(ctx context.Context, pc *partnercenter.Client) error {
		return second(subscriptionOf(pc).ProvisioningStatus.Get(ctx))
	},
	"subscriptions register": func(ctx context.Context, pc *partnercenter.Client) error {
		return second(subscriptionOf(pc).Registrations.Create(ctx))
	},
	"subscriptions get-registration-status": func(ctx context.Context, pc *partnercenter.Client) error {
		return second(subscriptionOf(pc).RegistrationStatus.Get(ctx))
	},
	"subscriptions get-activation-links": func(ctx context.Context, pc *partnercenter.Client) error {
		return second(subscriptionOf(pc).ActivationLinks.Get(ctx))
	},
	"subscriptions activate-sandbox": func(ctx context.Context, pc *partnercenter.Client) error {
		return second(subscriptionOf(pc).Activate(ctx))
	},
	"subscriptions list-transition-eligibilities": func(ctx context.Context, pc *partnercenter.Client) error {
		return second(subscriptionOf(pc).TransitionEligibilities.Get(ctx))
	},
	"subscriptions list-transitions": func(ctx context.Context, pc *partnercenter.Client) error {
		return second(subscriptionOf(pc).Transitions.Get(ctx))
	},
	"subscriptions create-transition": func(ctx context.Context, pc *partnercenter.Client) error {
		return second(subscriptionOf(pc).Transitions.Create(ctx, &partnercenter.Transition{Quantity: new(1)}))
	},
	"subscriptions list-upgrades": func(ctx context.Context, pc *partnercenter.Client) error {
		return second(subscriptionOf(pc).Upgrades.Get(ctx))
	},
	"subscriptions upgrade": func(ctx context.Context, pc *partnercenter.Client) error {
		return second(subscriptionOf(pc).Upgrades.Create(ctx, &partnercenter.Upgrade{}))
	},
	"subscriptions list-conversions": func(ctx context.Context, pc *partnercenter.Client) error {
		return second(subscriptionOf(pc).Conversions.Get(ctx))
	},
	"subscriptions convert-trial": func(ctx context.Context, pc *partnercenter.Client) error {
		return second(subscriptionOf(pc).Conversions.Create(ctx, &partnercenter.Conversion{}))
	},
	"subscriptions get-support-contact": func(ctx context.Context, pc *partnercenter.Client) error {
		return second(subscriptionOf(pc).SupportContact.Get(ctx))
	},
	"subscriptions update-support-contact": func(ctx context.Context, pc *partnercenter.Client) error {
		return second(subscriptionOf(pc).SupportContact.Put(ctx, &partnercenter.SupportContact{}))
	},
	"subscriptions list-azure-entitlements": func(ctx context.Context, pc *partnercenter.Client) error {
		return second(subscriptionOf(pc).AzureEntitlements.Get(ctx))
	},
	"subscriptions get-azure-entitlement": func(ctx context.Context, pc *partnercenter.Client) error {
		return second(subscriptionOf(pc).AzureEntitlements.ByID("e").Get(ctx))
	},
	"subscriptions cancel-azure-entitlement": func(ctx context.Context, pc *partnercenter.Client) error {
		return second(subscriptionOf(pc).AzureEntitlements.ByID("e").Cancel(ctx, &partnercenter.AzureEntitlementCancellation{}))
	},
	"subscriptions reactivate-azure-entitlement": func(ctx context.Context, pc *partnercenter.Client) error {
		return second(subscriptionOf(pc).AzureEntitlements.ByID("e").Reactivate(ctx))
	},
	"subscriptions list-transfer-eligibility": func(ctx context.Context, pc *partnercenter.Client) error {
		return second(customerOf(pc).TransferEligibility.ByType(partnercenter.TransferTypeDirectToIndirect).Get(ctx))
	},
	"subscriptions get-overage": func(ctx context.Context, pc *partnercenter.Client) error {
		return second(customerOf(pc).Subscriptions.Overage().Get(ctx))
	},
	"subscriptions set-overage": func(ctx context.Context, pc *partnercenter.Client) error {
		return second(customerOf(pc).Subscriptions.Overage().Put(ctx, &partnercenter.Overage{}))
	},
	"subscriptions list-custom-term-end-dates": func(ctx context.Context, pc *partnercenter.Client) error {
		return second(customerOf(pc).Subscriptions.CustomTermEndDates().ByTermDuration("P1Y").Get(ctx))
	},
	"entitlements list": func(ctx context.Context, pc *partnercenter.Client) error {
		return second(customerOf(pc).Entitlements.Get(ctx))
	},
	"productupgrades create": func(ctx context.Context, pc *partnercenter.Client) error {
		return second(pc.ProductUpgrades.Create(ctx, &partnercenter.ProductUpgradeRequest{}))
	},
	"productupgrades check-eligibility": func(ctx context.Context, pc *partnercenter.Client) error {
		return second(pc.ProductUpgrades.CheckEligibility(ctx, &partnercenter.ProductUpgradeRequest{}))
	},
	"productupgrades get-status": func(ctx context.Context, pc *partnercenter.Client) error {
		return second(pc.ProductUpgrades.ByID("u").CheckStatus(ctx, &partnercenter.ProductUpgradeRequest{}))
	},
	"promotions list": func(ctx context.Context, pc *partnercenter.Client) error {
		return second(pc.ProductPromotions.ByCountry("US").Get(ctx))
	},
	"promotions get": func(ctx context.Context, pc *partnercenter.Client) error {
		return second(pc.ProductPromotions.ByCountry("US").ByID("p").Get(ctx))
	},
	"promotions check-eligibilities": func(ctx context.Context, pc *partnercenter.Client) error {
		return second(customerOf(pc).PromotionEligibilities.Check(ctx, &partnercenter.PromotionEligibilitiesRequest{}))
	},
	"customers list": func(ctx context.Context, pc *partnercenter.Client) error { return second(pc.Customers.Get(ctx)) },
	"customers list-next-page": func(ctx context.Context, pc *partnercenter.Client) error {
		return second(pc.Customers.Query(ctx, partnercenter.CustomersQuery{Seek: partnercenter.SeekOperationNext, ContinuationToken: "t"}))
	},
	"customers search":                    customersBy(partnercenter.CustomerSearchFieldCompanyName),
	"customers list-by-indirect-reseller": customersBy(partnercenter.CustomerSearchFieldIndirectReseller),
	"customers get":                       func(ctx context.Context, pc *partnercenter.Client) error { return second(customerOf(pc).Get(ctx)) },
	"customers get-company-profile": func(ctx context.Context, pc *partnercenter.Client) error {
		return second(customerOf(pc).Profiles.Company.Get(ctx))
	},
	"customers get-billing-profile": func(ctx context.Context, pc *partnercenter.Client) error {
		return second(customerOf(pc).Profiles.Billing.Get(ctx))
	},
	"applicationconsents create": func(ctx context.Context, pc *partnercenter.Client) error {
		return second(customerOf(pc).ApplicationConsents.Create(ctx, &partnercenter.ApplicationConsent{ApplicationID: "a"}))
	},
	"applicationconsents delete": func(ctx context.Context, pc *partnercenter.Client) error {
		return customerOf(pc).ApplicationConsents.ByID("a").Delete(ctx)
	},
	"catalog list-offers": func(ctx context.Context, pc *partnercenter.Client) error {
		return second(pc.Offers.ByCountry("US").Get(ctx))
	},
	"catalog get-offer": func(ctx context.Context, pc *partnercenter.Client) error {
		return second(pc.Offers.ByCountry("US").ByID("o").Get(ctx))
	},
	"catalog list-offer-addons": func(ctx context.Context, pc *partnercenter.Client) error {
		return second(pc.Offers.ByCountry("US").ByID("o").AddOns.Get(ctx))
	},
	"catalog list-offer-categories": func(ctx context.Context, pc *partnercenter.Client) error {
		return second(pc.OfferCategories.ByCountry("US").Get(ctx))
	},
	"catalog list-customer-offers": func(ctx context.Context, pc *partnercenter.Client) error {
		return second(customerOf(pc).Offers.Get(ctx))
	},
	"catalog list-customer-offer-categories": func(ctx context.Context, pc *partnercenter.Client) error {
		return second(customerOf(pc).OfferCategories.Get(ctx))
	},
	"catalog list-products": productsOf(func(pc *partnercenter.Client) *partnercenter.ProductsClient { return pc.Products.ByCountry("US") }),
	"catalog get-product": func(ctx context.Context, pc *partnercenter.Client) error {
		return second(pc.Products.ByCountry("US").ByID("p").Get(ctx))
	},
	"catalog list-skus": func(ctx context.Context, pc *partnercenter.Client) error {
		return second(pc.Products.ByCountry("US").ByID("p").SKUs.Get(ctx))
	},
	"catalog get-sku": func(ctx context.Context, pc *partnercenter.Client) error {
		return second(pc.Products.ByCountry("US").ByID("p").SKUs.ByID("s").Get(ctx))
	},
	"catalog list-availabilities": func(ctx context.Context, pc *partnercenter.Client) error {
		return second(pc.Products.ByCountry("US").ByID("p").SKUs.ByID("s").Availabilities.Get(ctx))
	},
	"catalog get-availability": func(ctx context.Context, pc *partnercenter.Client) error {
		return second(pc.Products.ByCountry("US").ByID("p").SKUs.ByID("s").Availabilities.ByID("a").Get(ctx))
	},
	"catalog list-customer-products": productsOf(func(pc *partnercenter.Client) *partnercenter.ProductsClient { return customerOf(pc).Products }),
	"catalog get-customer-product": func(ctx context.Context, pc *partnercenter.Client) error {
		return second(customerOf(pc).Products.ByID("p").Get(ctx))
	},
	"catalog list-customer-skus": func(ctx context.Context, pc *partnercenter.Client) error {
		return second(customerOf(pc).Products.ByID("p").SKUs.Get(ctx))
	},
	"catalog get-customer-sku": func(ctx context.Context, pc *partnercenter.Client) error {
		return second(customerOf(pc).Products.ByID("p").SKUs.ByID("s").Get(ctx))
	},
	"catalog list-customer-availabilities": func(ctx context.Context, pc *partnercenter.Client) error {
		return second(customerOf(pc).Products.ByID("p").SKUs.ByID("s").Availabilities.Get(ctx))
	},
	"catalog get-customer-availability": func(ctx context.Context, pc *partnercenter.Client) error {
		return second(customerOf(pc).Products.ByID("p").SKUs.ByID("s").Availabilities.ByID("a").Get(ctx))
	},
	"catalog check-inventory": func(ctx context.Context, pc *partnercenter.Client) error {
		return second(pc.Extensions.Product.ByCountry("US").CheckInventory(ctx, &partnercenter.InventoryCheckRequest{}))
	},
}

// notTold are operations that share their method and path with another one of
// verbs and ask for the same, so that nothing tells them apart.
var notTold = map[string]string{
	"orders cancel-sandbox-order":            "orders cancel-software-purchase",
	"carts create-with-addons-new-base":      "carts create",
	"carts create-with-addons-existing-base": "carts create",
	"subscriptions reactivate":               "subscriptions update-quantity",
	"subscriptions update-autorenew":         "subscriptions update-quantity",
	"subscriptions update-nickname":          "subscriptions update-quantity",
}

func second[T any](_ T, err error) error { return err }

func customerOf(pc *partnercenter.Client) *partnercenter.CustomerClient {
	return pc.Customers.ByID(customerID)
}

func orderOfCustomer(pc *partnercenter.Client) *partnercenter.OrderClient {
	return customerOf(pc).Orders.ByID("o")
}

func subscriptionOf(pc *partnercenter.Client) *partnercenter.SubscriptionClient {
	return customerOf(pc).Subscriptions.ByID("s")
}

func customersBy(field partnercenter.CustomerSearchField) func(context.Context, *partnercenter.Client) error {
	return func(ctx context.Context, pc *partnercenter.Client) error {
		filter := &partnercenter.FieldFilter{Field: field, Value: "x", Operator: partnercenter.FilterOperatorStartsWith}
		return second(pc.Customers.Query(ctx, partnercenter.CustomersQuery{Filter: filter}))
	}
}

func productsOf(of func(*partnercenter.Client) *partnercenter.ProductsClient) func(context.Context, *partnercenter.Client) error {
	return func(ctx context.Context, pc *partnercenter.Client) error {
		return second(of(pc).ByTargetView(partnercenter.TargetViewOnlineServices).Get(ctx))
	}
}

// TestVerbsAreAll compares the table above with the support matrix.
func TestVerbsAreAll(t *testing.T) {
	works := map[string]bool{}
	for _, row := range contracttest.Matrix(t) {
		name := row.Area + " " + row.Operation
		works[name] = row.SDK
		if row.Area == "auth" {
			continue // the credential's
		}
		if row.SDK && verbs[name] == nil && verbs[notTold[name]] == nil {
			t.Errorf("docs/support-matrix.md says that the package has %s, and no test makes the call", name)
		}
	}
	for name := range verbs {
		if !works[name] {
			t.Errorf("docs/support-matrix.md does not say that the package has %s", name)
		}
	}
	for name, like := range notTold {
		a, b := operationNamed(t, name), operationNamed(t, like)
		if a.Method != b.Method || a.Path != b.Path || a.Credential != b.Credential {
			t.Errorf("%s is not like %s", name, like)
		}
	}
}

func operationNamed(t *testing.T, name string) *partnercenter.Operation {
	t.Helper()
	area, short, _ := strings.Cut(name, " ")
	o := partnercenter.OperationNamed(area, short)
	if o == nil {
		t.Fatalf("there is no operation %s", name)
	}
	return o
}

// counting returns a client that gives a token and sends nothing, and how often
// it would have.
func counting(t *testing.T, token string, cloud partnercenter.CloudName) (*partnercenter.Client, *int) {
	t.Helper()
	sent := new(int)
	o := &partnercenter.ClientOptions{}
	o.Cloud = cloud.Configuration()
	o.Transport = transport(func(*http.Request) (*http.Response, error) {
		*sent++
		return nil, errSent{}
	})
	pc, err := partnercenter.NewClient(tokenCredential(token), o)
	if err != nil {
		t.Fatal(err)
	}
	return pc, sent
}

// TestCloudsOfEveryVerb makes every call in every cloud.
func TestCloudsOfEveryVerb(t *testing.T) {
	for _, cloud := range partnercenter.CloudNames() {
		for name, verb := range verbs {
			pc, sent := counting(t, "opaque", cloud)
			err := verb(t.Context(), pc)
			if operationNamed(t, name).OfferedIn(cloud) {
				if *sent != 1 || !errors.As(err, new(errSent)) {
					t.Errorf("%s in %s: %v, sent %d times", name, cloud, err, *sent)
				}
				continue
			}
			var refused *partnercenter.NotOfferedError
			if *sent != 0 || !errors.As(err, &refused) || refused.Operation != name || refused.Cloud != cloud || refused.What != "" {
				t.Errorf("%s in %s: %v, sent %d times", name, cloud, err, *sent)
				continue
			}
			if text := err.Error(); !strings.Contains(text, name) || !strings.Contains(text, "the "+string(cloud)+" cloud") || !strings.HasSuffix(text, "ClientOptions.Cloud") {
				t.Errorf("%q names not the call, the cloud and what to do", text)
			}
		}
	}
}

// TestCredentialsOfEveryVerb makes every call with tokens of every kind.
func TestCredentialsOfEveryVerb(t *testing.T) {
	user := func(role partnercenter.UserRole) string {
		return jwt(`{"aud":"` + partnerAPI + `","scp":"user_impersonation","amr":["pwd","mfa"],"roles":["` + string(role) + `"]}`)
	}
	for name, verb := range verbs {
		o := operationNamed(t, name)
		check := func(token string, want partnercenter.CredentialReason) {
			t.Helper()
			pc, sent := counting(t, token, partnercenter.CloudNameGlobal)
			err := verb(t.Context(), pc)
			if want == "" {
				if *sent != 1 || !errors.As(err, new(errSent)) {
					t.Errorf("%s: %v, sent %d times", name, err, *sent)
				}
				return
			}
			var refused *partnercenter.CredentialError
			if *sent != 0 || !errors.As(err, &refused) || refused.Reason != want || refused.Operation != name {
				t.Errorf("%s: %v, sent %d times; want %s", name, err, *sent, want)
			}
		}
		check(jwt(`{"aud":"`+partnerAPI+`","scp":"user_impersonation","amr":["pwd"]}`), partnercenter.CredentialReasonNoMFA)
		check(userToken, "")
		if o.TakesApp() {
			check(appToken, "")
		} else {
			check(appToken, partnercenter.CredentialReasonNeedsUser)
		}
		for _, role := range partnercenter.UserRoles() {
			if o.Allows(role) {
				check(user(role), "")
			} else {
				check(user(role), partnercenter.CredentialReasonNeedsRole)
			}
		}
	}
}

// TestMerchandise buys and looks for what a cloud may not sell.
func TestMerchandise(t *testing.T) {
	order := func(change func(*partnercenter.Order)) func(context.Context, *partnercenter.Client) error {
		return func(ctx context.Context, pc *partnercenter.Client) error {
			o := orderOf(1)
			change(o)
			return second(customerOf(pc).Orders.Create(ctx, o))
		}
	}
	view := func(v partnercenter.TargetView) func(context.Context, *partnercenter.Client) error {
		return func(ctx context.Context, pc *partnercenter.Client) error {
			return second(pc.Products.ByCountry("US").ByTargetView(v).Get(ctx))
		}
	}
	for _, tt := range []struct {
		name string
		call func(context.Context, *partnercenter.Client) error
		what catalog.Merchandise
		in   []partnercenter.CloudName // where it is not sold
	}{
		{"once", order(func(o *partnercenter.Order) { o.BillingCycle = "OneTime" }), catalog.OneTimePurchases, []partnercenter.CloudName{partnercenter.CloudName21Vianet}},
		{"legacy Azure", order(func(o *partnercenter.Order) { o.LineItems[0].OfferID = "ms-azr-0145p" }), catalog.AzureSubscriptions, []partnercenter.CloudName{partnercenter.CloudName21Vianet}},
		{"a reservation", order(func(o *partnercenter.Order) {
			o.LineItems[0].ProvisioningContext = map[string]string{"Scope": "single", "subscriptionId": "s"}
		}), catalog.AzureReservations, []partnercenter.CloudName{partnercenter.CloudName21Vianet}},
		{"an order that is there", func(ctx context.Context, pc *partnercenter.Client) error {
			o := orderOf(1)
			o.BillingCycle, o.LineItems[0].ProvisioningContext = partnercenter.BillingCycleTypeOneTime, map[string]string{"scope": "single"}
			return second(orderOfCustomer(pc).Patch(ctx, o))
		}, "", nil},
		{"licences", order(func(o *partnercenter.Order) { o.BillingCycle = partnercenter.BillingCycleTypeMonthly }), "", nil},
		{"another variable", order(func(o *partnercenter.Order) {
			o.LineItems[0].ProvisioningContext = map[string]string{"subscriptionId": "s"}
		}), "", nil},
		{"reservations", view(partnercenter.TargetViewAzureReservationsSQL), catalog.AzureReservations, []partnercenter.CloudName{partnercenter.CloudName21Vianet, partnercenter.CloudNameGermany}},
		{"Azure", view(partnercenter.TargetViewAzure), catalog.AzureSubscriptions, []partnercenter.CloudName{partnercenter.CloudName21Vianet}},
		{"software", view(partnercenter.TargetViewSoftwarePerpetual), catalog.OneTimePurchases, []partnercenter.CloudName{partnercenter.CloudName21Vianet, partnercenter.CloudNameGermany}},
		{"services", view(partnercenter.TargetViewOnlineServices), "", nil},
		{"reservations under a plan", func(ctx context.Context, pc *partnercenter.Client) error {
			return second(customerOf(pc).Products.ByID("p").SKUs.ByReservationScope(partnercenter.ReservationScopeAzurePlan).Get(ctx))
		}, catalog.AzureReservations, []partnercenter.CloudName{partnercenter.CloudName21Vianet, partnercenter.CloudNameGermany}},
	} {
		for _, cloud := range partnercenter.CloudNames() {
			pc, sent := counting(t, "opaque", cloud)
			err := tt.call(t.Context(), pc)
			var refused *partnercenter.NotOfferedError
			if tt.what != "" && tt.what.SoldIn(cloud) != (*sent == 1) && cloud != partnercenter.CloudNameGermany {
				t.Errorf("%s in %s: the client and the catalog do not agree whether it is sold", tt.name, cloud)
			}
			switch {
			case errors.As(err, &refused) && refused.What == "" && cloud == partnercenter.CloudNameGermany:
				// No order at all is placed there.
			case !slices.Contains(tt.in, cloud):
				if *sent != 1 {
					t.Errorf("%s in %s: %v", tt.name, cloud, err)
				}
			case *sent != 0 || refused == nil || refused.What != string(tt.what) || !strings.Contains(err.Error(), string(tt.what)):
				t.Errorf("%s in %s: %v, sent %d times", tt.name, cloud, err, *sent)
			}
		}
	}
}

// TestCopiedClouds keeps a cloud's name through a change of its addresses, and
// gives none to others.
func TestCopiedClouds(t *testing.T) {
	changed := partnercenter.CloudGermany
	changed.ActiveDirectoryAuthorityHost = "https://login.example/"
	if name := partnercenter.CloudNameOf(changed); name != partnercenter.CloudNameGermany {
		t.Errorf("%q", name)
	}
	own := partnercenter.CloudGermany
	own.Services = nil
	if name := partnercenter.CloudNameOf(own); name != "" {
		t.Errorf("%q", name)
	}
	if services := partnercenter.CloudName("mars").Configuration().Services; services != nil {
		t.Errorf("%v", services)
	}
}
