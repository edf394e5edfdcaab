package terminal

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/text"
)

// progressBar shows the progress and the estimated end of a long command in the last line
// of stderr, which it draws again and takes back in the end.
type progressBar struct {
	out     io.Writer
	columns func() int // of the terminal, which may change; 0 if unknown
	done    chan struct{}

	title       string
	left        string // what is said of the time left
	step, total int
	started     time.Time
}

// estimate notes how long the rest takes at the pace so far, which includes waits. While
// the command waits, the pace says nothing.
func (b *progressBar) estimate(now, wait time.Time) {
	b.left = ""
	if wait.After(now) {
		b.left = "waiting"
	} else if left := (now.Sub(b.started) * time.Duration(b.total-b.step) / time.Duration(max(b.step, 1))).Round(time.Second); b.step > 0 && left > 0 {
		b.left = "ETA " + left.String()
	}
}

// barLength is the length of the bar itself, in characters.
const barLength = 25

// line returns what is drawn at the time, as much of it as fits: the count is what
// matters most, then the time left, the title and the bar.
func (b *progressBar) line(now time.Time) string {
	count := fmt.Sprintf("%d of %d", b.step, b.total)
	left := b.left
	if left != "" {
		left = ", " + left
	}
	full := barLength * b.step / max(b.total, 1)
	bar := "  " + strings.Repeat("█", full) + strings.Repeat("░", barLength-full)
	titled := b.title + ": " + count
	return fitting(b.columns(), titled+left+bar+"  "+now.Sub(b.started).Round(time.Second).String(), titled+left+bar, titled+left, count+left, count)
}

// fitting returns the first text that fits into the columns of a terminal, which are
// unlimited if they are 0, or else what fits of the last one. The last column stays free:
// terminals differ in where they go on after it.
func fitting(columns int, texts ...string) string {
	for _, t := range texts {
		if columns <= 0 || text.StringWidth(t) < columns {
			return t
		}
	}
	return text.Snip(texts[len(texts)-1], max(columns-1, 1), "…")
}

const eraseLine = "\r\x1b[K"

func (b *progressBar) draw(now time.Time) { fmt.Fprint(b.out, eraseLine+b.line(now)) }

func (b *progressBar) log(now time.Time, line string) {
	fmt.Fprint(b.out, eraseLine+line+"\n"+b.line(now))
}

// stderrColumns returns the width of the terminal on stderr, 0 if it is unknown.
func (t *Terminal) stderrColumns() int {
	if !t.StderrTTY || t.StderrWidth == nil {
		return 0
	}
	return t.StderrWidth()
}

// StartBar shows a bar until StopBar. Lines for stderr appear above it. A terminal that
// cannot take back a line gets none.
func (t *Terminal) StartBar(title string, total int) {
	if t.dumb() {
		return
	}
	bar := &progressBar{
		out: t.Stderr, columns: t.stderrColumns, done: make(chan struct{}),
		title: title, total: total, started: t.Now(),
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.bar = bar
	bar.draw(bar.started)
	go func() { // time passes between steps, too
		ticks := time.NewTicker(time.Second / 2)
		defer ticks.Stop()
		for {
			select {
			case <-bar.done:
				return
			case <-ticks.C:
				t.mu.Lock()
				if t.bar == bar { // not stopped meanwhile
					t.drawBar()
				}
				t.mu.Unlock()
			}
		}
	}()
}

// dumb reports whether the terminal knows no escape sequences.
func (t *Terminal) dumb() bool { return t.Getenv("TERM") == "dumb" }

// drawBar draws the bar. The lock is held.
func (t *Terminal) drawBar() {
	now := t.Now()
	t.bar.estimate(now, t.wait)
	t.bar.draw(now)
}

// AdvanceBar advances the bar by one, if there is one.
func (t *Terminal) AdvanceBar() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.bar != nil {
		t.bar.step++
		t.drawBar()
	}
}

// SetBar sets what the bar says, if there is one.
func (t *Terminal) SetBar(title string, step int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.bar != nil {
		t.bar.title, t.bar.step = title, step
		t.drawBar()
	}
}

// StopBar removes the bar, if there is one, with whatever was typed after it.
func (t *Terminal) StopBar() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.bar == nil {
		return
	}
	close(t.bar.done)
	t.bar = nil
	fmt.Fprint(t.Stderr, eraseLine)
}
