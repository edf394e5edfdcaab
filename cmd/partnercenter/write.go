package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/spf13/cobra"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/internal/guid"
)

// writeOptions are the flags of commands that change something.
type writeOptions struct {
	yes, dryRun, live        bool
	requestID, partnerDomain string
}

func (o *writeOptions) addFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.BoolVar(&o.yes, "yes", false, "do not ask whether to go on")
	f.BoolVar(&o.dryRun, "dry-run", false, "print the request instead of sending it; what it is made of may be read")
	f.StringVar(&o.requestID, "request-id", "", "`GUID` that names the call: the same call with the same id is done once, however often it is sent")
	f.BoolVar(&o.live, "live", false, "allow changes at a Partner Center that is not on this machine")
	f.StringVar(&o.partnerDomain, "partner-domain", "", "with --live, a `domain` of the partner, such as contoso.onmicrosoft.com: it must be that of the credentials; asked for on a terminal")
	for _, free := range []string{"request-id", "partner-domain"} {
		_ = cmd.RegisterFlagCompletionFunc(free, cobra.NoFileCompletions)
	}
}

// writeHelp ends the help of commands that change something.
const writeHelp = `

What will happen is printed to standard error, with the call's request id, and a
terminal is asked whether to go on. Elsewhere --yes is needed. When the answer is
lost, the message says which command line finishes the call or finds out what
became of it: a call with the same request id is done once.

A Partner Center that is not on this machine needs --live, and the partner's
domain: typed on a terminal, or given with --partner-domain.`

// change is what a command is about to do, in words for people.
type change struct {
	what     string      // begins with a verb: place an order
	question string      // Place this order?
	facts    [][2]string // name and value, in the order to be shown
	// readAgain says that the command reads what it changes: it is repeated as
	// it is, and finds what is done.
	readAgain bool
}

func (c *change) add(name, value string) {
	if value != "" {
		c.facts = append(c.facts, [2]string{name, value})
	}
}

// writer makes one change.
type writer struct {
	app       *app
	options   *writeOptions
	service   *service
	pc        *partnercenter.Client
	requestID string
	input     bool // standard input is taken by the content of the call
}

// newWriter checks whether the flags and the terminal allow a change, before
// anything is sent.
func newWriter(app *app, c *connection, o *writeOptions, inputTaken bool) (*writer, error) {
	w := &writer{app: app, options: o, requestID: o.requestID, input: inputTaken}
	switch {
	case w.requestID == "":
		w.requestID = partnercenter.NewRequestID()
	case !guid.Is(w.requestID):
		return nil, usageErrorf("--request-id %q is no GUID: leave it out for a new one, or copy the one that was printed", w.requestID)
	}
	var err error
	if w.service, err = c.service(app); err != nil {
		return nil, err
	}
	if err := w.allowed(); err != nil {
		return nil, err
	}
	var policies []policy.Policy
	if o.dryRun {
		policies = append(policies, dryRunPolicy{})
	}
	w.pc, err = c.newClient(app, w.service, false, policies...)
	return w, err
}

// real reports whether the change happens at a Partner Center that is not on
// this machine: money, probably.
func (w *writer) real() bool { return !isLoopback(w.service.baseURL) }

func (w *writer) canAsk() bool { return w.app.stdinTTY && !w.input }

func (w *writer) allowed() error {
	o := w.options
	switch {
	case o.dryRun:
		return nil
	case o.partnerDomain != "" && !o.live:
		return usageErrorf("--partner-domain goes with --live")
	case w.real() && !o.live:
		return usageErrorf("%s is not on this machine, so this would be a real change: if it is meant, add --live; --profile local is the local server, --dry-run only prints", w.service.baseURL)
	case w.real() && o.partnerDomain == "" && !w.canAsk():
		return usageErrorf("nobody can be asked for the partner's domain, as standard input is no terminal or holds the content: give it with --partner-domain; nothing was sent")
	case !o.yes && !w.canAsk():
		return usageErrorf("nobody can be asked whether to go on, as standard input is no terminal or holds the content: add --yes to go on without; nothing was sent")
	}
	return nil
}

// describeCustomer adds who the change is for. It reads the customer's name,
// so that a wrong id is seen before, and not after.
func (w *writer) describeCustomer(ctx context.Context, c *change, id string) error {
	name := id
	if !w.options.dryRun {
		customer, err := w.pc.Customers.ByID(id).Get(ctx)
		if err != nil {
			return err
		}
		if company := companyName(customer); company != "" {
			name = fmt.Sprintf("%s (%s)", company, id)
		}
	}
	c.add("customer", name)
	return nil
}

// confirm shows the change and asks whether to make it.
func (w *writer) confirm(ctx context.Context, c *change) error {
	if w.options.dryRun {
		return nil
	}
	w.app.linef("This will %s at %s", c.what, w.service.baseURL)
	facts := slices.Clone(c.facts)
	if w.service.tenantID != "" {
		facts = slices.Insert(facts, 0, [2]string{"partner", w.service.tenantID})
	}
	facts = append(facts, [2]string{"request id", w.requestID})
	for _, fact := range facts {
		w.app.linef("  %-12s %s", fact[0], fact[1])
	}
	if w.real() {
		return w.confirmPartner(ctx)
	}
	return w.confirmYes(ctx, c)
}

func (w *writer) confirmYes(ctx context.Context, c *change) error {
	if w.options.yes {
		return nil
	}
	answer, err := w.app.ask(ctx, c.question+" [y/N] ")
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
		if domain, err = w.app.ask(ctx, "Type the partner's domain to go on: "); err != nil {
			return err
		}
		if domain == "" {
			return errNotConfirmed
		}
		return w.service.checkPartnerDomain(ctx, domain)
	}
	if err := w.service.checkPartnerDomain(ctx, domain); err != nil {
		return err
	}
	return w.confirmYes(ctx, &change{question: "Go on at " + domain + "?"})
}

// do makes the change. It returns done=false after a dry run, which printed
// the request.
func (w *writer) do(ctx context.Context, c *change, call func(context.Context) error) (done bool, err error) {
	err = call(partnercenter.WithRequestID(ctx, w.requestID))
	if dry := new(dryRun); errors.As(err, &dry) {
		_, err := w.app.stdout.Write(dry.request)
		return false, err
	}
	if partnercenter.Unsettled(err) {
		open := &unsettledError{err: err, what: c.what}
		if c.readAgain {
			open.command = w.app.commandLine("")
		} else {
			open.command = w.app.commandLine(w.requestID)
		}
		return false, open
	}
	return err == nil, err
}

// unsettledError is the end of a change that may have happened.
type unsettledError struct {
	err           error
	what, command string
}

func (e *unsettledError) Error() string { return e.err.Error() }
func (e *unsettledError) Unwrap() error { return e.err }

func (e *unsettledError) next() string {
	return fmt.Sprintf("It is not known whether the service did it: to %s.\nTo finish it or find out, run this; it is done once in any case:\n  %s", e.what, e.command)
}

// ask puts a question to the terminal and returns the answer, without blanks
// around. The end of the input is no answer.
func (a *app) ask(ctx context.Context, question string) (string, error) {
	fmt.Fprint(a.stderr, sanitize(question))
	answers := make(chan string, 1)
	go func() {
		line, _ := bufio.NewReader(a.stdin).ReadString('\n')
		answers <- strings.TrimSpace(line)
	}()
	select {
	case answer := <-answers:
		return answer, nil
	case <-ctx.Done():
		fmt.Fprintln(a.stderr)
		return "", ctx.Err()
	}
}

// commandLine returns this command line again, with a request id if one is
// given, to be pasted into a shell.
func (a *app) commandLine(requestID string) string {
	words := []string{"partnercenter"}
	for i := 0; i < len(a.args); i++ {
		word := a.args[i]
		name, _, joined := strings.Cut(word, "=")
		switch name {
		case "--request-id":
			if !joined {
				i++
			}
			continue
		case "--client-secret": // not for screens and logs
			if !joined {
				i++
			}
			words = append(words, `--client-secret "$PARTNERCENTER_CLIENT_SECRET"`)
			continue
		}
		words = append(words, shellQuote(word))
	}
	if requestID != "" {
		words = append(words, "--request-id", requestID)
	}
	return strings.Join(words, " ")
}

var plainWord = regexp.MustCompile(`^[A-Za-z0-9_@%+=:,./-]+$`)

func shellQuote(word string) string {
	if plainWord.MatchString(word) {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
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
		fmt.Fprintf(&b, "%s: %s\n", key, sanitize(strings.Join(raw.Header[key], ", ")))
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
