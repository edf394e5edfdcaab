package serve

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"

	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/command"
	"github.com/partnercenter-go/partnercenter/internal/lifecycle"
)

// TestLimits reads flags of serve as its command does.
func TestLimits(t *testing.T) {
	instant, realistic := limitProfiles["instant"], limitProfiles["realistic"]
	with := func(l limits, change func(*limits)) limits {
		change(&l)
		return l
	}
	for _, test := range []struct {
		profile string
		args    []string
		want    limits
		err     string
	}{
		{profile: "instant", want: instant},
		{profile: "realistic", want: realistic},
		{
			profile: "realistic",
			args:    []string{"--throttle=0", "--order-lag=0", "--sandbox=false", "--price-access=false", "--sandbox-licences", "7"},
			want: with(realistic, func(l *limits) {
				l.throttle, l.priceAccess = 0, false
				l.rules.OrderLag, l.rules.Sandbox, l.rules.MaxLicences = 0, false, 7
			}),
		},
		{
			profile: "instant",
			args: []string{
				"--throttle=3", "--throttle-write-weight=3", "--order-lag=1s", "--provisioning-time=2m", "--cancel-within=1h", "--sandbox-cancel-within=48h",
				"--sandbox-customers=1", "--sandbox-subscriptions=2", "--sandbox-licences=3", "--sandbox-azure-plans=4",
			},
			want: with(instant, func(l *limits) {
				l.throttle, l.writeWeight = 3, 3
				l.rules = lifecycle.Settings{
					Sandbox: true, MaxCustomers: 1, MaxSubscriptions: 2, MaxLicences: 3, MaxAzurePlans: 4,
					SandboxCancelWithin: 48 * time.Hour, CancelWithin: time.Hour, OrderLag: time.Second, ProvisioningTime: 2 * time.Minute,
				}
			}),
		},
		{profile: "realistic", args: []string{"--edition=legacy"}, want: with(realistic, func(l *limits) { l.edition = "legacy" })},
		{profile: "instant", args: []string{"--edition=2026"}, want: with(instant, func(l *limits) { l.edition = "2026" })},
		{profile: "instant", args: []string{"--edition=2025"}, err: `--edition "2025" is unknown: use legacy or 2026`},
		{profile: "slow", err: `--profile "slow" is unknown: use instant or realistic`},
		{profile: "instant", args: []string{"--throttle=-1"}, err: "--throttle -1 is negative: 0 means no limit"},
		{profile: "instant", args: []string{"--throttle-write-weight=0"}, err: "1 counts a write as a read"},
		{profile: "realistic", args: []string{"--throttle=1"}, err: "--throttle-write-weight 2 is more than --throttle 1"},
		{profile: "instant", args: []string{"--sandbox-azure-plans=-1"}, err: "--sandbox-azure-plans -1 is negative: 0 means no limit"},
		{profile: "realistic", args: []string{"--order-lag=-1m"}, err: "--order-lag -1m0s is negative: 0 means no lag"},
		{profile: "realistic", args: []string{"--cancel-within=-1m"}, err: "0 means at any time"},
	} {
		t.Run(strings.Join(append([]string{test.profile}, test.args...), " "), func(t *testing.T) {
			var l limits
			cmd := &cobra.Command{}
			l.addFlags(cmd.Flags())
			if err := cmd.ParseFlags(test.args); err != nil {
				t.Fatal(err)
			}
			err := l.applyProfile(cmd.Flags(), test.profile)
			if test.err != "" {
				if err == nil || !strings.Contains(err.Error(), test.err) {
					t.Errorf("error %v, want %q", err, test.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, l, cmp.AllowUnexported(limits{})); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestNegativeDurations(t *testing.T) {
	for flag, want := range map[string]string{
		"--token-leeway=-1h": "0 means none", "--token-lifetime=-1h": "0 means an hour", "--shutdown-grace=-1s": "0 means none",
	} {
		var o serveOptions
		cmd := &cobra.Command{}
		o.addFlags(cmd)
		if err := cmd.ParseFlags([]string{flag}); err != nil {
			t.Fatal(err)
		}
		if err := o.check(&command.Call{Flags: cmd.Flags()}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", flag, err)
		}
	}
}
