package serve

import (
	"maps"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/terminal"
	"github.com/partnercenter-go/partnercenter/internal/lifecycle"
	"github.com/partnercenter-go/partnercenter/internal/server"
	"github.com/partnercenter-go/partnercenter/internal/words"
)

// limits are the flags of serve that make the server as slow and as strict as
// Microsoft's, or not.
type limits struct {
	edition     string
	throttle    int
	writeWeight int
	priceAccess bool
	rules       lifecycle.Settings
}

// limitProfiles are the sets of limits for --profile.
var limitProfiles = map[string]limits{
	"instant":   {edition: string(server.EditionLegacy), writeWeight: 1, priceAccess: true, rules: lifecycle.Instant()},
	"realistic": {edition: string(server.Edition2026), throttle: partnercenter.DefaultRequestsPerMinute, writeWeight: partnercenter.DefaultWriteWeight, priceAccess: true, rules: lifecycle.Realistic()},
}

func limitProfileNames() []string { return slices.Sorted(maps.Keys(limitProfiles)) }

func editionNames() []string { return words.Texts(server.Editions()) }

// addFlags adds the flags, with the defaults of profile instant.
func (l *limits) addFlags(f *pflag.FlagSet) {
	*l = limitProfiles["instant"]
	r := &l.rules
	f.StringVar(&l.edition, "edition", l.edition, "`edition` of the rules about tokens: legacy also accepts tokens for the directory graph, 2026 only those for Partner Center (realistic: 2026)")
	f.IntVar(&l.throttle, "throttle", l.throttle, "`number` of requests a partner may make per minute for orders, for each customer's subscriptions, and for customers before 429; 0 for no limit (realistic: 500)")
	f.IntVar(&l.writeWeight, "throttle-write-weight", l.writeWeight, "`number` of requests that a write counts as (realistic: 2)")
	f.BoolVar(&l.priceAccess, "price-access", l.priceAccess, "let partners request prices; false answers include_price with 403")
	f.DurationVar(&r.OrderLag, "order-lag", r.OrderLag, "how long a new order takes to be listed; by its id it is available at once (realistic: 15m)")
	f.DurationVar(&r.ProvisioningTime, "provisioning-time", r.ProvisioningTime, "how long provisioning takes (realistic: 5m)")
	f.DurationVar(&r.CancelWithin, "cancel-within", r.CancelWithin, "how long after the purchase software and seats can be cancelled; 0 for no limit")
	f.BoolVar(&r.Sandbox, "sandbox", r.Sandbox, "act as an integration sandbox account; false acts as production, where only orders of software can be cancelled")
	f.IntVar(&r.MaxCustomers, "sandbox-customers", r.MaxCustomers, "`number` of customers that a sandbox account may have; 0 for no limit (realistic: 75)")
	f.IntVar(&r.MaxSubscriptions, "sandbox-subscriptions", r.MaxSubscriptions, "`number` of subscriptions that each customer of a sandbox account may have; 0 for no limit (realistic: 5)")
	f.IntVar(&r.MaxLicences, "sandbox-licences", r.MaxLicences, "`number` of licences that each subscription of a sandbox account may have; 0 for no limit (realistic: 25)")
	f.IntVar(&r.MaxAzurePlans, "sandbox-azure-plans", r.MaxAzurePlans, "`number` of Azure plans that a sandbox account may have; 0 for no limit (realistic: 10)")
	f.DurationVar(&r.SandboxCancelWithin, "sandbox-cancel-within", r.SandboxCancelWithin, "maximum age of an order to be cancelled in a sandbox account; 0 for any age (realistic: 1440h, which is 60 days)")
}

// applyProfile sets the limits of a profile that were not given as flags.
func (l *limits) applyProfile(flags *pflag.FlagSet, name string) error {
	profile, ok := limitProfiles[name]
	if !ok {
		return terminal.OneOf("profile", name, limitProfileNames()...)
	}
	given := map[string]string{}
	flags.Visit(func(f *pflag.Flag) { given[f.Name] = f.Value.String() })
	own := pflag.NewFlagSet("limits", pflag.ContinueOnError)
	l.addFlags(own)
	*l = profile
	for name, value := range given {
		if own.Lookup(name) == nil {
			continue
		}
		if err := own.Set(name, value); err != nil {
			return err // cannot happen: it was parsed before
		}
	}
	return l.check(flags)
}

// check fails for numbers that are out of range.
func (l *limits) check(flags *pflag.FlagSet) error {
	if err := checkNotNegative(flags, []zeroFlag{
		{"throttle", "no limit"},
		{"sandbox-customers", "no limit"},
		{"sandbox-subscriptions", "no limit"},
		{"sandbox-licences", "no limit"},
		{"sandbox-azure-plans", "no limit"},
		{"order-lag", "no lag"},
		{"provisioning-time", "at once"},
		{"cancel-within", "at any time"},
		{"sandbox-cancel-within", "at any age"},
	}); err != nil {
		return err
	}
	if err := terminal.OneOf("edition", l.edition, editionNames()...); err != nil {
		return err
	}
	switch {
	case l.writeWeight < 1:
		return terminal.Usagef("--throttle-write-weight %d is less than one: 1 counts a write as a read", l.writeWeight)
	case l.throttle > 0 && l.writeWeight > l.throttle:
		return terminal.Usagef("--throttle-write-weight %d is more than --throttle %d: no write would ever be allowed; give a smaller weight", l.writeWeight, l.throttle)
	}
	return nil
}

// zeroFlag is a flag for a number that is not negative, and what zero means.
type zeroFlag struct{ name, zero string }

func checkNotNegative(flags *pflag.FlagSet, names []zeroFlag) error {
	for _, f := range names {
		if value := flags.Lookup(f.name).Value.String(); strings.HasPrefix(value, "-") {
			return terminal.Usagef("--%s %s is negative: 0 means %s", f.name, value, f.zero)
		}
	}
	return nil
}
