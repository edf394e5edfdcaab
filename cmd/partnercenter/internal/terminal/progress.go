package terminal

import (
	"fmt"
	"time"

	"github.com/jedib0t/go-pretty/v6/progress"
	"github.com/jedib0t/go-pretty/v6/text"
)

// progressBar shows on a terminal's stderr how far a long command is and when
// it will be done.
type progressBar struct {
	writer  progress.Writer
	tracker *progress.Tracker
	done    chan struct{} // closed when nothing more is drawn
}

func (b *progressBar) log(line string) { b.writer.Log("%s", line) }

// StartBar shows a bar until stopBar. Lines for stderr appear above it.
func (t *Terminal) StartBar(title string, total int) {
	w := progress.NewWriter()
	w.SetOutputWriter(t.Stderr)
	w.SetStyle(progress.StyleBlocks)
	w.SetAutoStop(true) // Stop has no effect on a bar that was never drawn
	w.SetUpdateFrequency(100 * time.Millisecond)
	w.SetTrackerLength(25)
	w.SetTrackerPosition(progress.PositionRight)
	w.Style().Visibility.ETA = true
	w.Style().Visibility.Speed = false
	w.Style().Options.ETAPrecision = time.Second
	w.Style().Options.TimeInProgressPrecision = time.Second
	bar := &progressBar{
		writer:  w,
		tracker: &progress.Tracker{Message: title, Total: int64(total), AutoStopDisabled: true},
		done:    make(chan struct{}),
	}
	w.AppendTracker(bar.tracker)
	go func() {
		defer close(bar.done)
		w.Render()
	}()
	t.mu.Lock()
	defer t.mu.Unlock()
	t.bar = bar
}

// AdvanceBar counts one more as done.
func (t *Terminal) AdvanceBar() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.bar != nil {
		t.bar.tracker.Increment(1)
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
	// The last line of a finished bar stays; the answer says more than that.
	fmt.Fprint(t.Stderr, text.CursorUp.Sprint(), text.EraseLine.Sprint())
}
