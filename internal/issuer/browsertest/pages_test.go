package browsertest

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/google/go-cmp/cmp"

	"github.com/partnercenter-go/partnercenter/internal/installed"
)

// pages are all pages for people, each with the way to it and with what the browser
// exposes to assistive technology: the controls in tab order, and the one with the
// initial focus.
var pages = []struct {
	name  string
	open  func(*world, *tab)
	title string
	focus string
	tree  []string
	order []string

	scriptless bool // so axe does not run
}{
	{
		name:  "password",
		open:  func(w *world, b *tab) { b.open(w.authorize()) },
		title: "Sign in - local Partner Center",
		focus: "username",
		tree:  []string{"heading Sign in", "combobox User name, required", "textbox Password, required", "button Sign in", "button Cancel"},
		order: []string{"username", "password", "Sign in", "Cancel"},
	},
	{
		name: "wrong password",
		open: func(w *world, b *tab) {
			b.open(w.authorize())
			b.signIn(bob, "wrong")
			b.seeProblem("wrong")
			b.forgiveStatus(400)
		},
		title: "Problem: Sign in - local Partner Center",
		focus: "password",
		tree: []string{
			"heading Sign in", "alert", "combobox User name, required, invalid: The user name or the password is wrong", "textbox Password, required, invalid: The user name or the password is wrong",
			"button Sign in", "button Cancel",
		},
		order: []string{"password", "Sign in", "Cancel"},
	},
	{
		name:  "expected user",
		open:  func(w *world, b *tab) { b.open(w.authorize("login_hint", bob)) },
		title: "Sign in - local Partner Center",
		focus: "password",
		tree:  []string{"heading Sign in", "combobox User name, required", "textbox Password, required", "button Sign in", "button Cancel"},
		order: []string{"password", "Sign in", "Cancel"},
	},
	{
		name: "second factor",
		open: func(w *world, b *tab) {
			b.open(w.authorize())
			b.signIn(ada, password)
			b.see("Approve the sign-in")
		},
		title: "Approve the sign-in - local Partner Center",
		focus: "BODY",
		tree:  []string{"heading Approve the sign-in", "button Approve", "button Deny", "button Use another account"},
		order: []string{"Approve", "Deny", "Use another account"},
	},
	{
		name: "consent",
		open: func(w *world, b *tab) {
			b.open(w.authorize())
			b.signIn(bob, password)
			b.see("Allow access?")
		},
		title: "Allow access? - local Partner Center",
		focus: "BODY",
		tree:  []string{"heading Allow access?", "button Accept", "button Decline", "button Use another account"},
		order: []string{"Accept", "Decline", "Use another account"},
	},
	{
		name: "consent of an administrator",
		open: func(w *world, b *tab) {
			b.open(w.authorize())
			b.signIn(ada, password)
			b.see("Approve the sign-in")
			b.press("Approve")
			b.see("Allow access?")
		},
		title: "Allow access? - local Partner Center",
		focus: "BODY",
		tree:  []string{"heading Allow access?", "checkbox Accept for everybody of contoso.example", "button Accept", "button Decline", "button Use another account"},
		order: []string{"everybody", "Accept", "Decline", "Use another account"},
	},
	{
		name:  "device code",
		open:  func(w *world, b *tab) { b.open(w.url + "/common/oauth2/deviceauth") },
		title: "Enter the code - local Partner Center",
		focus: "user_code",
		tree:  []string{"heading Enter the code", "textbox Code, required", "button Next"},
		order: []string{"user_code", "Next"},
	},
	{
		name: "wrong device code",
		open: func(w *world, b *tab) {
			b.open(w.url + "/common/oauth2/deviceauth")
			b.see("Enter the code")
			b.enter("user_code", "BBBB BBBBB")
			b.press("Next")
			b.seeProblem("No device waits with this code")
			b.forgiveStatus(400)
		},
		title: "Problem: Enter the code - local Partner Center",
		focus: "user_code",
		tree:  []string{"heading Enter the code", "alert", "textbox Code, required, invalid: No device waits with this code", "button Next"},
		order: []string{"user_code", "Next"},
	},
	{
		name:  "password for a device",
		open:  func(w *world, b *tab) { b.openDevice(w) },
		title: "Sign in - local Partner Center",
		focus: "username",
		tree:  []string{"heading Sign in", "combobox User name, required", "textbox Password, required", "button Sign in", "button Cancel"},
		order: []string{"username", "password", "Sign in", "Cancel"},
	},
	{
		name: "consent for a device",
		open: func(w *world, b *tab) {
			b.openDevice(w)
			b.signIn(bob, password)
			b.see("Allow access?")
		},
		title: "Allow access? - local Partner Center",
		focus: "BODY",
		tree:  []string{"heading Allow access?", "button Accept", "button Decline", "button Use another account"},
		order: []string{"Accept", "Decline", "Use another account"},
	},
	{
		name: "device signed in",
		open: func(w *world, b *tab) {
			b.openDevice(w)
			b.signIn(bob, password)
			b.see("Allow access?")
			b.press("Accept")
			b.see("You are signed in")
		},
		title: "You are signed in - local Partner Center",
		focus: "BODY",
		tree:  []string{"heading You are signed in"},
	},
	{
		name: "device known already",
		open: func(w *world, b *tab) {
			b.openDevice(w)
			b.signIn(bob, password)
			b.see("Allow access?")
			b.press("Accept")
			b.see("You are signed in")
			b.openDevice(w)
			b.signIn(bob, password)
			b.see("Is it you who signs in?")
		},
		title: "Is it you who signs in? - local Partner Center",
		focus: "BODY",
		tree:  []string{"heading Is it you who signs in?", "button Continue", "button Cancel", "button Use another account"},
		order: []string{"Continue", "Cancel", "Use another account"},
	},
	{
		name: "device declined",
		open: func(w *world, b *tab) {
			b.openDevice(w)
			b.see("Sign in")
			b.press("Cancel")
			b.see("You are not signed in")
		},
		title: "You are not signed in - local Partner Center",
		focus: "BODY",
		tree:  []string{"heading You are not signed in"},
	},
	{
		name: "over",
		open: func(w *world, b *tab) {
			b.open(w.authorize())
			b.signIn(bob, password)
			b.see("Allow access?")
			b.press("Decline")
			b.see("The app")
			b.back()
			// The page as it was, from the browser's memory.
			b.see("Allow access?")
			b.press("Accept")
			b.seeProblem("This sign-in is over")
			b.forgiveStatus(400)
			b.back()
			b.do(chromedp.Reload())
			b.see("This sign-in is over")
		},
		title: "This sign-in is over - local Partner Center",
		focus: "BODY",
		tree:  []string{"heading This sign-in is over"},
	},
	{
		name:  "signed out",
		open:  func(w *world, b *tab) { b.open(w.url + "/common/oauth2/logout") },
		title: "You are signed out - local Partner Center",
		focus: "BODY",
		tree:  []string{"heading You are signed out"},
	},
	{
		name: "error",
		open: func(w *world, b *tab) {
			b.open(w.authorize("client_id", "c0ffee00-0000-4000-8000-00000000dead"))
			b.seeProblem("c0ffee00-0000-4000-8000-00000000dead")
			b.forgiveStatus(400)
		},
		title: "Problem: Signing in did not work - local Partner Center",
		focus: "BODY",
		tree:  []string{"heading Signing in did not work", "alert"},
	},
	{
		name: "sent back without scripts",
		open: func(w *world, b *tab) {
			call(b, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
			b.open(w.authorize("response_mode", "form_post"))
			b.signIn(bob, password)
			b.see("Allow access?")
			b.press("Accept")
			b.see("Back to the application")
		},
		title: "Back to the application - local Partner Center",
		focus: "BODY",
		tree:  []string{"heading Back to the application", "button Continue"},
		order: []string{"Continue"},

		scriptless: true,
	},
}

// openDevice begins a sign-in on a device and enters its code.
func (b *tab) openDevice(w *world) (deviceCode string) {
	b.t.Helper()
	answer := post[map[string]any](w, "/common/oauth2/v2.0/devicecode", url.Values{"client_id": {clientID}, "scope": {api + "/.default openid offline_access"}})
	b.open(answer["verification_uri"].(string))
	b.see("Enter the code")
	b.enter("user_code", strings.ToLower(answer["user_code"].(string)))
	b.press("Next")
	b.see("Sign in")
	return answer["device_code"].(string)
}

// TestPages checks every page for different people.
func TestPages(t *testing.T) {
	axe, err := os.ReadFile(filepath.Join(installed.Packages(t, "testdata"), "axe-core", "axe.min.js"))
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range pages {
		t.Run(test.name, func(t *testing.T) {
			w, b := newWorld(t), openTab(t)
			b.resize(1280, 800, 1)
			test.open(w, b)
			b.until(arrived)
			if title := get(b, chromedp.Title()); title != test.title {
				t.Errorf("title %q, want %q", title, test.title)
			}
			if focus := b.focus(); focus != test.focus {
				t.Errorf("the focus is on %s, want %s", focus, test.focus)
			}
			if diff := cmp.Diff(test.tree, b.tree()); diff != "" {
				t.Errorf("accessibility tree (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(test.order, b.tabOrder()); diff != "" {
				t.Errorf("order of the tab key (-want +got):\n%s", diff)
			}
			if !test.scriptless {
				eval[any](b, string(axe)+"; null")
			}
			for _, scheme := range []string{"light", "dark"} {
				call(b, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
					Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
				})
				if !test.scriptless {
					for _, found := range eval[[]string](b, axeRun) {
						t.Errorf("%s: axe: %s", scheme, found)
					}
				}
				for _, found := range eval[[]string](b, lowContrast) {
					t.Errorf("%s: contrast: %s", scheme, found)
				}
				b.picture(test.name + " " + scheme)
			}
			for _, found := range eval[[]string](b, smallTargets) {
				t.Errorf("too small to hit: %s", found)
			}
			// A small phone; a screen enlarged to twice the size; letters twice as
			// large as the page has them.
			for _, size := range []struct {
				width, scale int64
				letters      string
			}{{320, 2, ""}, {640, 2, ""}, {640, 1, "200%"}} {
				b.resize(size.width, 800, float64(size.scale))
				eval[any](b, fmt.Sprintf(`document.documentElement.style.fontSize = %q; null`, size.letters))
				if width := eval[int64](b, `document.documentElement.scrollWidth`); width > size.width {
					t.Errorf("a window of %d pixels must be scrolled sideways to %d", size.width, width)
				}
				if size.width == 320 {
					b.picture(test.name + " small")
				}
			}
		})
	}
}

func (b *tab) resize(width, height int64, scale float64) {
	b.t.Helper()
	call(b, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: width, Height: height, DeviceScaleFactor: scale})
}

// tree is what assistive technology gets: headings, alerts and controls with
// their names and states.
func (b *tab) tree() []string {
	b.t.Helper()
	var lines []string
	landmarks := map[string]int{}
	for _, node := range call(b, accessibility.GetFullAXTree, accessibility.GetFullAXTreeParams{}).Nodes {
		if node.Ignored || node.Role == nil {
			continue
		}
		role := text(node.Role)
		switch role {
		case "banner", "main", "contentinfo":
			landmarks[role]++
			continue
		case "heading", "alert", "button", "checkbox", "combobox", "textbox", "link":
		default:
			continue
		}
		line, states := strings.TrimSpace(role+" "+text(node.Name)), map[string]bool{}
		for _, property := range node.Properties {
			states[string(property.Name)] = text(property.Value) == "true"
		}
		if states["required"] {
			line += ", required"
		}
		if states["invalid"] {
			description, _, _ := strings.Cut(text(node.Description), ".")
			line += ", invalid: " + description
		}
		lines = append(lines, line)
	}
	if diff := cmp.Diff(map[string]int{"banner": 1, "main": 1, "contentinfo": 1}, landmarks); diff != "" {
		b.t.Errorf("landmarks (-want +got):\n%s", diff)
	}
	return lines
}

// tabOrder presses the tab key until the focus leaves the page, and returns the
// controls on the way. The focus must always be visible.
func (b *tab) tabOrder() []string {
	b.t.Helper()
	var order []string
	for at := b.focus(); len(order) < 20; at = b.focus() {
		if at != "BODY" {
			order = append(order, at)
			if outline := eval[string](b, `(s => s.outlineStyle + " " + s.outlineWidth)(getComputedStyle(document.activeElement))`); outline != "solid 3px" {
				b.t.Errorf("the focus on %s has the outline %s", at, outline)
			}
		}
		b.keys(tabKey)
		if b.focus() == "BODY" {
			break
		}
	}
	return order
}

func text(v *accessibility.Value) string {
	if v == nil {
		return ""
	}
	return strings.Trim(string(v.Value), `"`)
}

// forgiveStatus takes what the browser says of a page that is an error, and no
// more.
func (b *tab) forgiveStatus(status int) {
	b.t.Helper()
	problems := b.forgive()
	want := fmt.Sprintf("status of %d", status)
	if !slices.ContainsFunc(problems, func(p string) bool { return strings.Contains(p, want) }) {
		b.t.Errorf("the status is not %d: %v", status, problems)
	}
	for _, problem := range problems {
		if !strings.Contains(problem, want) {
			b.t.Errorf("the browser complains: %s", problem)
		}
	}
}

// axeRun lists what axe finds wrong.
const axeRun = `axe.run(document, {resultTypes: ["violations"]}).then(r =>
	r.violations.map(v => v.id + ": " + v.help + ": " + v.nodes.map(n => n.html).join(" ")))`

// lowContrast lists texts with a contrast of less than 4.5 to 1 to their background,
// and edges of controls and of the focus with less than 3 to 1.
const lowContrast = `(() => {
	const numbers = color => {
		const [r, g, b, a = 1] = color.match(/[\d.]+/g).map(Number);
		return {r, g, b, a};
	};
	const light = ({r, g, b}) => [r, g, b].map(v => v / 255)
		.map(v => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4)
		.reduce((sum, v, i) => sum + v * [.2126, .7152, .0722][i], 0);
	const behind = e => {
		for (; e; e = e.parentElement) {
			const color = numbers(getComputedStyle(e).backgroundColor);
			if (color.a == 1) return color;
		}
		return {r: 255, g: 0, b: 255};
	};
	const ratio = (a, b) => {
		const [x, y] = [light(a), light(b)].sort((p, q) => q - p);
		return (x + .05) / (y + .05);
	};
	const found = [];
	let seen = 0;
	const check = (what, color, ground, least) => {
		seen++;
		const got = ratio(numbers(color), ground);
		if (!(got >= least)) found.push(what + " has " + got.toFixed(2) + " of " + least);
	};
	for (const e of document.body.querySelectorAll("*")) {
		const style = getComputedStyle(e);
		if (!e.getClientRects().length) continue;
		if (e.tagName == "INPUT" || [...e.childNodes].some(n => n.nodeType == 3 && n.data.trim()))
			check(e.tagName + " " + e.textContent.slice(0, 30), style.color, behind(e), 4.5);
		if (e.matches("input, button")) {
			if (numbers(style.borderTopColor).a) check("edge of " + (e.id || e.textContent), style.borderTopColor, behind(e.parentElement), 3);
			check("focus of " + (e.id || e.textContent), getComputedStyle(document.documentElement).getPropertyValue("--accent").replace(/^#(..)(..)(..)$/, (_, r, g, b) => [r, g, b].map(v => parseInt(v, 16)).join(" ")), behind(e.parentElement), 3);
		}
	}
	return seen > 2 ? found : ["nothing was looked at"];
})()`

// smallTargets lists controls that are too small for a finger.
const smallTargets = `[...document.querySelectorAll("input:not([type=hidden]), button")]
	.map(e => [e, e.getBoundingClientRect()])
	.filter(([e, r]) => e.type == "checkbox" ? r.width < 24 || r.height < 24 : r.width < 44 || r.height < 44)
	.map(([e, r]) => (e.id || e.textContent) + " " + r.width + "x" + r.height)`
