package partnercenter_test

import (
	"strconv"
	"testing"

	"github.com/partnercenter-go/partnercenter"
)

// numbered checks the values of an enum whose numbers are documented: each is known, and
// has its number in this list and no other.
func numbered[T interface {
	~string
	Normalize() T
	Known() bool
}](t *testing.T, values ...T) {
	t.Helper()
	for number, want := range values {
		v := T(strconv.Itoa(number))
		if got := v.Normalize(); got != want || !v.Known() {
			t.Errorf("%d is the %T %q, known %t; want %q", number, got, got, v.Known(), want)
		}
		if got := want.Normalize(); got != want || !want.Known() {
			t.Errorf("the %T %q is written %q, known %t", got, want, got, want.Known())
		}
	}
	if v := T(strconv.Itoa(len(values))); v.Normalize() != v || v.Known() {
		t.Errorf("%s is the %T %q, want no value", v, v, v.Normalize())
	}
}

// TestEnumNumbers has the numbers that the API's documentation and the published source
// of its clients give.
func TestEnumNumbers(t *testing.T) {
	numbered[partnercenter.BillingCycleType](t, "unknown", "monthly", "annual", "none", "one_time", "triennial", "biennial")
	numbered[partnercenter.OrderStatus](t, "unknown", "completed", "pending", "cancelled", "suspended", "pending_review",
		"pending_po_upload", "po_upload_complete", "po_review_rejected", "partial_success", "error")
	numbered[partnercenter.SubscriptionStatus](t, "none", "active", "suspended", "deleted", "expired", "pending", "disabled")
	numbered[partnercenter.ParticipantType](t, "unknown", "transaction_reseller", "consumption_reseller", "additional_transaction_reseller")
	numbered[partnercenter.BillingType](t, "none", "usage", "license", "benefit")
	numbered[partnercenter.ContractType](t, "subscription", "productKey", "redemptionCode")
	numbered[partnercenter.ProvisioningStatus](t, "none", "success", "pending", "failed")
	numbered[partnercenter.RelationshipToPartner](t, "unknown", "reseller", "advisor", "syndication", "microsoft_support", "none")
	numbered[partnercenter.PartnerRelationshipType](t, "is_indirect_reseller_of", "is_indirect_cloud_solution_provider_of")
	numbered[partnercenter.SeekOperation](t, "Next", "Previous", "First", "Last", "PageIndex")
	numbered[partnercenter.FilterOperator](t, "equals", "not_equals", "greater_than", "greater_than_or_equals", "less_than",
		"less_than_or_equals", "substring", "and", "or", "starts_with", "not_starts_with")
	numbered[partnercenter.CustomerSearchField](t, "CompanyName", "Domain", "IndirectReseller", "IndirectCloudSolutionProvider")
}

// TestCartErrorNumbers has the numbers of the errors of lines of carts, which have gaps.
func TestCartErrorNumbers(t *testing.T) {
	for number, want := range map[string]partnercenter.CartErrorCode{
		"0": "unknown", "10000": "currency_is_not_supported", "10004": "participants_is_not_supported_for_partner",
		"10006": "unable_to_process_cart_line_item", "10019": "minimum_add_on_seats_not_met", "500600": "legacy_offer_not_eligible_for_purchase",
		"MaxAllowedSeatsPerSubscriptionExceeded": "max_allowed_seats_per_subscription_exceeded",
	} {
		if c := partnercenter.CartErrorCode(number); c.Normalize() != want || !c.Known() || !want.Known() {
			t.Errorf("%s is %q, known %t; want %q", number, c.Normalize(), c.Known(), want)
		}
	}
	for _, unknown := range []partnercenter.CartErrorCode{"1", "10005", "10020", ""} {
		if unknown.Known() || unknown.Normalize() != unknown {
			t.Errorf("%q is %q", unknown, unknown.Normalize())
		}
	}
	for _, status := range []partnercenter.CartStatus{"active", "Ordered", "ORDERED"} {
		if !status.Known() {
			t.Errorf("%q is unknown", status)
		}
	}
	if s := partnercenter.CartStatus("0"); s.Known() || s.Normalize() != s {
		t.Error("0 is the status of a cart")
	}
}
