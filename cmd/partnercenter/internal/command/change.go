package command

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/partnercenter-go/partnercenter/internal/guid"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/spf13/cobra"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/connect"
	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/terminal"
)

// Plan is what a change is about, in words for people.
type Plan struct {
	// What begins with a verb: place an order. Question asks for it: Place this
	// order?
	What, Question string
	// Describe reads what the change depends on and adds to the plan, which is this
	// run's.
	Describe func(context.Context, *Call, *Plan) error
	// ReadAgain says that the command reads what it changes: it is repeated as
	// it is, and finds what is done.
	ReadAgain bool

	facts [][2]string // name and value, in the order to be shown
}

// Add adds a fact, unless it has no value.
func (p *Plan) Add(name, value string) {
	if value != "" {
		p.facts = append(p.facts, [2]string{name, value})
	}
}

// Change is the form of commands that change what a customer has, once it is
// confirmed. What do returns is printed, unless there is no view of it.
func Change[T any](s Spec, v *terminal.View[T], plan Plan, do func(context.Context, *Call) (T, error)) Form {
	return ChangeSeveral(s, v, plan, func(ctx context.Context, call *Call) ([]T, error) {
		call.One = true
		item, err := do(ctx, call)
		return []T{item}, err
	})
}

// ChangeSeveral is Change for what is answered by a list.
func ChangeSeveral[T any](s Spec, v *terminal.View[T], plan Plan, do func(context.Context, *Call) ([]T, error)) Form {
	return func(c *connect.Connection) *cobra.Command {
		var (
			output  terminal.Output
			options changeOptions
		)
		s.Long += changeHelp
		cmd := s.command(c.Term, func(ctx context.Context, call *Call) (err error) {
			var p *terminal.Printer[T]
			if v != nil {
				if p, err = terminal.NewPrinter(c.Term, &output, v); err != nil {
					return err
				}
			}
			var items []T
			err = change(ctx, c, call, &options, plan, func(ctx context.Context) (err error) {
				items, err = do(ctx, call)
				return err
			})
			switch dry, unneeded := new(dryRun), new(Unneeded); {
			case errors.As(err, &dry):
				_, err = c.Term.Stdout.Write(dry.request)
				return err
			case errors.As(err, &unneeded):
				c.Term.Linef("%s", unneeded.Text)
				return p.PrintOne(unneeded.Item.(T), nil)
			case err != nil || p == nil:
				return err
			case call.One:
				return p.PrintOne(items[0], nil)
			}
			return p.PrintAll(items)
		})
		options.addFlags(cmd)
		if v != nil {
			output.AddFlags(cmd)
		}
		return cmd
	}
}

// Unneeded is what Describe returns when there is nothing to change.
type Unneeded struct {
	Text string
	Item any // as it is, to be printed
}

func (u *Unneeded) Error() string { return u.Text }

// changeHelp ends the help of commands that change something.
const changeHelp = `

What will happen is printed to standard error, with the call's request id, and a
terminal is asked whether to go on. Elsewhere --yes is needed. When the answer is
lost, the message says which command line finishes the call or finds out what
became of it: a call with the same request id is done once.

A Partner Center that is not on this machine needs --live, and the partner's
domain: typed on a terminal, or given with --partner-domain.`

// changeOptions are the flags of commands that change something.
type changeOptions struct {
	yes, dryRun, live        bool
	requestID, partnerDomain string
}

func (o *changeOptions) addFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.BoolVar(&o.yes, "yes", false, "do not ask whether to go on")
	f.BoolVar(&o.dryRun, "dry-run", false, "print the request instead of sending it; what it is made of may be read")
	f.StringVar(&o.requestID, "request-id", "", "`GUID` that names the call: the same call with the same id is done once, however often it is sent")
	f.BoolVar(&o.live, "live", false, "allow changes at a Partner Center that is not on this machine")
	f.StringVar(&o.partnerDomain, "partner-domain", "", "with --live, a `domain` of the partner, such as contoso.onmicrosoft.com: it must be that of the credentials; asked for on a terminal")
}

// change makes a change, once it is confirmed. Whether the flags and the terminal
// allow it is checked before anything is sent.
func change(ctx context.Context, c *connect.Connection, call *Call, o *changeOptions, plan Plan, do func(context.Context) error) (err error) {
	w := &writer{term: c.Term, options: o, requestID: o.requestID, input: call.inputTaken}
	switch {
	case w.requestID == "":
		w.requestID = partnercenter.NewRequestID()
	case !guid.Is(w.requestID):
		return terminal.Usagef("--request-id %q is no GUID: leave it out for a new one, or copy the one that was printed", w.requestID)
	}
	if w.service, err = c.Service(); err != nil {
		return err
	}
	if err := w.allowed(); err != nil {
		return err
	}
	var policies []policy.Policy
	if o.dryRun {
		policies = append(policies, dryRunPolicy{})
	}
	if call.Client, err = c.NewClient(w.service, false, policies...); err != nil {
		return err
	}
	call.Customer = call.Client.Customers.ByID(call.CustomerID)
	if err := w.describeCustomer(ctx, call, &plan); err != nil {
		return err
	}
	if err := plan.Describe(ctx, call, &plan); err != nil {
		return err
	}
	if err := w.confirm(ctx, &plan); err != nil {
		return err
	}
	return w.do(ctx, &plan, do)
}

// writer makes one change.
type writer struct {
	term      *terminal.Terminal
	options   *changeOptions
	service   *connect.Service
	requestID string
	input     bool // standard input is taken by the content of the call
}

// real reports whether the change happens at a Partner Center that is not on
// this machine: money, probably.
func (w *writer) real() bool { return !connect.IsLoopback(w.service.BaseURL) }

func (w *writer) canAsk() bool { return w.term.StdinTTY && !w.input }

func (w *writer) allowed() error {
	o := w.options
	switch {
	case o.dryRun:
		return nil
	case o.partnerDomain != "" && !o.live:
		return terminal.Usagef("--partner-domain goes with --live")
	case w.real() && !o.live:
		return terminal.Usagef("%s is not on this machine, so this would be a real change: if it is meant, add --live; --profile local is the local server, --dry-run only prints", w.service.BaseURL)
	case w.real() && o.partnerDomain == "" && !w.canAsk():
		return terminal.Usagef("nobody can be asked for the partner's domain, as standard input is no terminal or holds the content: give it with --partner-domain; nothing was sent")
	case !o.yes && !w.canAsk():
		return terminal.Usagef("nobody can be asked whether to go on, as standard input is no terminal or holds the content: add --yes to go on without; nothing was sent")
	}
	return nil
}

// describeCustomer adds who the change is for. It reads the customer's name,
// so that a wrong id is seen before, and not after.
func (w *writer) describeCustomer(ctx context.Context, call *Call, p *Plan) error {
	name := call.CustomerID
	if !w.options.dryRun {
		customer, err := call.Customer.Get(ctx)
		if err != nil {
			return err
		}
		if company := terminal.OrZero(customer.CompanyProfile).CompanyName; company != "" {
			name = fmt.Sprintf("%s (%s)", company, name)
		}
	}
	p.Add("customer", name)
	return nil
}

// confirm shows the change and asks whether to make it.
func (w *writer) confirm(ctx context.Context, p *Plan) error {
	if w.options.dryRun {
		return nil
	}
	w.term.Linef("This will %s at %s", p.What, w.service.BaseURL)
	facts := slices.Clone(p.facts)
	if w.service.TenantID != "" {
		facts = slices.Insert(facts, 0, [2]string{"partner", w.service.TenantID})
	}
	facts = append(facts, [2]string{"request id", w.requestID})
	for _, fact := range facts {
		w.term.Linef("  %-12s %s", fact[0], fact[1])
	}
	if w.real() {
		return w.confirmPartner(ctx)
	}
	return w.confirmYes(ctx, p.Question)
}

func (w *writer) confirmYes(ctx context.Context, question string) error {
	if w.options.yes {
		return nil
	}
	answer, err := w.term.Ask(ctx, question+" [y/N] ")
	if err != nil {
		return err
	}
	if answer = strings.ToLower(answer); answer != "y" && answer != "yes" {
		return errNotConfirmed
	}
	return nil
}

var errNotConfirmed = errors.New("not confirmed: nothing was changed")

// confirmPartner wants to be told the partner's domain, and believes it when
// the token authority says that it belongs to the credentials' tenant. A typed
// domain is more than a yes; one that was passed still wants it.
func (w *writer) confirmPartner(ctx context.Context) error {
	domain := w.options.partnerDomain
	if domain == "" {
		var err error
		if domain, err = w.term.Ask(ctx, "Type the partner's domain to go on: "); err != nil {
			return err
		}
		if domain == "" {
			return errNotConfirmed
		}
		return w.service.CheckPartnerDomain(ctx, domain)
	}
	if err := w.service.CheckPartnerDomain(ctx, domain); err != nil {
		return err
	}
	return w.confirmYes(ctx, "Go on at "+domain+"?")
}

// do makes the change. When nobody knows whether it was made, the error says how
// to find out.
func (w *writer) do(ctx context.Context, p *Plan, call func(context.Context) error) error {
	err := call(partnercenter.WithRequestID(ctx, w.requestID))
	if !partnercenter.Unsettled(err) || errors.As(err, new(*dryRun)) {
		return err
	}
	requestID := w.requestID
	if p.ReadAgain {
		requestID = ""
	}
	return &Unsettled{err: err, what: p.What, command: w.term.CommandLine(requestID)}
}

// Unsettled is the end of a change that may have happened.
type Unsettled struct {
	err           error
	what, command string
}

func (u *Unsettled) Error() string { return u.err.Error() }
func (u *Unsettled) Unwrap() error { return u.err }

// Next says how to find out.
func (u *Unsettled) Next() string {
	return fmt.Sprintf("It is not known whether the service did it: to %s.\nTo finish it or find out, run this; it is done once in any case:\n  %s", u.what, u.command)
}

// Explain words it for people.
func (u *Unsettled) Explain(now time.Time) terminal.Explanation {
	e := terminal.Explain(u.err, now)
	e.Next = u.Next()
	return e
}

// dryRunPolicy stops a change before anything is sent, and keeps what would
// have been.
type dryRunPolicy struct{}

// dryRun is how a change ends that is not to be made.
type dryRun struct{ request []byte }

func (*dryRun) Error() string { return "not sent, as --dry-run asks" }

func (dryRunPolicy) Do(req *policy.Request) (*http.Response, error) {
	raw := req.Raw()
	if raw.Method == http.MethodGet {
		return req.Next()
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s %s\n", raw.Method, raw.URL)
	for _, key := range slices.Sorted(maps.Keys(raw.Header)) {
		fmt.Fprintf(&b, "%s: %s\n", key, terminal.Sanitize(strings.Join(raw.Header[key], ", ")))
	}
	body := req.Body()
	if body == nil {
		return nil, &dryRun{b.Bytes()}
	}
	b.WriteByte('\n')
	if raw.Header.Get("Content-Type") != "application/json" {
		fmt.Fprintf(&b, "(%d bytes)\n", raw.ContentLength)
		return nil, &dryRun{b.Bytes()}
	}
	data, err := io.ReadAll(body)
	if err != nil {
		return nil, err
	}
	if err := json.Indent(&b, data, "", "  "); err != nil {
		return nil, err
	}
	b.WriteByte('\n')
	return nil, &dryRun{b.Bytes()}
}
