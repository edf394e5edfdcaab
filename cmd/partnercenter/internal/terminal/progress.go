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

// AdvanceBar advances the bar by one.
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
	// Remove the last line of a finished bar, which has no further use.
	fmt.Fprint(t.Stderr, text.CursorUp.Sprint(), text.EraseLine.Sprint())
}
