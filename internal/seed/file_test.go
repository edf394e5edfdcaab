package seed

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/internal/yamlfile"
)

const partnerYAML = `format: partnercenter-seed/1
partners:
  - tenantId: 0f2a9c14-5b7e-4d38-9a61-c3e8d70b4f25
    name: Contoso CSP
    domain: contosocsp.onmicrosoft.com
    mpnId: 0080911
    country: US
`

// customerYAML ends in line 11, a customer's orders follow.
const customerYAML = partnerYAML + `    customers:
      - id: 9d60c2b7-e814-4f35-a0d9-6b31f7c85e42
        companyProfile: {companyName: Wingtip Toys, domain: wingtiptoys.onmicrosoft.com}
        orders:
`

func mustReadSeed(t *testing.T, text string) *Seed {
	t.Helper()
	seed, err := Read("test.yaml", strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return seed
}

// testCertificate returns one that apps may have.
func testCertificate() string {
	key, err1 := rsa.GenerateKey(rand.Reader, 2048)
	template := &x509.Certificate{SerialNumber: big.NewInt(1)}
	der, err2 := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err := errors.Join(err1, err2); err != nil {
		panic(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

func mustMarshal(t *testing.T, v any) string {
	t.Helper()
	data, err := partnercenter.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestReadSeedFillsInWhatIsNotMentioned(t *testing.T) {
	const customerLink = "/customers/9d60c2b7-e814-4f35-a0d9-6b31f7c85e42"
	link := func(name, uri string) string {
		return fmt.Sprintf(`"%s":{"uri":"%s","method":"GET","headers":[]}`, name, uri)
	}
	tests := []struct{ name, order, want string }{
		{
			"a new order",
			`{id: c5d80f3a7b21, billingCycle: monthly, creationDate: 2024-03-01, lineItems: [{offerId: "A:1:B", quantity: 25}]}`,
			`{"id":"c5d80f3a7b21","referenceCustomerId":"9d60c2b7-e814-4f35-a0d9-6b31f7c85e42","billingCycle":"monthly",` +
				`"lineItems":[{"lineItemNumber":0,"offerId":"A:1:B","quantity":25,"links":{` + link("product", "/products/A?country=US") + "," +
				link("sku", "/products/A/skus/1?country=US") + "," + link("availability", "/products/A/skus/1/availabilities/B?country=US") + `}}],` +
				`"creationDate":"2024-03-01","links":{` + link("provisioningStatus", customerLink+"/orders/c5d80f3a7b21/provisioningstatus") + "," +
				link("self", customerLink+"/orders/c5d80f3a7b21") + `},"attributes":{"objectType":"Order"}}`,
		},
		{
			"a legacy order",
			`{id: EEBA9D00-7b46-443a-917e-22887a8fc993, billingCycle: Annual, creationDate: 2018-03-06T17:37:05.253-08:00,
			  lineItems: [{offerId: MS-AZR-0145P, subscriptionId: DB8C695B-1C3C-4C55-B697-771503DD46BF, quantity: 1}]}`,
			`{"id":"EEBA9D00-7b46-443a-917e-22887a8fc993","referenceCustomerId":"9d60c2b7-e814-4f35-a0d9-6b31f7c85e42","billingCycle":"annual",` +
				`"lineItems":[{"lineItemNumber":0,"offerId":"MS-AZR-0145P","subscriptionId":"DB8C695B-1C3C-4C55-B697-771503DD46BF","quantity":1,` +
				`"links":{` + link("subscription", customerLink+"/subscriptions/DB8C695B-1C3C-4C55-B697-771503DD46BF") + `}}],` +
				`"creationDate":"2018-03-06T17:37:05.253-08:00","links":{` + link("self", customerLink+"/orders/EEBA9D00-7b46-443a-917e-22887a8fc993") + `},` +
				`"attributes":{"etag":"eyJpZCI6ImVlYmE5ZDAwLTdiNDYtNDQzYS05MTdlLTIyODg3YThmYzk5MyIsInZlcnNpb24iOjF9","objectType":"Order"}}`,
		},
		{
			"what is given stays",
			`{id: AbC_-1, referenceCustomerId: 9D60C2B7-e814-4f35-a0d9-6b31f7c85e42, billingCycle: one_time, creationDate: 9999-12-30T23:59:59.9999999Z, currencyCode: 007,
			  totalPrice: 100.00, client: {}, links: {}, attributes: {etag: ""}, partnerOnRecordAttestationAccepted: false,
			  lineItems: [{lineItemNumber: 0, offerId: "A:1:B", quantity: 0, termDuration: "", friendlyName: 2024-03-01, links: {}, provisioningContext: {scope: true}, additionalPartnerIdsOnRecord: []}]}`,
			`{"id":"AbC_-1","referenceCustomerId":"9D60C2B7-e814-4f35-a0d9-6b31f7c85e42","billingCycle":"one_time","currencyCode":"007",` +
				`"lineItems":[{"lineItemNumber":0,"provisioningContext":{"scope":"true"},"offerId":"A:1:B","termDuration":"","friendlyName":"2024-03-01","quantity":0,"additionalPartnerIdsOnRecord":[],"links":{}}],` +
				`"creationDate":"9999-12-30T23:59:59.9999999Z","totalPrice":100.00,"partnerOnRecordAttestationAccepted":false,"links":{},"client":{},"attributes":{"etag":""}}`,
		},
		{
			"null leaves out",
			`{id: c5d80f3a7b21, referenceCustomerId: null, billingCycle: monthly, creationDate: 2024-03-01T00:00:00Z, links: null, attributes: ~,
			  lineItems: [{lineItemNumber: null, offerId: "A:1:B", quantity: 1, links: null}]}`,
			`{"id":"c5d80f3a7b21","billingCycle":"monthly","lineItems":[{"offerId":"A:1:B","quantity":1}],"creationDate":"2024-03-01T00:00:00Z"}`,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			seed := mustReadSeed(t, customerYAML+"          - "+tt.order)
			if diff := cmp.Diff(tt.want, mustMarshal(t, seed.Partners[0].Customers[0].Orders[0])); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestReadSeedFillsInCustomers(t *testing.T) {
	seed := mustReadSeed(t, partnerYAML+`    customers:
      - id: 9d60c2b7-e814-4f35-a0d9-6b31f7c85e42
        companyProfile: {companyName: Null & Söhne 🧸, domain: wingtiptoys.onmicrosoft.com}
        billingProfile: {email: billing@wingtiptoys.onmicrosoft.com}
`)
	want := `{"id":"9d60c2b7-e814-4f35-a0d9-6b31f7c85e42","commerceId":"5710469d-db6b-53c7-b25f-2052aff70264",` +
		`"companyProfile":{"tenantId":"9d60c2b7-e814-4f35-a0d9-6b31f7c85e42","domain":"wingtiptoys.onmicrosoft.com","companyName":"Null & Söhne 🧸",` +
		`"links":{"self":{"uri":"/customers/9d60c2b7-e814-4f35-a0d9-6b31f7c85e42/profiles/company","method":"GET","headers":[]}},"attributes":{"objectType":"CustomerCompanyProfile"}},` +
		`"billingProfile":{"id":"78cd764d-6bba-53eb-990e-6013fadd38df","email":"billing@wingtiptoys.onmicrosoft.com",` +
		`"links":{"self":{"uri":"/customers/9d60c2b7-e814-4f35-a0d9-6b31f7c85e42/profiles/billing","method":"GET","headers":[]}},"attributes":{"etag":"4952846670522436124","objectType":"CustomerBillingProfile"}},` +
		`"relationshipToPartner":"reseller","links":{"self":{"uri":"/customers/9d60c2b7-e814-4f35-a0d9-6b31f7c85e42","method":"GET","headers":[]}},"attributes":{"objectType":"Customer"}}`
	partner := seed.Partners[0]
	if diff := cmp.Diff(want, mustMarshal(t, partner.Customers[0].Customer)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if partner.MPNID != "0080911" {
		t.Errorf("mpnId is %q, want the text of the file", partner.MPNID)
	}
}

// A seed file may be JSON, with what JSON writers produce: a byte order mark, tabs,
// surrogate pairs, escaped slashes.
func TestReadSeedReadsJSON(t *testing.T) {
	seed := mustReadSeed(t, "\ufeff{\n\t\"format\":\"partnercenter-seed\\/1\",\n\t\"partners\":[{\"tenantId\":\"0f2a9c14-5b7e-4d38-9a61-c3e8d70b4f25\","+
		`"name":"\ud83e\uddf8 \\ud83e\\uddf8 \u00fc","domain":"contosocsp.onmicrosoft.com","mpnId":"1","country":"US"}]}`)
	if got, want := seed.Partners[0].Name, `🧸 \ud83e\uddf8 ü`; got != want {
		t.Errorf("name is %q, want %q", got, want)
	}
}

// A seed file can express everything in the API types: a seed that is written as JSON
// reads back the same.
func TestReadSeedReadsWhatItsTypesWrite(t *testing.T) {
	want := mustSample(t)
	for i := range want.Partners {
		for j := range want.Partners[i].Customers {
			c := &want.Partners[i].Customers[j]
			reseller := c.Customer.AssociatedPartnerID
			if reseller == "" {
				reseller = "0f2a9c14-5b7e-4d38-9a61-c3e8d70b4f25"
			}
			var file strings.Builder
			fmt.Fprintf(&file, `{"format":"partnercenter-seed/1","partners":[{"tenantId":"0f2a9c14-5b7e-4d38-9a61-c3e8d70b4f25","name":"n","domain":"d","mpnId":"1","country":"US",
				"indirectResellers":[{"tenantId":%q,"name":"n","mpnId":"1","location":"US"}],"customers":[`, reseller)
			file.WriteString(strings.TrimSuffix(mustMarshal(t, c.Customer), "}") + `,"orders":` + mustMarshal(t, c.Orders) + "}]}]}")
			got := mustReadSeed(t, file.String())
			if diff := cmp.Diff(jsonTree(c.Orders), jsonTree(got.Partners[0].Customers[0].Orders)); diff != "" {
				t.Errorf("orders of %s (-want +got):\n%s", c.Customer.ID, diff)
			}
			if diff := cmp.Diff(mustMarshal(t, c.Customer), mustMarshal(t, got.Partners[0].Customers[0].Customer)); diff != "" {
				t.Errorf("customer (-want +got):\n%s", diff)
			}
		}
	}
}

func TestReadSeedReadsIdentity(t *testing.T) {
	expires, _ := partnercenter.ParseTime("2027-01-01")
	testCertificate := testCertificate()
	indented := strings.ReplaceAll(strings.TrimSpace(testCertificate), "\n", "\n              ")
	seed := mustReadSeed(t, partnerYAML+`    apps:
      - clientId: 7b1d4e90-2c85-4f6a-8e37-d90a5c62b1f8
        name: all of it
        secret: a+b%20c
        secrets: [{value: "007", expires: 2027-01-01}, {value: "008"}]
        certificates:
          - pem: |
              `+indented+`
            revoked: true
        redirectUris: [http://localhost, msal7b1d4e90-2c85-4f6a-8e37-d90a5c62b1f8://auth]
        public: true
        multiTenant: true
        adminConsent: true
        disabled: true
      - {clientId: 43e8b6f2-91d0-4a7c-b5e3-0c7f28d61a94, name: nothing of it, secrets: [], certificates: null, redirectUris: []}
    users:
      - {userPrincipalName: a@b.c, name: a, password: 12345, mfa: false, disabled: true}
      - {userPrincipalName: b@b.c, name: b, mfa: true, disabled: false}
      - {userPrincipalName: c@b.c, name: c, mfa: null}
      - {userPrincipalName: d@b.c, name: d}
    consents:
      - clientId: 43e8b6f2-91d0-4a7c-b5e3-0c7f28d61a94
        resources: [https://api.partnercenter.microsoft.com, api://7b1d4e90-2c85-4f6a-8e37-d90a5c62b1f8]
        appResources: [fa3d9a0c-3fb0-42cc-9193-47c7ecd2edbd]
      - {clientId: 7b1d4e90-2c85-4f6a-8e37-d90a5c62b1f8, appResources: [https://graph.windows.net]}
`)
	wantConsents := []Consent{
		{
			ClientID:     "43e8b6f2-91d0-4a7c-b5e3-0c7f28d61a94",
			Resources:    []string{"https://api.partnercenter.microsoft.com", "api://7b1d4e90-2c85-4f6a-8e37-d90a5c62b1f8"},
			AppResources: []string{"fa3d9a0c-3fb0-42cc-9193-47c7ecd2edbd"},
		},
		{ClientID: "7b1d4e90-2c85-4f6a-8e37-d90a5c62b1f8", AppResources: []string{"https://graph.windows.net"}},
	}
	if diff := cmp.Diff(wantConsents, seed.Partners[0].Consents); diff != "" {
		t.Errorf("consents (-want +got):\n%s", diff)
	}
	wantApps := []App{
		{
			ClientID: "7b1d4e90-2c85-4f6a-8e37-d90a5c62b1f8", Name: "all of it", Secret: "a+b%20c",
			Secrets:      []AppSecret{{"007", expires}, {Value: "008"}},
			Certificates: []AppCertificate{{testCertificate, true}},
			RedirectURIs: []string{"http://localhost", "msal7b1d4e90-2c85-4f6a-8e37-d90a5c62b1f8://auth"},
			Public:       true, MultiTenant: true, AdminConsent: true, Disabled: true,
		},
		{ClientID: "43e8b6f2-91d0-4a7c-b5e3-0c7f28d61a94", Name: "nothing of it", Secrets: []AppSecret{}, RedirectURIs: []string{}},
	}
	wantUsers := []User{
		{UserPrincipalName: "a@b.c", Name: "a", Password: "12345", WithoutMFA: true, Disabled: true},
		{UserPrincipalName: "b@b.c", Name: "b"}, {UserPrincipalName: "c@b.c", Name: "c"}, {UserPrincipalName: "d@b.c", Name: "d"},
	}
	if diff := cmp.Diff(wantApps, seed.Partners[0].Apps); diff != "" {
		t.Errorf("apps (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(wantUsers, seed.Partners[0].Users); diff != "" {
		t.Errorf("users (-want +got):\n%s", diff)
	}
}

func TestReadSeedErrors(t *testing.T) {
	testCertificate := testCertificate()
	const customer = "partners[0].customers[0]"
	const order = customer + ".orders[0]"
	customers := partnerYAML + "    customers:\n" // its items begin in line 9
	const goodOrder = "          - {id: c5d80f3a7b21, billingCycle: monthly, creationDate: 2024-03-01T00:00:00Z, lineItems: [{offerId: o, quantity: 1}]}\n"
	orderWith := func(fields string) string {
		return customerYAML + "          - id: c5d80f3a7b21\n            creationDate: 2024-03-01\n            billingCycle: monthly\n" + fields
	}
	const app = "partners[0].apps[0]"
	appWith := func(field string) string { // which is in line 10
		return partnerYAML + "    apps:\n      - {clientId: 7b1d4e90-2c85-4f6a-8e37-d90a5c62b1f8, name: n,\n         " + field + "}\n"
	}
	lines := "            lineItems:\n              - offerId: o\n                quantity: 1\n"
	tests := []struct {
		name, file string
		line       int
		path       string
		message    string // a part of it
	}{
		{"empty file", "", 1, "", "the file is empty; its first line should be format: partnercenter-seed/1"},
		{"only comments", "# nothing\n", 1, "", "the file is empty"},
		{"not an object", "- 1\n", 1, "", "this file is a list"},
		{"two documents", partnerYAML + "---\na: 1\n", 8, "", "a second document begins here"},
		{"broken second document", partnerYAML + "---\n[\n", 9, "", "not YAML: "},
		{"no format", "partners: []\n", 1, "format", "is missing; the first line"},
		{"other format", "\nformat: partnercenter-seed/2\n", 2, "format", `this program reads partnercenter-seed/1, not "partnercenter-seed/2"`},
		{"no partners", "format: partnercenter-seed/1\n", 1, "partners", "is missing; list at least one partner"},
		{"empty partners", "format: partnercenter-seed/1\npartners: []\n", 2, "partners", "list at least one partner"},
		{"empty partner", partnerYAML + "  -\n", 8, "partners[1]", "is empty; fill it in or remove it"},
		{"broken YAML", "format: partnercenter-seed/1\npartners:\n  - name: \"x\n\n", 3, "", "not YAML: found unexpected end of stream"},
		{"broken JSON", "{\"format\": \"partnercenter-seed/1\",\n \"partners\": [}\n", 2, "", "not JSON: invalid character '}'"},
		{"cut off JSON", "{\"format\": \"partnercenter-seed/1\",\n \"partners\": [\n{", 3, "", "not JSON: unexpected EOF"},
		{"alias", "format: partnercenter-seed/1\npartners: *p\n", 1, "", "unknown anchor"},
		{"alias of something", partnerYAML + "    apps: &a [{clientId: 7b1d4e90-2c85-4f6a-8e37-d90a5c62b1f8, name: n}]\n    indirectResellers: *a\n", 9, "partners[0].indirectResellers", "aliases are not read; write the value out"},
		{"merge key", partnerYAML + "    <<: {name: x}\n", 8, "partners[0].<<", "unknown field; the fields here are tenantId, name"},

		{"consent to no app", partnerYAML + "    consents: [{resources: [https://x.example]}]\n", 8, "partners[0].consents[0].clientId", "is missing"},
		{"consent to no GUID", partnerYAML + "    consents: [{clientId: x, resources: [https://x.example]}]\n", 8, "partners[0].consents[0].clientId", "is not a GUID"},
		{"consent to nothing", partnerYAML + "    consents: [{clientId: 7b1d4e90-2c85-4f6a-8e37-d90a5c62b1f8}]\n", 8, "partners[0].consents[0]", "list APIs under resources, appResources or both"},
		{"consent to no API", partnerYAML + "    consents: [{clientId: 7b1d4e90-2c85-4f6a-8e37-d90a5c62b1f8, resources: [https://x.example], appResources: ['https://a https://b']}]\n", 8, "partners[0].consents[0].appResources[0]", "is no API"},
		{"consent twice", partnerYAML + "    consents:\n      - {clientId: 7b1d4e90-2c85-4f6a-8e37-d90a5c62b1f8, resources: [https://x.example]}\n      - {clientId: 7B1D4E90-2c85-4f6a-8e37-d90a5c62b1f8, resources: [https://x.example]}\n", 10, "partners[0].consents[1].clientId", "line 9"},

		{"unknown field", partnerYAML + "    nmae: x\n", 8, "partners[0].nmae", "unknown field; did you mean name?"},
		{"unknown field without likeness", partnerYAML + "    telephone: 1\n", 8, "partners[0].telephone", "the fields here are tenantId, name, domain, mpnId, country, apps, users, indirectResellers, customers"},
		{"field in another case", partnerYAML + "    Customers: []\n", 8, "partners[0].Customers", "did you mean customers?"},
		{"duplicate field", partnerYAML + "    name: y\n", 8, "partners[0].name", "is given twice, here and in line 4"},
		{"duplicate key of a context", orderWith(lines + "                provisioningContext: {scope: a,\n                  scope: b}\n"), 19, order + ".lineItems[0].provisioningContext.scope", "given twice, here and in line 18"},
		{"a list as field name", partnerYAML + "    ? [a]\n    : b\n", 8, "partners[0]", "a field name is plain text, this is a list"},

		{"partner without tenant", strings.Replace(partnerYAML, "tenantId: 0f2a9c14-5b7e-4d38-9a61-c3e8d70b4f25\n    ", "", 1), 3, "partners[0].tenantId", "is missing; it is the GUID"},
		{"partner with empty domain", strings.Replace(partnerYAML, "domain: contosocsp.onmicrosoft.com", "domain: ", 1), 5, "partners[0].domain", "is missing; it is the partner's domain"},
		{"app without client", partnerYAML + "    apps: [{name: n}]\n", 8, "partners[0].apps[0].clientId", "is missing"},
		{"user without name", partnerYAML + "    users: [{userPrincipalName: a@b.c}]\n", 8, "partners[0].users[0].name", "is missing; it is what the user is called"},
		{"user without principal name", partnerYAML + "    users: [{name: n}]\n", 8, "partners[0].users[0].userPrincipalName", "is missing; it is what the user signs in as"},
		{"user without domain", partnerYAML + "    users: [{userPrincipalName: ada, name: n}]\n", 8, "partners[0].users[0].userPrincipalName", `"ada" is not a user principal name; write one such as`},
		{"user with a blank", partnerYAML + "    users: [{userPrincipalName: a da@b.c, name: n}]\n", 8, "partners[0].users[0].userPrincipalName", "is not a user principal name"},
		{"user with a NUL", partnerYAML + "    users: [{userPrincipalName: \"ada\\0@b.c\", name: n}]\n", 8, "partners[0].users[0].userPrincipalName", "is not a user principal name"},
		{"user with a no-break space", partnerYAML + "    users: [{userPrincipalName: \"ada@b.c\\u00a0\", name: n}]\n", 8, "partners[0].users[0].userPrincipalName", "is not a user principal name"},
		{"object id of none", partnerYAML + "    users: [{userPrincipalName: a@b.c, name: n, objectId: 00000000-0000-0000-0000-000000000000}]\n", 8, "partners[0].users[0].objectId", "stands for none"},
		{"country of odd letters", strings.Replace(partnerYAML, "country: ", "country: uſ # ", 1), 7, "partners[0].country", "write two letters"},
		{"MPN id of other digits", strings.Replace(partnerYAML, "mpnId: ", "mpnId: ５０８ # ", 1), 6, "partners[0].mpnId", "other than digits"},
		{"malformed object id", partnerYAML + "    users: [{userPrincipalName: a@b.c, name: n, objectId: x}]\n", 8, "partners[0].users[0].objectId", `"x" is not a GUID`},
		{"unknown role", partnerYAML + "    users: [{userPrincipalName: a@b.c, name: n, roles: [owner]}]\n", 8, "partners[0].users[0].roles[0]", `"owner" is not known here; use one of global_admin, admin_agent, sales_agent, helpdesk_agent`},
		{"duplicate user", partnerYAML + "    users:\n      - {userPrincipalName: a@b.c, name: n}\n      - {userPrincipalName: A@b.C, name: n}\n", 10, "partners[0].users[1].userPrincipalName", "is already in line 9"},
		{"text for mfa", partnerYAML + "    users: [{userPrincipalName: a@b.c, name: n, mfa: never}]\n", 8, "partners[0].users[0].mfa", `needs true or false, this is the text "never"`},
		{"secret without value", appWith("secrets: [{expires: 2027-01-01}]"), 10, app + ".secrets[0].value", "is missing; it is what the app signs in with"},
		{"secret that is text", appWith("secrets: [hush]"), 10, app + ".secrets[0]", "needs an object, this is the text"},
		{"secret with a bad date", appWith("secrets: [{value: x, expires: tomorrow}]"), 10, app + ".secrets[0].expires", `"tomorrow" is not a date`},
		{"secret with no date", appWith("secrets: [{value: x, expires: 0001-01-01}]"), 10, app + ".secrets[0].expires", "leave this field out if the secret never expires"},
		{"certificate without text", appWith("certificates: [{revoked: true}]"), 10, app + ".certificates[0].pem", "is missing; it is the certificate"},
		{"certificate that is none", appWith("certificates: [{pem: MIIC}]"), 10, app + ".certificates[0].pem", "is not PEM text; paste the certificate"},
		{"duplicate certificate", appWith(fmt.Sprintf("certificates: [\n          {pem: %q},\n          {revoked: true,\n             pem: %q}]", testCertificate, testCertificate)), 13, app + ".certificates[1].pem", "this certificate is already in line 11"},
		{"plain redirect URI", appWith("redirectUris: [http://localhost,\n          http://app.example.com]"), 11, app + ".redirectUris[1]", `"http://app.example.com" is read by everybody on the way; use https`},
		{"empty redirect URI", appWith("redirectUris: ['']"), 10, app + ".redirectUris[0]", "is empty; write one such as https://"},
		{"duplicate redirect URI", appWith("redirectUris: [http://localhost,\n          http://localhost]"), 11, app + ".redirectUris[1]", "http://localhost is already in line 10"},
		{"too many redirect URIs", appWith("redirectUris: [" + strings.Repeat("x,", 256) + "x]"), 10, app + ".redirectUris", "257 are too many; an app has at most 256"},
		{"reseller without MPN id", partnerYAML + "    indirectResellers: [{tenantId: 7b1d4e90-2c85-4f6a-8e37-d90a5c62b1f8, name: n, location: US}]\n", 8, "partners[0].indirectResellers[0].mpnId", "is missing"},
		{"customer without id", customers + "      - companyProfile: {companyName: c, domain: d}\n", 9, customer + ".id", "is missing"},
		{"order without id", customerYAML + "          - {billingCycle: monthly, creationDate: 2024-03-01, lineItems: [{offerId: o, quantity: 1}]}\n", 12, order + ".id", "is missing"},

		{"malformed tenant", strings.Replace(partnerYAML, "0f2a9c14-", "0f2a9c1-", 1), 3, "partners[0].tenantId", `is not a GUID; write one such as`},
		{"malformed customer", customers + "      - {id: wingtip, companyProfile: {companyName: c, domain: d}}\n", 9, customer + ".id", `"wingtip" is not a GUID`},
		{"malformed subscription", orderWith(lines + "                subscriptionId: 9d60c2b7_e814-4f35-a0d9-6b31f7c85e42\n"), 18, order + ".lineItems[0].subscriptionId", "is not a GUID"},
		{"order id that is no path", customerYAML + strings.Replace(goodOrder, "c5d80f3a7b21", "a/b", 1), 12, order + ".id", `"a/b" cannot be part of an address`},

		{"duplicate tenant", partnerYAML + "  - {tenantId: 0F2A9C14-5b7e-4d38-9a61-c3e8d70b4f25, name: n, domain: d, mpnId: 1, country: US}\n", 8, "partners[1].tenantId", "is already in line 3"},
		{"duplicate domain", partnerYAML + "  - {tenantId: 7b1d4e90-2c85-4f6a-8e37-d90a5c62b1f8, name: n, domain: ContosoCSP.onmicrosoft.com, mpnId: 1, country: US}\n", 8, "partners[1].domain", "is already in line 5"},
		{"duplicate client", partnerYAML + "    apps:\n      - {clientId: 7b1d4e90-2c85-4f6a-8e37-d90a5c62b1f8, name: n}\n      - {clientId: 7B1D4E90-2c85-4f6a-8e37-d90a5c62b1f8, name: n}\n", 10, "partners[0].apps[1].clientId", "is already in line 9"},
		{"duplicate customer", customerYAML + goodOrder + "      - {id: 9D60C2B7-e814-4f35-a0d9-6b31f7c85e42, companyProfile: {companyName: c, domain: d}}\n", 13, "partners[0].customers[1].id", "is already in line 9"},
		{"customer of two partners", customerYAML + goodOrder + "  - {tenantId: 7b1d4e90-2c85-4f6a-8e37-d90a5c62b1f8, name: n, domain: d, mpnId: 1, country: US,\n     customers: [{id: 9D60C2B7-e814-4f35-a0d9-6b31f7c85e42, companyProfile: {companyName: c, domain: d}}]}\n", 14, "partners[1].customers[0].id", "is already in line 9"},
		{"duplicate order", customerYAML + goodOrder + goodOrder, 13, customer + ".orders[1].id", "c5d80f3a7b21 is already in line 12"},
		{"duplicate legacy order", customerYAML + strings.Replace(goodOrder, "c5d80f3a7b21", "eeba9d00-7b46-443a-917e-22887a8fc993", 1) + strings.Replace(goodOrder, "c5d80f3a7b21", "EEBA9D00-7b46-443a-917e-22887a8fc993", 1), 13, customer + ".orders[1].id", "is already in line 12"},

		{"text for a number", orderWith(strings.Replace(lines, "quantity: 1", "quantity: one", 1)), 17, order + ".lineItems[0].quantity", `needs a whole number such as 5, this is the text "one"`},
		{"fraction for a number", orderWith(strings.Replace(lines, "quantity: 1", "quantity: 1.5", 1)), 17, order + ".lineItems[0].quantity", `this is the number 1.5`},
		{"quoted number", orderWith(strings.Replace(lines, "quantity: 1", "quantity: '1'", 1)), 17, order + ".lineItems[0].quantity", `this is the text "1"`},
		{"number too large", orderWith(strings.Replace(lines, "quantity: 1", "quantity: 99999999999999999999", 1)), 17, order + ".lineItems[0].quantity", `needs a whole number`},
		{"negative quantity", orderWith(strings.Replace(lines, "quantity: 1", "quantity: -1", 1)), 17, order + ".lineItems[0].quantity", "is below zero"},
		{"text for a bool", orderWith(lines + "            partnerOnRecordAttestationAccepted: yes\n"), 18, order + ".partnerOnRecordAttestationAccepted", `needs true or false, this is the text "yes"`},
		{"list for an object", orderWith(lines + "            links: []\n"), 18, order + ".links", "needs an object, this is a list"},
		{"object for a list", customers[:len(customers)-1] + " {}\n", 8, "partners[0].customers", "needs a list, this is an object"},
		{"object for text", orderWith(lines + "            currencyCode: {}\n"), 18, order + ".currencyCode", "needs text, this is an object"},
		{"binary for text", orderWith(lines + "            currencyCode: !!binary VVNE\n"), 18, order + ".currencyCode", "needs text, this is binary data"},
		{"text for an object", orderWith(lines + "            client: US\n"), 18, order + ".client", `needs an object, this is the text "US"`},
		{"bad date", orderWith(lines)[:len(customerYAML)] + strings.Replace(goodOrder, "2024-03-01T00:00:00Z", "2024-13-01T00:00:00Z", 1), 12, order + ".creationDate", `"2024-13-01T00:00:00Z" is not a date; write one such as 2023-03-15T02:17:15.6455674Z`},
		{"folded field", orderWith(lines + "            linkſ: {}\n"), 18, order + ".linkſ", "letter beyond ASCII"},
		{"bad amount", orderWith(lines + "            totalPrice: 1,50\n"), 18, order + ".totalPrice", `"1,50" is not an amount; write a decimal number such as 24606.35`},
		{"lines out of order", orderWith(lines + "                lineItemNumber: 1\n"), 18, order + ".lineItems[0].lineItemNumber", "write 0, or leave this field out"},
		{"order of another customer", orderWith(lines + "            referenceCustomerId: 7b1d4e90-2c85-4f6a-8e37-d90a5c62b1f8\n"), 18, order + ".referenceCustomerId", "the order is under customer 9d60c2b7"},
		{"unknown reseller", customers + "      - {id: 9d60c2b7-e814-4f35-a0d9-6b31f7c85e42, associatedPartnerId: 7b1d4e90-2c85-4f6a-8e37-d90a5c62b1f8, companyProfile: {companyName: c, domain: d}}\n", 9, customer + ".associatedPartnerId", "is not one of the partner's indirectResellers"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Read("test.yaml", strings.NewReader(tt.file))
			var fileErr *yamlfile.Error
			if !errors.As(err, &fileErr) {
				t.Fatalf("error is %v, want a *yamlfile.Error", err)
			}
			if len(fileErr.Problems) != 1 {
				t.Fatalf("want one problem, have\n%v", err)
			}
			p := fileErr.Problems[0]
			if p.Line != tt.line || p.Path != tt.path || !strings.Contains(p.Message, tt.message) {
				t.Errorf("error is %v\nwant line %d, path %s, …%s…", err, tt.line, tt.path, tt.message)
			}
			if p.Column < 1 {
				t.Errorf("column is %d", p.Column)
			}
		})
	}
}

// What the API does not document is kept, as import does, with a warning.
func TestReadSeedKeepsWhatIsNotDocumented(t *testing.T) {
	const (
		lines = "            lineItems:\n              - offerId: o\n                quantity: 1\n"
	)
	orderWith := func(more string) string {
		return customerYAML + "          - id: c5d80f3a7b21\n            billingCycle: monthly\n            creationDate: 2024-03-01T00:00:00Z\n" + more
	}
	customer := func(more string) string {
		return partnerYAML + "    customers:\n      - {id: 9d60c2b7-e814-4f35-a0d9-6b31f7c85e42, companyProfile: {companyName: c, domain: d}, " + more + "}\n"
	}
	for _, test := range []struct{ name, file, has, warning string }{
		{"a field of a line", orderWith(lines + "                quantty: 2\n"), `"quantty":2`, `18:17: partners[0].customers[0].orders[0].lineItems[0].quantty: is not documented, and is kept; did you mean quantity?`},
		{"a field of a link", orderWith(lines + "            links: {self: {url: x}}\n"), `"links":{"self":{"url":"x"}}`, `18:28: partners[0].customers[0].orders[0].links.self.url: is not documented, and is kept; did you mean uri?`},
		{"a field of an order", orderWith(lines + "            telephone: [1.50, null, {a: ~, b: 007}]\n"), `"telephone":[1.50,null,{"b":"007"}]`, `18:13: partners[0].customers[0].orders[0].telephone: is not documented, and is kept; documented are id, alternateId,`},
		{"a field of a customer", customer("tier: gold, orders: []"), `"tier":"gold"`, `9:97: partners[0].customers[0].tier: is not documented`},
		{"a cycle", strings.Replace(orderWith(lines), "monthly", "weekly", 1), `"billingCycle":"weekly"`, `13:27: partners[0].customers[0].orders[0].billingCycle: "weekly" is not documented, and is kept; documented are unknown, monthly,`},
		{"no cycle's number", strings.Replace(orderWith(lines), "monthly", "7", 1), `"billingCycle":"7"`, `"7" is not documented`},
		{"a status", orderWith(lines + "            status: canceled\n"), `"status":"canceled"`, `18:21: partners[0].customers[0].orders[0].status: "canceled" is not documented, and is kept; did you mean cancelled?`},
		{"a relationship", customer("relationshipToPartner: friend"), `"relationshipToPartner":"friend"`, `"friend" is not documented, and is kept; documented are unknown, reseller,`},
		{"no cycle", strings.Replace(orderWith(lines), "            billingCycle: monthly\n", "", 1), `"creationDate"`, `orders[0].billingCycle: is missing; it is how often`},
		{"no date", strings.Replace(orderWith(lines), "            creationDate: 2024-03-01T00:00:00Z\n", "", 1), `"billingCycle"`, `orders[0].creationDate: is missing`},
		{"no lines", orderWith(""), `"billingCycle"`, `orders[0].lineItems: is missing`},
		{"no offer", strings.Replace(orderWith(lines), "offerId: o", "friendlyName: o", 1), `"friendlyName"`, `lineItems[0].offerId: is missing`},
		{"no profile", partnerYAML + "    customers:\n      - {id: 9d60c2b7-e814-4f35-a0d9-6b31f7c85e42, orders: []}\n", `"id"`, `companyName: is missing`},
		{"a renewal in a list", orderWith(lines + "                renewsTo: [{termDuration: P1Y}]\n"), `"renewsTo":{"termDuration":"P1Y"}`, ""},
		{"names in another case", strings.Replace(orderWith(strings.Replace(lines, "offerId", "OfferId", 1)), "billingCycle", "BillingCycle", 1), `"billingCycle":"monthly"`, ""},
		{"an empty text", orderWith(lines + "            currencySymbol: ''\n"), `"currencySymbol":""`, ""},
		{"null", orderWith(lines + "            currencySymbol: null\n            later: null\n"), `"creationDate":"2024-03-01T00:00:00Z",` + `"links"`, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			read := mustReadSeed(t, test.file)
			c := &read.Partners[0].Customers[0]
			if got := mustMarshal(t, c.Customer) + mustMarshal(t, c.Orders); !strings.Contains(got, test.has) {
				t.Errorf("no %s in\n%s", test.has, got)
			}
			warnings := strings.Join(read.Warnings, "\n")
			if !strings.Contains(warnings, test.warning) || (test.warning == "") != (warnings == "" || test.name == "null") {
				t.Errorf("warnings\n%s\nwant …%s…", warnings, test.warning)
			}
		})
	}
	many := mustReadSeed(t, orderWith(lines+strings.Repeat("              - {offerId: o, quantity: 1, a: 1, b: 2, c: 3}\n", 5)))
	if n := len(many.Warnings); n != 11 || many.Warnings[10] != "test.yaml: and 5 more" {
		t.Errorf("%q", many.Warnings)
	}
	read := mustReadSeed(t, strings.Replace(orderWith(lines), "quantity", "quantty", 1))
	if got := strings.Join(read.Warnings, "\n"); !strings.Contains(got, "lineItems[0].quantity: is missing; it is how many") || !strings.Contains(got, "did you mean quantity?") {
		t.Errorf("a field that is misspelt: %s", got)
	}
	twice := orderWith(lines + "            BillingCycle: annual\n")
	if _, err := Read("test.yaml", strings.NewReader(twice)); err == nil || !strings.Contains(err.Error(), "BillingCycle") {
		t.Errorf("a field in two cases: %v", err)
	}
}

func TestReadSeedReportsProblemsTogether(t *testing.T) {
	var file strings.Builder
	file.WriteString(partnerYAML + "    apps:\n")
	for range 12 {
		file.WriteString("      - {clientId: x, name: n}\n")
	}
	_, err := Read("test.yaml", strings.NewReader(file.String()))
	var fileErr *yamlfile.Error
	if !errors.As(err, &fileErr) || len(fileErr.Problems) != 10 {
		t.Fatalf("error is %v, want ten problems", err)
	}
	for i, want := range map[int]string{
		0: `test.yaml:9:20: partners[0].apps[0].clientId: "x" is not a GUID; write one such as 3f2504e0-4f89-41d3-9a0c-0305e82c3301`,
	} {
		if got := strings.Split(err.Error(), "\n")[i]; got != want {
			t.Errorf("line %d of the message is\n%s\nwant\n%s", i, got, want)
		}
	}
	if want := fmt.Sprintf("\nand %d more; correct these first", fileErr.Omitted); fileErr.Omitted < 2 || !strings.HasSuffix(err.Error(), want) {
		t.Errorf("message ends otherwise than %q:\n%v", want, err)
	}
}

// The example of the documentation is a seed file.
func TestSeedFormatExample(t *testing.T) {
	doc, err := os.ReadFile("../../docs/seed-format.md")
	if err != nil {
		t.Fatal(err)
	}
	_, example, _ := strings.Cut(string(doc), "```yaml\n")
	example, _, ok := strings.Cut(example, "```")
	if !ok {
		t.Fatal("docs/seed-format.md has no YAML example")
	}
	seed := mustReadSeed(t, example)
	if n := len(seed.Partners[0].Customers[0].Orders); n != 1 {
		t.Errorf("%d orders", n)
	}
	_, example, _ = strings.Cut(string(doc), "```yaml\n    apps:\n")
	example, _, ok = strings.Cut(example, "```")
	if !ok {
		t.Fatal("docs/seed-format.md has no example of apps and users")
	}
	seed = mustReadSeed(t, partnerYAML+"    apps:\n"+example)
	if apps := seed.Partners[0].Apps; len(apps) == 0 || len(apps[0].Certificates) == 0 {
		t.Errorf("apps %+v", apps)
	}
}

func FuzzReadSeed(f *testing.F) {
	for _, text := range []string{
		"", "{}", customerYAML, partnerYAML + "    apps: &a []\n    customers: *a\n", `{"format":"partnercenter-seed/1","partners":[{"name":"\ud83e\uddf8"}]}`,
		customerYAML + "          - {id: c5d80f3a7b21, billingCycle: monthly, creationDate: 2024-03-01, totalPrice: 1.5, lineItems: [{offerId: a:b:c, quantity: 1, links: }]}\n",
		partnerYAML + "    apps: [{clientId: x, secrets: [{value: }, a], certificates: [{pem: |-\n x}, []], redirectUris: ['', {}, a://b]}]\n    users: [{mfa: , roles: [x]}]\n",
		partnerYAML + "    ? *x\n    : [null, {? [] : {}}]\n", "format: !!binary x\n---\n", "? &customers format\n: partnercenter-seed/1\n? *customers\n: []",
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		seed, err := Read("fuzz.yaml", bytes.NewReader(data))
		var fileErr *yamlfile.Error
		if err != nil {
			if !errors.As(err, &fileErr) || len(fileErr.Problems) == 0 {
				t.Fatalf("error without a problem: %v", err)
			}
			for _, p := range fileErr.Problems {
				if p.Line < 1 || p.Message == "" {
					t.Fatalf("problem without a line or message: %+v", p)
				}
			}
			return
		}
		for _, p := range seed.Partners {
			for _, c := range p.Customers {
				for _, v := range []any{c.Customer, c.Orders} {
					if data, err := partnercenter.Marshal(v); err != nil || !json.Valid(data) {
						t.Fatalf("cannot be answered: %v %s", err, data)
					}
				}
			}
		}
	})
}
