package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/command"
	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/terminal"
	"github.com/partnercenter-go/partnercenter/internal/ascii"
	"github.com/partnercenter-go/partnercenter/internal/guid"
	"github.com/partnercenter-go/partnercenter/internal/walk"
	"github.com/partnercenter-go/partnercenter/internal/words"
)

// rawMethods are the methods that the API has.
var rawMethods = []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete}

// rawCall holds the command line of a call to any address.
type rawCall struct {
	headers  []string
	file     string
	paginate bool
	request  partnercenter.RawRequest
}

// Raw returns the command that calls any address of the API.
func Raw(term *terminal.Terminal) *cobra.Command {
	var r rawCall
	return command.Alone(term, command.Exchange(command.Spec{
		Use: "api METHOD PATH", Short: "Call any address of the API",
		Long: `Send a request to any address of the API and print the answer, with the sign-in,
retries and exit codes of the other commands. PATH is below /v1, with or without it, and
may have a query. Other hosts are refused.

The body is read from a file in JSON or YAML (-f). --paginate gets all pages of a list
and prints their items as one array; with -o jsonl, as they come. Methods other than GET
and HEAD are changes.`,
		Example: `  partnercenter api GET '/customers?size=10' --jq '.items[].id'
  partnercenter api GET customers/ID/subscriptions --paginate -o yaml
  partnercenter api PATCH customers/ID/orders/ORDER -f order.yaml -H 'If-Match: "ETAG"'`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) != 2 {
				return terminal.Usagef("%s requires a method and a path, such as GET /customers, but got %s", cmd.CommandPath(), words.Count(len(args), "argument"))
			}
			return nil
		},
		Values: rawMethods,
		Flags: func(cmd *cobra.Command) {
			f := cmd.Flags()
			command.FileFlag(cmd, &r.file, "the body")
			f.StringArrayVarP(&r.headers, "header", "H", nil, "a `header` such as 'If-Match: *'; can be repeated")
			f.BoolVar(&r.paginate, "paginate", false, "get all pages of a list, and print their items as one array")
		},
		Check: r.check,
	}, command.Plan{
		What: "send a request", Question: "Send this request?",
		Describe: func(_ context.Context, call *command.Call, p *command.Plan) error {
			address, err := r.address(call)
			if err != nil {
				return err
			}
			if parsed, err := url.Parse(address); err == nil {
				address = terminal.WithoutSecrets(parsed)
			}
			p.Add("request", r.request.Method+" "+address)
			if r.file != "" {
				p.Add("body", fmt.Sprintf("%s (%s)", r.file, words.Count(len(r.request.Body), "byte")))
				p.AddJSON(r.request.Body)
			}
			return nil
		},
	}, func(*command.Call) bool {
		return r.request.Method != http.MethodGet && r.request.Method != http.MethodHead
	}, func(ctx context.Context, call *command.Call, item func([]byte) error) (*partnercenter.RawAnswer, error) {
		if _, err := r.address(call); err != nil {
			return nil, err
		}
		if r.paginate {
			return allPages(ctx, call.Client, r.request, item)
		}
		return call.Client.Do(ctx, &r.request)
	}))
}

// check sets the request from the command line.
func (r *rawCall) check(call *command.Call) error {
	r.request = partnercenter.RawRequest{Method: ascii.ToUpper(call.Args[0]), URI: escapeAddress(call.Args[1]), Header: http.Header{}}
	reads := r.request.Method == http.MethodGet || r.request.Method == http.MethodHead
	switch {
	case !slices.Contains(rawMethods, r.request.Method):
		return terminal.Usagef("%q is not a method of the API: use %s", call.Args[0], words.Or(rawMethods))
	case r.paginate && r.request.Method != http.MethodGet:
		return terminal.Usagef("--paginate is for GET, not for %s", r.request.Method)
	case r.request.URI == "":
		return terminal.Usagef("the path is empty: give one such as /customers")
	case r.file != "" && reads:
		return terminal.Usagef("%s has no body: leave out -f", r.request.Method)
	}
	for _, text := range r.headers {
		name, value, ok := strings.Cut(text, ":")
		name = strings.TrimSpace(name)
		switch {
		case !ok || name == "" || strings.ContainsFunc(name, func(c rune) bool { return c <= ' ' || c >= 0x7f }) || strings.ContainsAny(value, "\r\n\x00"):
			return terminal.Usagef("-H %q is not a header: write it like 'If-Match: *'", text)
		case ascii.EqualFold(name, "Authorization"):
			return terminal.Usagef("-H Authorization: the token is that of the profile; choose another with --profile or --as")
		case ascii.EqualFold(name, "MS-RequestId"):
			return terminal.Usagef("-H MS-RequestId: give it with --request-id")
		case slices.ContainsFunc(connectionHeaders, func(own string) bool { return ascii.EqualFold(name, own) }):
			return terminal.Usagef("-H %s: this header is about the connection, and set by this program: leave it out", name)
		}
		r.request.Header.Add(name, strings.TrimSpace(value))
	}
	if r.file != "" {
		var err error
		if r.request.Body, err = call.ReadJSON(r.file); err != nil {
			return err
		}
	}
	// The confirmation names the customer.
	if u, err := url.Parse(r.request.URI); err == nil {
		segments := strings.Split(u.Path, "/")
		if i := slices.IndexFunc(segments, func(s string) bool { return ascii.EqualFold(s, "customers") }); i >= 0 && i+1 < len(segments) && guid.Is(segments[i+1]) {
			call.CustomerID = segments[i+1]
		}
	}
	return nil
}

// escapeAddress escapes what people write into a path or query, such as the JSON of a
// filter, and an address does not have.
func escapeAddress(address string) string {
	var b strings.Builder
	for _, c := range []byte(address) {
		if c <= ' ' || c >= 0x7f || strings.ContainsRune("\"<>\\^`{|}", rune(c)) {
			fmt.Fprintf(&b, "%%%02X", c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}

// connectionHeaders are those that are sent as they have to be, whatever a request has.
var connectionHeaders = []string{
	"Connection", "Content-Length", "Expect", "Host", "Keep-Alive", "Proxy-Authorization", "Proxy-Connection", "TE", "Trailer",
	"Transfer-Encoding", "Upgrade", "User-Agent",
}

// address returns the address of the request. A refusal is a mistake in the command line.
func (r *rawCall) address(call *command.Call) (string, error) {
	address, err := call.Client.ResolveURI(r.request.URI)
	_, unreadable := url.Parse(r.request.URI)
	switch {
	case errors.Is(err, partnercenter.ErrForeignLink):
		err = terminal.Usagef("the path leads to another host than the base URL: the token is not sent there; give a path such as /customers")
	case err != nil && unreadable != nil:
		err = terminal.Usagef("the path cannot be read (%v): give one such as /customers", terminal.Innermost(unreadable))
	case err != nil:
		err = terminal.Usagef("the path has dot segments (. or ..), which would leave the API: give one such as /customers")
	}
	return address, err
}

// rawList is what pages of lists have in common.
type rawList struct {
	Items             json.RawMessage `json:"items"`
	TotalCount        *int            `json:"totalCount"`
	ContinuationToken string          `json:"continuationToken"`
	Links             struct {
		Next *partnercenter.Link `json:"next"`
	} `json:"links"`
}

// hasItems reports whether there is a list of items, which may be empty.
func (l *rawList) hasItems() bool { return bytes.HasPrefix(l.Items, []byte("[")) }

// isNone reports whether the answer is no list.
func (l *rawList) isNone() bool {
	if l.TotalCount != nil && *l.TotalCount < 0 {
		return true
	}
	given := len(l.Items) > 0 && string(l.Items) != "null"
	return given && !l.hasItems() || !given && l.TotalCount == nil
}

// maxPages is how many bytes the items of all pages have at most, since they are printed
// as one array.
const maxPages = partnercenter.DefaultMaxAnswerSize

// allPages gets a list and the pages after it, and returns their items as one array. With
// a function for items, it passes them to that as pages come, and returns none.
func allPages(ctx context.Context, client *partnercenter.Client, request partnercenter.RawRequest, print func(item []byte) error) (*partnercenter.RawAnswer, error) {
	const tokenHeader = "MS-ContinuationToken"
	path, _, _ := strings.Cut(request.URI, "?")
	all := []byte("[")
	keep := func(item []byte) error {
		if len(all)+len(item) > maxPages {
			return fmt.Errorf("the pages of %s have more than %d bytes together: get them one by one without --paginate, or as they come with -o jsonl", path, maxPages)
		}
		if len(all) > len("[") {
			all = append(all, ',')
		}
		all = append(all, item...)
		return nil
	}
	keeps := print == nil
	if keeps {
		print = keep
	}
	address, _ := client.ResolveURI(request.URI) // Do reports the error
	pages := walk.From(address, request.Header.Get(tokenHeader))
	for {
		answer, err := client.Do(ctx, &request)
		if err != nil {
			return nil, err
		}
		var page rawList
		if err := partnercenter.Unmarshal(answer.Body, &page); err != nil || page.isNone() {
			return nil, fmt.Errorf("the answer of %s is not a list: leave out --paginate", request.URI)
		}
		items := 0
		if page.hasItems() {
			err := terminal.EachItem(page.Items, func(item []byte) error {
				items++
				return print(item)
			})
			if err != nil {
				return nil, err
			}
		}
		request.Header = request.Header.Clone()
		request.Header.Del(tokenHeader)
		switch next := page.Links.Next; {
		case next != nil && next.URI != "":
			request.URI = next.URI
			for _, h := range next.Headers {
				if ascii.EqualFold(h.Key, tokenHeader) {
					request.Header.Set(tokenHeader, h.Value)
				}
			}
		case page.ContinuationToken != "":
			path, _, _ := strings.Cut(request.URI, "?")
			request.URI = path + "?seekOperation=" + string(partnercenter.SeekOperationNext)
			request.Header.Set(tokenHeader, page.ContinuationToken)
		default:
			if answer.Body = nil; keeps {
				answer.Body = append(all, ']')
			}
			return answer, nil
		}
		address, err := client.ResolveURI(request.URI)
		if err != nil {
			return nil, err
		}
		if err := pages.Next(items, address, request.Header.Get(tokenHeader)); err != nil {
			return nil, &partnercenter.EndlessListError{Path: path, Err: err}
		}
	}
}
