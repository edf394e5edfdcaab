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

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/spf13/cobra"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/connect"
	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/terminal"
)

// Change is a command that changes what a customer has.
type Change[T any] struct {
	Spec
	View terminal.View[T] // of the answer; without columns nothing is printed
	// What begins with a verb: place an order. Question asks for it: Place this
	// order?
	What, Question string
	// CustomerArg says that the argument is the customer, in place of --customer.
	CustomerArg bool
	// Describe reads what the change depends on and adds what will happen.
	Describe func(context.Context, *Call, *Description) error // One of these makes the change, once it is confirmed.
	Do       func(context.Context, *Call) (T, error)
	DoAll    func(context.Context, *Call) ([]T, error)
}

// Description is what a command is about to do, in words for people.
type Description struct {
	What, Question string // as in Change
	// ReadAgain says that the command reads what it changes: it is repeated as
	// it is, and finds what is done.
	ReadAgain bool

	facts [][2]string // name and value, in the order to be shown
}

// Add adds a fact, unless it has no value.
func (d *Description) Add(name, value string) {
	if value != "" {
		d.facts = append(d.facts, [2]string{name, value})
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

// Command returns the command.
func (c Change[T]) Command(conn *connect.Connection) *cobra.Command {
	var (
		output  terminal.Output
		options changeOptions
	)
	c.Long += changeHelp
	prints := c.View.Table.Columns != nil
	cmd := c.command(conn.Term, func(ctx context.Context, call *Call) error {
		var p *terminal.Printer[T]
		if prints {
			var err error
			if p, err = terminal.NewPrinter(conn.Term, &output, c.View); err != nil {
				return err
			}
		}
		w, err := newWriter(conn, call, &options)
		if err != nil {
			return err
		}
		done, err := c.change(ctx, call, w)
		unneeded := new(Unneeded)
		switch {
		case errors.As(err, &unneeded):
			conn.Term.Linef("%s", unneeded.Text)
			done = []T{unneeded.Item.(T)}
		case err != nil:
			return err
		}
		switch {
		case p == nil || done == nil:
			return nil
		case c.DoAll != nil:
			return p.PrintAll(done)
		}
		return p.PrintOne(done[0], nil)
	})
	options.addFlags(cmd)
	if prints {
		output.AddFlags(cmd)
	}
	return cmd
}

// change makes the change, once it is confirmed. After a dry run, which printed
// the request, there is nothing.
func (c Change[T]) change(ctx context.Context, call *Call, w *writer) (result []T, err error) {
	if c.CustomerArg {
		call.CustomerID = call.Arg
	}
	call.Client, call.Customer = w.pc, w.pc.Customers.ByID(call.CustomerID)
	d := &Description{What: c.What, Question: c.Question}
	if err := w.describeCustomer(ctx, d, call.CustomerID); err != nil {
		return nil, err
	}
	if c.Describe != nil {
		if err := c.Describe(ctx, call, d); err != nil {
			return nil, err
		}
	}
	if err := w.confirm(ctx, d); err != nil {
		return nil, err
	}
	err = w.do(ctx, d, func(ctx context.Context) (err error) {
		if c.DoAll != nil {
			result, err = c.DoAll(ctx, call)
			return err
		}
		one, err := c.Do(ctx, call)
		result = []T{one}
		return err
	})
	if dry := new(dryRun); errors.As(err, &dry) {
		_, err = w.app.Stdout.Write(dry.request)
		return nil, err
	}
	return result, err
}

// writer makes one change.
type writer struct {
	app       *terminal.Terminal
	options   *changeOptions
	service   *connect.Service
	pc        *partnercenter.Client
	requestID string
	input     bool // standard input is taken by the content of the call
}

// newWriter checks whether the flags and the terminal allow a change, before
// anything is sent.
func newWriter(c *connect.Connection, call *Call, o *changeOptions) (*writer, error) {
	w := &writer{app: c.Term, options: o, requestID: o.requestID, input: call.inputTaken}
	switch {
	case w.requestID == "":
		w.requestID = partnercenter.NewRequestID()
	case !connect.GUID.MatchString(w.requestID):
		return nil, terminal.Usagef("--request-id %q is no GUID: leave it out for a new one, or copy the one that was printed", w.requestID)
	}
	var err error
	if w.service, err = c.Service(); err != nil {
		return nil, err
	}
	if err := w.allowed(); err != nil {
		return nil, err
	}
	var policies []policy.Policy
	if o.dryRun {
		policies = append(policies, dryRunPolicy{})
	}
	w.pc, err = c.NewClient(w.service, false, policies...)
	return w, err
}

// real reports whether the change happens at a Partner Center that is not on
// this machine: money, probably.
func (w *writer) real() bool { return !connect.IsLoopback(w.service.BaseURL) }

func (w *writer) canAsk() bool { return w.app.StdinTTY && !w.input }

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
func (w *writer) describeCustomer(ctx context.Context, d *Description, id string) error {
	name := id
	if !w.options.dryRun {
		customer, err := w.pc.Customers.ByID(id).Get(ctx)
		if err != nil {
			return err
		}
		if company := customer.CompanyProfile; company != nil && company.CompanyName != "" {
			name = fmt.Sprintf("%s (%s)", company.CompanyName, id)
		}
	}
	d.Add("customer", name)
	return nil
}

// confirm shows the change and asks whether to make it.
func (w *writer) confirm(ctx context.Context, d *Description) error {
	if w.options.dryRun {
		return nil
	}
	w.app.Linef("This will %s at %s", d.What, w.service.BaseURL)
	facts := slices.Clone(d.facts)
	if w.service.TenantID != "" {
		facts = slices.Insert(facts, 0, [2]string{"partner", w.service.TenantID})
	}
	facts = append(facts, [2]string{"request id", w.requestID})
	for _, fact := range facts {
		w.app.Linef("  %-12s %s", fact[0], fact[1])
	}
	if w.real() {
		return w.confirmPartner(ctx)
	}
	return w.confirmYes(ctx, d.Question)
}

func (w *writer) confirmYes(ctx context.Context, question string) error {
	if w.options.yes {
		return nil
	}
	answer, err := w.app.Ask(ctx, question+" [y/N] ")
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
		if domain, err = w.app.Ask(ctx, "Type the partner's domain to go on: "); err != nil {
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
func (w *writer) do(ctx context.Context, d *Description, call func(context.Context) error) error {
	err := call(partnercenter.WithRequestID(ctx, w.requestID))
	if !partnercenter.Unsettled(err) || errors.As(err, new(*dryRun)) {
		return err
	}
	requestID := w.requestID
	if d.ReadAgain {
		requestID = ""
	}
	return &Unsettled{err: err, what: d.What, command: w.app.CommandLine(requestID)}
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

// Explain implements explainer.
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
