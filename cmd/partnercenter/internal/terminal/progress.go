package terminal

import (
	"fmt"
	"time"

	"github.com/jedib0t/go-pretty/v6/progress"
	"github.com/jedib0t/go-pretty/v6/text"
)

// progressBar shows the progress and the estimated end of a long command on
// stderr.
type progressBar struct {
	writer  progress.Writer
	tracker *progress.Tracker
	done    chan struct{} // closed when drawing has ended

	title   string
	text    string // the title, and what is said of the time left
	total   int64
	started time.Time
}

// estimate shows how long the rest takes at the pace so far, which includes waits. While
// the command waits, the pace says nothing.
func (b *progressBar) estimate(now, wait time.Time) {
	b.text = b.title
	if done := b.tracker.Value(); wait.After(now) {
		b.text += ", waiting"
	} else if left := (now.Sub(b.started) * time.Duration(b.total-done) / time.Duration(max(done, 1))).Round(time.Second); done > 0 && left > 0 {
		b.text += ", ETA " + left.String()
	}
	b.tracker.UpdateMessage(b.text)
}

func (b *progressBar) log(line string) { b.writer.Log("%s", line) }

// StartBar shows a bar until StopBar. Lines for stderr appear above it.
func (t *Terminal) StartBar(title string, total int) {
	w := progress.NewWriter()
	w.SetOutputWriter(t.Stderr)
	w.SetStyle(progress.StyleBlocks)
	w.SetAutoStop(true) // Stop does not stop a bar that was never drawn
	w.SetUpdateFrequency(100 * time.Millisecond)
	w.SetTrackerLength(25)
	w.SetTrackerPosition(progress.PositionRight)
	w.Style().Visibility.ETA = false // it does not know of waits
	w.Style().Visibility.Speed = false
	w.Style().Options.TimeInProgressPrecision = time.Second
	bar := &progressBar{
		writer:  w,
		tracker: &progress.Tracker{Message: title, Total: int64(total), AutoStopDisabled: true},
		done:    make(chan struct{}),
		title:   title, text: title, total: int64(total), started: t.Now(),
	}
	w.AppendTracker(bar.tracker)
	go func() {
		defer close(bar.done)
		w.Render()
	}()
	go func() { // time passes between steps, too
		ticks := time.NewTicker(time.Second / 2)
		defer ticks.Stop()
		for {
			select {
			case <-bar.done:
				return
			case <-ticks.C:
				t.mu.Lock()
				bar.estimate(t.Now(), t.wait)
				t.mu.Unlock()
			}
		}
	}()
	t.mu.Lock()
	defer t.mu.Unlock()
	t.bar = bar
}

// AdvanceBar advances the bar by one.
func (t *Terminal) AdvanceBar() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.bar != nil {
		t.bar.tracker.Increment(1)
		t.bar.estimate(t.Now(), t.wait)
	}
}

// StopBar removes the bar, if there is one.
func (t *Terminal) StopBar() {
	t.mu.Lock()
	bar := t.bar
	t.bar = nil
	t.mu.Unlock()
	if bar == nil {
		return
	}
	bar.tracker.MarkAsDone()
	<-bar.done
	// Remove the last line of a finished bar, which has no further use.
	fmt.Fprint(t.Stderr, text.CursorUp.Sprint(), text.EraseLine.Sprint())
}
