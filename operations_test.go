package partnercenter_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/partnercenter-go/partnercenter"
)

// notOffered are the documented rows of calls that not every cloud has, with
// what they come to: its words are about pages, each of which is some calls.
var notOffered = map[partnercenter.CloudName]string{
	partnercenter.CloudName21Vianet: `audit get, audit list, audit list-next-page,
		subscriptions get-support-contact, subscriptions update-support-contact,
		subscriptions register, subscriptions get-registration-status,
		subscriptions get-azure-entitlement, subscriptions cancel-azure-entitlement, subscriptions reactivate-azure-entitlement,
		subscriptions get-overage, subscriptions set-overage, entitlements list,
		subscriptions list-azure-entitlements, productupgrades create, productupgrades check-eligibility, productupgrades get-status`,
	partnercenter.CloudNameGermany: `orders create, orders create-for-indirect-reseller, orders purchase-addon,
		customers create, customers create-for-indirect-reseller,
		subscriptions register, subscriptions get-registration-status`,
	partnercenter.CloudNameUSGovernment: `customers get-relationship-request`,
	partnercenter.CloudNameGlobal:       ``,
}

func TestOperationsOfClouds(t *testing.T) {
	for cloud, text := range notOffered {
		want := strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == '\n' || r == '\t' })
		want = slices.DeleteFunc(want, func(s string) bool { return strings.TrimSpace(s) == "" })
		for i := range want {
			want[i] = strings.TrimSpace(want[i])
		}
		var got []string
		for _, o := range partnercenter.Operations() {
			if !o.OfferedIn(cloud) {
				got = append(got, o.String())
			}
		}
		slices.Sort(want)
		slices.Sort(got)
		if diff := cmp.Diff(want, got); diff != "" && len(want)+len(got) > 0 {
			t.Errorf("%s (-want +got):\n%s", cloud, diff)
		}
	}
	if len(notOffered) != len(partnercenter.CloudNames()) {
		t.Error("a cloud is missing in the test")
	}
}
