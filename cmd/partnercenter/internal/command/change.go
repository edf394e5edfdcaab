package command

import (
	"bytes"
	"cmp"
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
	"github.com/go-json-experiment/json/jsontext"
	"github.com/spf13/cobra"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/connect"
	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/terminal"
	"github.com/partnercenter-go/partnercenter/internal/ascii"
	"github.com/partnercenter-go/partnercenter/internal/guid"
	"github.com/partnercenter-go/partnercenter/internal/words"
)

// Plan describes a change to the user.
type Plan struct {
	// What begins with a verb, such as "place an order". Question asks for
	// confirmation, such as "Place this order?".
	What, Question string
	// Describe reads what the change depends on and adds facts to a copy of the plan for
	// this run.
	Describe func(context.Context, *Call, *Plan) error

	facts [][2]string // names and values, in display order
}

// Add adds a fact unless its value is empty.
func (p *Plan) Add(name, value string) {
	if value != "" {
		p.facts = append(p.facts, [2]string{name, value})
	}
}

// AddJSON adds the members of a JSON document as facts.
func (p *Plan) AddJSON(data []byte) {
	dec := jsontext.NewDecoder(bytes.NewReader(terminal.JSONWithoutSecrets(data)))
	var before jsontext.Kind
	for {
		token, err := dec.ReadToken()
		if err != nil {
			return // the end: the document was read before
		}
		name := "  " + strings.TrimPrefix(string(dec.StackPointer()), "/")
		in, length := dec.StackIndex(dec.StackDepth())
		switch kind := token.Kind(); {
		case kind == '}' && before == '{', kind == ']' && before == '[':
			p.Add(name, string(before)+string(kind))
		case strings.ContainsRune("{}[]", rune(kind)), in == '{' && length%2 == 1: // a name
		default:
			p.Add(name, cmp.Or(token.String(), `""`))
		}
		before = token.Kind()
	}
}

// Change is the form of commands that change a customer's resources after
// confirmation. It prints the result of do, unless there is no view.
func Change[T any](s Spec, v *terminal.View[T], plan Plan, do func(context.Context, *Call) (T, error)) Form {
	return ChangeSeveral(s, v, plan, func(ctx context.Context, call *Call) ([]T, error) {
		call.One = true
		item, err := do(ctx, call)
		return []T{item}, err
	})
}

// ChangeSeveral is like Change, for a do that returns several results.
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
				if p, err = terminal.NewPrinter(c.Term, &output, withCustomer(&s, v, call)); err != nil {
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
				return p.PrintOne(unneeded.Item.(T))
			case err != nil || p == nil:
				return err
			case call.One:
				return p.PrintOne(items[0])
			}
			return p.PrintAll(items)
		})
		options.addFlags(cmd)
		s.completeCustomers(cmd, c)
		if v != nil {
			output.AddFlags(cmd, withCustomer(&s, v, nil).Names(), false)
		}
		return cmd
	}
}

// Then is the form of a command that has done and printed all that a form does, and may
// fail all the same: for what was done in part.
func Then(form Form, check func() error) Form {
	return func(c *connect.Connection) *cobra.Command {
		cmd := form(c)
		run := cmd.RunE
		cmd.RunE = func(cmd *cobra.Command, args []string) error {
			if err := run(cmd, args); err != nil {
				return err
			}
			return check()
		}
		return cmd
	}
}

// Exchange is the form of a command that sends any request, prints the JSON of the
// answer, and changes something if changes reports that. Where do gets a function to print
// the items of lists, one by one, it uses that instead of answering them.
func Exchange(s Spec, plan Plan, changes func(*Call) bool, do func(_ context.Context, _ *Call, item func([]byte) error) (*partnercenter.RawAnswer, error)) Form {
	return func(c *connect.Connection) *cobra.Command {
		var (
			output  terminal.Document
			options changeOptions
		)
		s.Long += changeHelp
		cmd := s.command(c.Term, func(ctx context.Context, call *Call) error {
			if err := output.Check(); err != nil {
				return err
			}
			var item func([]byte) error
			if output.Lines() {
				item = func(data []byte) error { return output.PrintLine(c.Term, data) }
			}
			var answer *partnercenter.RawAnswer
			send := func(ctx context.Context) (err error) {
				answer, err = do(ctx, call, item)
				return err
			}
			var err error
			if changes(call) {
				err = change(ctx, c, call, &options, plan, send)
			} else {
				err = readOnly(ctx, c, call, &options, send)
			}
			if dry := new(dryRun); errors.As(err, &dry) {
				_, err = c.Term.Stdout.Write(dry.request)
				return err
			}
			if err != nil {
				return err
			}
			return output.Print(c.Term, answer.Body, answer.Header.Get("Content-Type"))
		})
		options.addFlags(cmd)
		output.AddFlags(cmd)
		return cmd
	}
}

// readOnly makes a call that changes nothing, with the flags of commands that do.
func readOnly(ctx context.Context, c *connect.Connection, call *Call, o *changeOptions, send func(context.Context) error) error {
	if err := o.check(call); err != nil {
		return err
	}
	service, err := c.Service()
	if err != nil {
		return err
	}
	var policies []policy.Policy
	if o.dryRun {
		policies = append(policies, dryRunPolicy{all: true})
	}
	if call.Client, err = c.NewClient(service, false, policies...); err != nil {
		return err
	}
	if o.requestID != "" {
		id, err := o.newRequestID()
		if err != nil {
			return err
		}
		ctx = partnercenter.WithRequestID(ctx, id)
	}
	return send(ctx)
}

// Unneeded is the error that Describe returns if there is nothing to change.
type Unneeded struct {
	Text string
	Item any // the unchanged resource, to print
}

func (u *Unneeded) Error() string { return u.Text }

// changeHelp is the end of the help of commands that change something.
const changeHelp = `

The command prints the change and its request id to standard error and, on a
terminal, asks for confirmation; elsewhere it requires --yes. If the answer is lost,
the error message has a command line that completes the change or finds out whether it
was made: a call with the same request id is done only once.

Changes at a Partner Center that is not on this machine require --live and the
partner's domain, typed on a terminal or given with --partner-domain.`

// changeOptions are the flags of commands that change something.
type changeOptions struct {
	yes, dryRun, live        bool
	requestID, partnerDomain string
}

func (o *changeOptions) addFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.BoolVar(&o.yes, "yes", false, "do not ask for confirmation")
	f.BoolVar(&o.dryRun, "dry-run", false, "print the request instead of sending it; resources it depends on may be read")
	f.StringVar(&o.requestID, "request-id", "", "`GUID` that identifies the call: a repeated call with the same id has no further effect")
	f.BoolVar(&o.live, "live", false, "allow changes at a Partner Center that is not on this machine")
	f.StringVar(&o.partnerDomain, "partner-domain", "", "with --live, a `domain` of the partner, such as contoso.onmicrosoft.com; it must belong to the tenant of the credentials (default: asked for on a terminal)")
}

// answerFlags say how an answer is printed.
var answerFlags = []string{"json", "output", "jq", "template", "columns", "no-headers", "excel"}

// check refuses flags for an answer that will not come.
func (o *changeOptions) check(call *Call) error {
	if i := slices.IndexFunc(answerFlags, call.Given); o.dryRun && i >= 0 {
		return terminal.Usagef("--dry-run prints the request, and --%s is for the answer: leave one out", answerFlags[i])
	}
	return nil
}

// newRequestID returns the request id of the flag, or a new one.
func (o *changeOptions) newRequestID() (string, error) {
	switch {
	case o.requestID == "":
		return partnercenter.NewRequestID(), nil
	case !guid.Is(o.requestID):
		return "", terminal.Usagef("--request-id %q is not a GUID: leave it out for a new one, or copy the one that was printed", o.requestID)
	}
	return o.requestID, nil
}

// change makes a change after confirmation. Flags and terminal are checked
// before anything is sent.
func change(ctx context.Context, c *connect.Connection, call *Call, o *changeOptions, plan Plan, do func(context.Context) error) (err error) {
	if err := o.check(call); err != nil {
		return err
	}
	w := &changer{term: c.Term, options: o, input: call.inputTaken, content: call.content}
	if w.requestID, err = o.newRequestID(); err != nil {
		return err
	}
	if w.service, err = c.Service(); err != nil {
		return err
	}
	if err := w.allowed(); err != nil {
		return err
	}
	var policies []policy.Policy
	if call.DryRun = o.dryRun; o.dryRun {
		policies = append(policies, dryRunPolicy{})
	}
	if call.Client, err = c.NewClient(w.service, false, policies...); err != nil {
		return err
	}
	if err := call.findCustomer(ctx); err != nil {
		return err
	}
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

// changer makes one change.
type changer struct {
	term      *terminal.Terminal
	options   *changeOptions
	service   *connect.Service
	requestID string
	input     bool   // standard input is used for content
	content   string // see [Unsettled]
}

// real reports whether the Partner Center is not on this machine, so that the
// change may cost money.
func (w *changer) real() bool { return !connect.IsLoopback(w.service.BaseURL) }

func (w *changer) canAsk() bool { return w.term.StdinTTY && !w.input }

func (w *changer) allowed() error {
	o := w.options
	switch {
	case o.dryRun:
		return nil
	case o.partnerDomain != "" && !o.live:
		return terminal.Usagef("--partner-domain requires --live")
	case w.real() && !o.live:
		return terminal.Usagef("%s is not on this machine, so this would be a real change: if you mean it, add --live; --profile local selects the local server, --dry-run only prints the request", w.service.BaseURL)
	case w.real() && o.partnerDomain == "" && !w.canAsk():
		return terminal.Usagef("cannot ask for the partner's domain, because standard input is not a terminal or contains the content: give it with --partner-domain; nothing was sent")
	case !o.yes && !w.canAsk():
		return terminal.Usagef("cannot ask for confirmation, because standard input is not a terminal or contains the content: add --yes to go on without it; nothing was sent")
	}
	return nil
}

// describeCustomer adds the customer to the plan. It reads the customer's name,
// so that a wrong id is noticed before the change.
func (w *changer) describeCustomer(ctx context.Context, call *Call, p *Plan) error {
	name := call.CustomerID
	if name != "" && !w.options.dryRun {
		customer, err := call.Customer.Get(ctx)
		if err != nil {
			return call.known(ctx, err)
		}
		call.Country = terminal.OrZero(terminal.OrZero(customer.BillingProfile).DefaultAddress).Country
		if call.CustomerName = terminal.OrZero(customer.CompanyProfile).CompanyName; call.CustomerName != "" {
			name = fmt.Sprintf("%s (%s)", call.CustomerName, name)
		}
	}
	p.Add("customer", name)
	return nil
}

// confirm shows the change and asks for confirmation.
func (w *changer) confirm(ctx context.Context, p *Plan) error {
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
		w.term.Paragraph(fmt.Sprintf("  %-12s ", fact[0]), fact[1])
	}
	if w.real() {
		return w.confirmPartner(ctx)
	}
	return w.confirmYes(ctx, p.Question)
}

func (w *changer) confirmYes(ctx context.Context, question string) error {
	if w.options.yes {
		return nil
	}
	answer, err := w.term.Ask(ctx, question+" [y/N] ")
	if err != nil {
		return err
	}
	if answer = ascii.ToLower(answer); answer != "y" && answer != "yes" {
		return errNotConfirmed
	}
	return nil
}

var errNotConfirmed = errors.New("not confirmed: nothing was changed")

// confirmPartner asks for the partner's domain and checks with the token
// authority that it belongs to the credentials' tenant. A typed domain confirms
// the change; one given by flag still needs confirmation.
func (w *changer) confirmPartner(ctx context.Context) error {
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

// do makes the change. If it is unknown whether it was made, the error says how
// to find out.
func (w *changer) do(ctx context.Context, p *Plan, call func(context.Context) error) error {
	err := call(partnercenter.WithRequestID(ctx, w.requestID))
	if !partnercenter.Unsettled(err) || errors.As(err, new(*dryRun)) {
		return err
	}
	return &Unsettled{err: err, what: p.What, input: w.content, command: w.term.CommandLine(w.requestID)}
}

// Unsettled is the error of a change that may have been made.
type Unsettled struct {
	err           error
	what, command string
	input         string // what the command reads its content from, if it cannot be read again
}

func (u *Unsettled) Error() string { return u.err.Error() }
func (u *Unsettled) Unwrap() error { return u.err }

// Next returns how to find out.
func (u *Unsettled) Next() string {
	next := fmt.Sprintf("It is unknown whether the service did this: %s.\nTo complete it or find out, run this; it is done only once in any case:\n  %s", u.what, u.command)
	if u.input != "" {
		next += "\nGive it the same content again: " + u.input + " was read to its end."
	}
	return next
}

// Explain describes the error for the user.
func (u *Unsettled) Explain(now time.Time) terminal.Explanation {
	e := terminal.Explain(u.err, now)
	e.Next = u.Next()
	return e
}

type questionKey struct{}

// Question returns a context for calls that change nothing, although their method is not
// GET: with --dry-run they are sent as well.
func Question(ctx context.Context) context.Context {
	return context.WithValue(ctx, questionKey{}, true)
}

// dryRunPolicy stops a change before it is sent, or any request, and keeps it.
type dryRunPolicy struct{ all bool }

// dryRun is the error of a change with --dry-run.
type dryRun struct{ request []byte }

func (*dryRun) Error() string { return "not sent, because of --dry-run" }

func (p dryRunPolicy) Do(req *policy.Request) (*http.Response, error) {
	raw := req.Raw()
	if isQuestion := raw.Method == http.MethodGet || raw.Context().Value(questionKey{}) != nil; isQuestion && !p.all {
		return req.Next()
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s %s\n", raw.Method, terminal.WithoutSecrets(raw.URL))
	for _, key := range slices.Sorted(maps.Keys(raw.Header)) {
		fmt.Fprintf(&b, "%s: %s\n", key, terminal.Sanitize(terminal.HeaderText(key, raw.Header[key])))
	}
	body := req.Body()
	if body == nil {
		return nil, &dryRun{b.Bytes()}
	}
	b.WriteByte('\n')
	if raw.Header.Get("Content-Type") != "application/json" {
		fmt.Fprintf(&b, "(%s)\n", words.Count(raw.ContentLength, "byte"))
		return nil, &dryRun{b.Bytes()}
	}
	data, err := io.ReadAll(body)
	if err != nil {
		return nil, err
	}
	if err := json.Indent(&b, terminal.JSONWithoutSecrets(data), "", "  "); err != nil {
		return nil, err
	}
	b.WriteByte('\n')
	return nil, &dryRun{b.Bytes()}
}
