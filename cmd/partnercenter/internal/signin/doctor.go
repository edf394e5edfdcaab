package signin

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/spf13/cobra"

	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/command"
	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/connect"
	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/terminal"
	"github.com/partnercenter-go/partnercenter/internal/claims"
	"github.com/partnercenter-go/partnercenter/internal/words"
)

// The outcomes of a step.
const (
	stepOK      = "ok"
	stepFailed  = "failed"
	stepSkipped = "skipped"
)

// step is a checked step and its result.
type step struct {
	Name   string `json:"step"`
	Status string `json:"status"` // ok, failed or skipped
	Detail string `json:"detail"`
	Fix    string `json:"fix,omitempty"` // of a failed step; may have several lines
}

// outcome is the result of a step.
type outcome struct{ status, detail, fix string }

func isOK(format string, args ...any) outcome {
	return outcome{status: stepOK, detail: fmt.Sprintf(format, args...)}
}

func isFailed(fix, format string, args ...any) outcome {
	return outcome{stepFailed, fmt.Sprintf(format, args...), fix}
}

func isSkipped(why string) outcome { return outcome{status: stepSkipped, detail: why} }

// failedWith returns the outcome for an error, described as for other commands.
func (d *doctor) failedWith(err error) outcome {
	e := terminal.Explain(err, d.term.Now())
	if usage := new(terminal.UsageError); e.Next == "" && errors.As(err, &usage) {
		e.Next = "Correct it; 'partnercenter help environment' lists the sources of settings."
	}
	return outcome{stepFailed, strings.Join(append([]string{e.What}, e.Details...), "; "), e.Next}
}

// doctor checks a set-up. Steps use the results of earlier ones.
type doctor struct {
	term       *terminal.Terminal
	connection *connect.Connection
	service    *connect.Service       // nil if the settings are not complete
	cred       azcore.TokenCredential // nil if there are no credentials
	authority  *reached               // for the discovery document; nil if not requested
	api        *reached
	token      *azcore.AccessToken
	claims     *claims.Claims
	throttled  outcome
}

// doctorSteps are in order of dependency.
var doctorSteps = []struct {
	name string
	try  func(*doctor, context.Context) outcome
}{
	{"configuration", (*doctor).checkConfiguration},
	{"settings", (*doctor).checkSettings},
	{"credentials", (*doctor).checkCredentials},
	{"authority", (*doctor).reachAuthority},
	{"discovery", (*doctor).checkDiscovery},
	{"api host", (*doctor).reachAPI},
	{"clock", (*doctor).checkClock},
	{"token", (*doctor).getToken},
	{"claims", (*doctor).checkClaims},
	{"api call", (*doctor).callAPI},
	{"request limit", func(d *doctor, _ context.Context) outcome { return d.throttled }},
}

// Doctor returns the command that checks each step of a set-up.
func Doctor(term *terminal.Terminal) *cobra.Command {
	c := connect.New(term)
	cmd := command.Act(term, command.Spec{
		Facts: true, Use: "doctor", Short: "Check each step of a set-up, and show what fails and how to fix it",
		Long: `Check each step of a call, from the configuration file to the API, and report
whether it works and, if not, what to do:

  configuration  the configuration file can be read, but not by other users
  settings       the settings are complete and consistent
  credentials    there is an app or a signed-in user to act as
  authority      the token authority answers: name, connection, TLS, proxy
  discovery      the authority knows the tenant, in this cloud
  api host       the API's host answers: name, connection, TLS, proxy
  clock          this machine's clock is less than five minutes off
  token          the authority issues a token
  claims         the token is for Partner Center, and its user has a second factor
  api call       the API answers a request for one customer
  request limit  the request limit is not exhausted

Steps that depend on a failed one are skipped. Each step is tried once, for up to 20
seconds; --retries and --timeout change that. Nothing is changed. The exit code is 0
if no step failed, else 1.`,
		Example: `  partnercenter doctor
  partnercenter doctor --profile production -o json | jq '.steps[] | select(.status == "failed")'`,
	}, func(ctx context.Context, call *command.Call) error {
		if !call.Given("retries") {
			c.Retries = 0 // a retry would hide the first failure
		}
		if !call.Given("timeout") {
			c.Timeout = doctorTimeout
		}
		return runDoctor(ctx, call, c)
	})
	c.AddFlags(cmd)
	return cmd
}

func runDoctor(ctx context.Context, call *command.Call, c *connect.Connection) error {
	d := &doctor{term: call.Term, connection: c, throttled: isSkipped("the API was not called")}
	steps := []step{}
	var failed []string
	for _, s := range doctorSteps {
		o := s.try(d, ctx)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		steps = append(steps, step{s.name, o.status, o.detail, o.fix})
		if o.status == stepFailed {
			failed = append(failed, s.name)
		}
		if !call.JSON() {
			if err := printStep(call.Term, steps[len(steps)-1]); err != nil {
				return err
			}
		}
	}
	if call.JSON() {
		err := call.Tell(struct {
			OK    bool   `json:"ok"`
			Steps []step `json:"steps"`
		}{len(failed) == 0, steps}, nil)
		if err != nil {
			return err
		}
	}
	if len(failed) == 0 {
		return nil
	}
	return &doctorError{failed: failed, of: len(steps)}
}

func printStep(term *terminal.Terminal, s step) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%-7s  %-13s  %s\n", s.Status, s.Name, terminal.Sanitize(s.Detail))
	for line := range strings.Lines(s.Fix) {
		fmt.Fprintf(&b, "%24s  %s\n", "", terminal.Sanitize(strings.TrimRight(line, "\n")))
	}
	_, err := io.WriteString(term.Stdout, term.Fold(b.String()))
	return err
}

// doctorError reports that steps failed.
type doctorError struct {
	failed []string
	of     int
}

func (e *doctorError) Error() string {
	return fmt.Sprintf("%d of %s failed: %s", len(e.failed), words.Count(e.of, "step"), strings.Join(e.failed, ", "))
}
