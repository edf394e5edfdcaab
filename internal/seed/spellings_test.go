package seed

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/partnercenter-go/partnercenter"
)

// enumFields returns the fields below a type that have a set of values: the type of
// text of each, by its path in a document.
func enumFields(t reflect.Type, path string) map[string]reflect.Type {
	fields := map[string]reflect.Type{}
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice:
		if t.Kind() == reflect.Slice && t.Elem().Kind() != reflect.Uint8 {
			path += "[]"
		}
		return enumFields(t.Elem(), path)
	case reflect.Struct:
		for i := range t.NumField() {
			name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
			if !t.Field(i).IsExported() || name == "" {
				continue
			}
			for path, enum := range enumFields(t.Field(i).Type, strings.TrimPrefix(path+"."+name, ".")) {
				fields[path] = enum
			}
		}
	case reflect.String:
		if _, ok := t.MethodByName("Normalize"); ok {
			fields[path] = t
		}
	}
	return fields
}

// normalized returns what a value of an enumerated type is normally written as.
func normalized(enum reflect.Type, text string) string {
	v := reflect.ValueOf(text).Convert(enum)
	return v.MethodByName("Normalize").Call(nil)[0].String()
}

// valuesOf returns the values of an enumerated type, by their numbers.
func valuesOf(enum reflect.Type) []string {
	var values []string
	for {
		number := strconv.Itoa(len(values))
		value := normalized(enum, number)
		if value == number {
			return values
		}
		values = append(values, value)
	}
}

// spelled returns ways to spell a value.
func spelled(value string) []string {
	words := strings.ReplaceAll(value, "_", " ")
	pascal := ""
	for word := range strings.FieldsSeq(words) {
		pascal += strings.ToUpper(word[:1]) + word[1:]
	}
	return []string{value, words, pascal, strings.ToLower(pascal[:1]) + pascal[1:], strings.ToUpper(value), strings.ToLower(pascal)}
}

// withMember returns a JSON object with a member at a path, in further objects and
// lists.
func withMember(path, value string) string {
	first, rest, below := strings.Cut(path, ".")
	name, isList := strings.CutSuffix(first, "[]")
	if below {
		value = "{" + withMember(rest, value) + "}"
	}
	if isList {
		value = "[" + value + "]"
	}
	return fmt.Sprintf("%q:%s", name, value)
}

// TestSpellings reads every value of every enumerated field of an order and of a
// customer in every spelling, from seed files and from saved answers: both give the
// same, in the normal spelling.
func TestSpellings(t *testing.T) {
	tried := 0
	try := func(object, path, text, want string) {
		t.Helper()
		tried++
		member := withMember(path, text)
		order, customer := "", member
		if object == "order" {
			order, customer = member, ""
		}
		has := func(how string, c *partnercenter.Customer, o *partnercenter.Order) {
			t.Helper()
			document := mustMarshal(t, c)
			if object == "order" {
				document = mustMarshal(t, o)
			}
			last := path[strings.LastIndex(path, ".")+1:]
			if part := fmt.Sprintf("%q:%q", last, want); !strings.Contains(document, part) {
				t.Errorf("%s: %s %s: no %s in %s", how, object, member, part, document)
			}
		}
		join := func(members ...string) string {
			var given []string
			for _, m := range members {
				if m != "" {
					given = append(given, m)
				}
			}
			return "{" + strings.Join(given, ",") + "}"
		}
		ofOrder := []string{`"id":"c5d80f3a7b21"`, `"creationDate":"2024-03-01"`}
		if !strings.HasPrefix(path, "billingCycle") || object != "order" {
			ofOrder = append(ofOrder, `"billingCycle":"monthly"`)
		}
		line := `"offerId":"o","quantity":1`
		if rest, ok := strings.CutPrefix(path, "lineItems[]."); ok && object == "order" {
			order, line = "", line+","+withMember(rest, text)
		}
		ofOrder = append(ofOrder, `"lineItems":[{`+line+`}]`, order)
		ofCustomer := []string{`"id":"` + wingtipID + `"`}
		profile := `"companyName":"Wingtip Toys","domain":"wingtiptoys.onmicrosoft.com"`
		if rest, ok := strings.CutPrefix(path, "companyProfile."); ok && object == "customer" {
			customer, profile = "", profile+","+withMember(rest, text)
		}
		ofCustomer = append(ofCustomer, `"companyProfile":{`+profile+`}`, customer)

		im, err := importTexts(join(append(ofCustomer, "")...) + join(append(ofOrder, `"referenceCustomerId":"`+wingtipID+`"`)...))
		if err != nil {
			t.Errorf("import: %v", err)
			return
		}
		has("import", &im.Customers[0], &im.Orders[0])

		file := `{"format":"partnercenter-seed/1","partners":[{"tenantId":"0f2a9c14-5b7e-4d38-9a61-c3e8d70b4f25","name":"n","domain":"d","mpnId":"1","country":"US","customers":[` +
			join(append(ofCustomer, `"orders":[`+join(ofOrder...)+`]`)...) + `]}]}`
		s, err := Read("test.json", strings.NewReader(file))
		if err != nil {
			t.Errorf("seed: %v", err)
			return
		}
		c := &s.Partners[0].Customers[0]
		has("seed", &c.Customer, &c.Orders[0])
	}
	for object, of := range map[string]reflect.Type{"order": reflect.TypeFor[partnercenter.Order](), "customer": reflect.TypeFor[partnercenter.Customer]()} {
		for path, enum := range enumFields(of, "") {
			values := valuesOf(enum)
			if len(values) < 3 {
				t.Fatalf("%s of %s has the values %v", path, object, values)
			}
			for number, value := range values {
				if path == "attributes.objectType" && !strings.EqualFold(value, object) {
					continue // another object
				}
				for _, text := range spelled(value) {
					try(object, path, strconv.Quote(text), value)
				}
				if enum != reflect.TypeFor[partnercenter.ObjectType]() { // which has no numbers
					try(object, path, strconv.Quote(strconv.Itoa(number)), value)
					try(object, path, strconv.Itoa(number), value)
				}
			}
		}
	}
	if tried < 300 {
		t.Errorf("only %d values were read", tried)
	}
}

// Answers of the API may have values that nobody knows yet. A file that somebody writes
// is checked for typing errors.
func TestUnknownSpellings(t *testing.T) {
	im, err := importTexts(strings.Replace(orderJSON, `"lineItems"`, `"billingCycle":"Weekly","status":"11","lineItems"`, 1))
	if err != nil {
		t.Fatal(err)
	}
	if o := im.Orders[0]; o.BillingCycle != "Weekly" || o.Status != "11" {
		t.Errorf("%s, %s", o.BillingCycle, o.Status)
	}
	if _, err := importTexts(strings.Replace(orderJSON, `"lineItems"`, `"billingCycle":"Annual","lineItems"`, 1), strings.Replace(orderJSON, `"lineItems"`, `"billingCycle":2,"lineItems"`, 1)); err != nil {
		t.Errorf("the same order twice: %v", err)
	}
}
