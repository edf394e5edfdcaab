package browsertest

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/audits"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/partnercenter-go/partnercenter/internal/installed"
)

// patience is how long a page may take on a busy machine.
const patience = 2 * time.Minute

// chromium is the browser that all tests share, and its tab.
var chromium struct {
	once  sync.Once
	ctx   context.Context
	close func()
	err   error
	tab   *tab // nil when the next test needs a new one
}

func TestMain(m *testing.M) {
	code := m.Run()
	if chromium.close != nil {
		chromium.close()
	}
	os.Exit(code)
}

func startChromium(path string) {
	profile, err := os.MkdirTemp("", "partnercenter-browsertest-")
	if err != nil {
		chromium.err = err
		return
	}
	flags := []chromedp.ExecAllocatorOption{
		chromedp.ExecPath(path), chromedp.UserDataDir(profile), chromedp.WSURLReadTimeout(patience),
		chromedp.Headless, chromedp.DisableGPU, chromedp.NoFirstRun, chromedp.NoDefaultBrowserCheck,
		// It connects to nothing but the test.
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true),
		// Containers have little shared memory.
		chromedp.Flag("disable-dev-shm-usage", true),
		chromedp.Flag("host-resolver-rules", "MAP "+otherHost+" 127.0.0.1"),
		chromedp.IgnoreCertErrors, // the tests' authorities are nobody's
		// The sandbox takes neither root nor users without namespaces of their own,
		// as in containers. It would keep the machine from the test's own pages.
		chromedp.NoSandbox,
	}
	allocator, closeAllocator := chromedp.NewExecAllocator(context.Background(), flags...)
	ctx, closeBrowser := chromedp.NewContext(allocator)
	chromium.ctx = ctx
	chromium.close = func() {
		closeBrowser()
		closeAllocator()
		os.RemoveAll(profile)
	}
	chromium.err = chromedp.Do(ctx)
}

// tab is a tab of the browser.
type tab struct {
	t   *testing.T
	ctx context.Context

	mu       sync.Mutex // guards what follows
	problems []string   // what the browser complained about
	asked    []string   // the addresses that it went to
}

// openTab returns a tab with an empty profile. The tests share one, because opening one
// takes longer than most tests; what the last test left in it is removed. Complaints of
// the browser fail the test at its end, unless forgive has removed them.
func openTab(t *testing.T) *tab {
	t.Helper()
	path := installed.Browser(t)
	chromium.once.Do(func() { startChromium(path) })
	if chromium.err != nil {
		installed.Missing(t, "%s does not start: %v", path, chromium.err)
	}
	b := chromium.tab
	if b == nil {
		b, _ = newTab(chromium.ctx, t, chromedp.WithNewBrowserContext())
		chromium.tab = b
	}
	b.t = t
	b.empty()
	t.Cleanup(func() {
		b.complain()
		if t.Failed() {
			chromium.tab = nil
		}
	})
	return b
}

// openBeside opens a second tab of the same profile.
func (b *tab) openBeside() *tab {
	b.t.Helper()
	second, closeTab := newTab(b.ctx, b.t)
	b.t.Cleanup(closeTab)
	b.t.Cleanup(second.complain)
	return second
}

func newTab(parent context.Context, t *testing.T, options ...chromedp.ContextOption) (*tab, func()) {
	t.Helper()
	b := &tab{t: t}
	ctx, closeTab := chromedp.NewContext(parent, append(options, chromedp.WithListener(b.listen))...)
	b.ctx = ctx
	// The first run gets no deadline: it would be the tab's.
	if _, err := chromedp.Call(ctx, audits.Enable, cdp.Empty{}); err != nil {
		t.Fatal(err)
	}
	return b, closeTab
}

// empty clears the tab and its profile, except for the current page.
func (b *tab) empty() {
	b.t.Helper()
	call(b, page.BringToFront, cdp.Empty{}) // the tab key leads out of a page
	call(b, page.ResetNavigationHistory, cdp.Empty{})
	call(b, network.ClearBrowserCookies, cdp.Empty{})
	call(b, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{})
	call(b, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{})
	call(b, emulation.ClearDeviceMetricsOverride, cdp.Empty{})
	b.mu.Lock()
	defer b.mu.Unlock()
	b.problems, b.asked = nil, nil
}

// complain fails the test for the browser's complaints.
func (b *tab) complain() {
	for _, problem := range b.forgive() {
		b.t.Errorf("the browser complains: %s", problem)
	}
}

// listen records what the browser says about the pages.
func (b *tab) listen(event any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch e := event.(type) {
	case *log.EventEntryAdded:
		b.problems = append(b.problems, fmt.Sprintf("%s %s: %s %s", e.Entry.Source, e.Entry.Level, e.Entry.Text, e.Entry.URL))
	case *runtime.EventConsoleAPICalled:
		b.problems = append(b.problems, fmt.Sprintf("console.%s", e.Type))
	case *runtime.EventExceptionThrown:
		b.problems = append(b.problems, e.ExceptionDetails.Text)
	case *audits.EventIssueAdded:
		// Apps are meant to send their users here and get them back.
		if details, _ := json.Marshal(e.Issue.Details); e.Issue.Code != "BounceTrackingIssue" {
			b.problems = append(b.problems, fmt.Sprintf("%s: %s", e.Issue.Code, details))
		}
	case *network.EventRequestWillBeSent:
		b.asked = append(b.asked, e.Request.URL)
	}
}

// forgive removes the browser's complaints so far.
func (b *tab) forgive() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	taken := b.problems
	b.problems = nil
	return taken
}

// wentTo waits until the tab goes to an address of that beginning.
func (b *tab) wentTo(beginning string) {
	b.t.Helper()
	for end := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		b.mu.Lock()
		asked := slices.Clone(b.asked)
		b.mu.Unlock()
		if slices.ContainsFunc(asked, func(address string) bool { return strings.HasPrefix(address, beginning) }) {
			return
		}
		if time.Now().After(end) {
			b.t.Fatalf("not in %v: %s; the tab went to %q", patience, beginning, asked)
		}
	}
}

// do takes steps on the tab.
func (b *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	get(b, chromedp.Steps(steps...))
}

// get returns what an action returns.
func get[T any](b *tab, action chromedp.Action[T]) T {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	value, err := chromedp.Run(ctx, action)
	if err != nil {
		b.t.Fatalf("%v, at\n%s", err, b.text())
	}
	return value
}

// call sends the browser a command.
func call[P, R any](b *tab, command cdp.Command[P, R], parameters P) R {
	b.t.Helper()
	return get(b, func(ctx context.Context, t *chromedp.Target) (R, error) { return cdp.Call(ctx, t, command, parameters) })
}

// eval returns what a script makes of the page.
func eval[T any](b *tab, script string) T {
	b.t.Helper()
	return get(b, chromedp.Evaluate[T](script, chromedp.EvalAwaitPromise))
}

// text is what the page says, for messages of tests.
func (b *tab) text() string {
	ctx, cancel := context.WithTimeout(b.ctx, 5*time.Second)
	defer cancel()
	text, err := chromedp.Run(ctx, chromedp.Evaluate[string](`location.href + "\n" + document.title + "\n" + document.body.innerText`))
	if err != nil {
		return err.Error()
	}
	return text
}

// until waits until a script finds true.
func (b *tab) until(script string) {
	b.t.Helper()
	for end, pause := time.Now().Add(patience), 5*time.Millisecond; ; pause = min(2*pause, 100*time.Millisecond) {
		ctx, cancel := context.WithTimeout(b.ctx, patience)
		ok, err := chromedp.Run(ctx, chromedp.Evaluate[bool](script))
		cancel()
		// A page that disappears in the meantime is an error, too, but not the test's.
		if err == nil && ok {
			return
		}
		if time.Now().After(end) {
			b.t.Fatalf("not in %v: %s (%v), at\n%s", patience, script, err, b.text())
		}
		time.Sleep(pause)
	}
}

// arrived is true once the page is loaded, with the focus where it belongs.
const arrived = `document.readyState == "complete" && (!document.querySelector("[autofocus]") || document.activeElement != document.body)`

// see waits for the page with a heading.
func (b *tab) see(heading string) {
	b.t.Helper()
	b.until(fmt.Sprintf(`%s && document.querySelector("h1")?.textContent == %q`, arrived, heading))
}

// seeProblem waits until the page shows a mistake.
func (b *tab) seeProblem(part string) {
	b.t.Helper()
	b.until(fmt.Sprintf(`%s && document.querySelector("[role=alert]")?.textContent.includes(%q)`, arrived, part))
}

// shows reports whether the page has a text.
func (b *tab) shows(part string) bool {
	b.t.Helper()
	return strings.Contains(eval[string](b, `document.body.innerText`), part)
}

func (b *tab) open(address string) {
	b.t.Helper()
	b.do(chromedp.Navigate(address))
}

// press clicks the button or label of that name.
func (b *tab) press(name string) {
	b.t.Helper()
	at := b.center(name)
	b.do(chromedp.MouseClickXY(at[0], at[1]))
}

// center is where the button or label of that name is in the window.
func (b *tab) center(name string) [2]float64 {
	b.t.Helper()
	return eval[[2]float64](b, fmt.Sprintf(`(() => {
		const e = [...document.querySelectorAll("button, label")].find(e => e.textContent == %q);
		e.scrollIntoView();
		const r = e.getBoundingClientRect();
		return [r.x + r.width / 2, r.y + r.height / 2];
	})()`, name))
}

// enter puts text into the field of that id, in place of what is there.
func (b *tab) enter(id, text string) {
	b.t.Helper()
	eval[any](b, fmt.Sprintf(`document.getElementById(%q).select()`, id))
	call(b, input.InsertText, input.InsertTextParams{Text: text})
}

// keys presses keys, one after the other, wherever the focus is.
func (b *tab) keys(keys ...string) {
	b.t.Helper()
	for _, key := range keys {
		b.do(chromedp.KeyEvent(key))
	}
}

// focus is what has the focus: a field's id, or a button's name.
func (b *tab) focus() string {
	b.t.Helper()
	return eval[string](b, `(e => e.id || (e.tagName == "BUTTON" ? e.textContent : e.tagName))(document.activeElement)`)
}

// signIn fills in the first page.
func (b *tab) signIn(name, password string) {
	b.t.Helper()
	b.see("Sign in")
	b.enter("username", name)
	b.enter("password", password)
	b.press("Sign in")
}

// back goes back as the browser's button does, and waits until it has.
func (b *tab) back() {
	b.t.Helper()
	history := get(b, chromedp.NavigationEntries())
	to := history.CurrentIndex - 1
	if to < 0 {
		b.t.Fatal("there is no page to go back to")
	}
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	// While the browser exchanges one page for another that it has kept, it
	// answers with errors.
	_, _ = chromedp.Call(ctx, page.NavigateToHistoryEntry, page.NavigateToHistoryEntryParams{EntryID: history.Entries[to].ID})
	for {
		now, err := chromedp.Run(ctx, chromedp.NavigationEntries())
		if err == nil && now.CurrentIndex == to {
			break
		}
		if ctx.Err() != nil {
			b.t.Fatalf("the browser does not go back: %v, at\n%s", err, b.text())
		}
		time.Sleep(10 * time.Millisecond)
	}
	b.until(arrived + ` && document.querySelector("h1") != null`)
}

// picture keeps what the tab shows, for people, in the folder that
// PARTNERCENTER_SCREENSHOTS names.
func (b *tab) picture(name string) {
	b.t.Helper()
	folder := os.Getenv("PARTNERCENTER_SCREENSHOTS")
	if folder == "" {
		return
	}
	if err := os.WriteFile(filepath.Join(folder, name+".png"), get(b, chromedp.CaptureScreenshot()), 0o600); err != nil {
		b.t.Fatal(err)
	}
}

// tabKey and the others are the keys that people use.
const (
	tabKey   = kb.Tab
	enterKey = kb.Enter
	spaceKey = " "
)
