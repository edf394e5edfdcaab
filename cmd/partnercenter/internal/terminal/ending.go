package terminal

import (
	"sync"
	"time"
)

// AtOnce has do called if the process ends at once, at a second signal, until forget is
// called. It should not wait for anything.
func (t *Terminal) AtOnce(do func()) (forget func()) {
	t.ends.Store(&do, nil)
	return func() { t.ends.Delete(&do) }
}

// endingTime bounds how long an end at once may take, on a disk that does not answer.
const endingTime = 100 * time.Millisecond

// EndAtOnce does what [Terminal.AtOnce] was told, as far as that takes no waiting.
func (t *Terminal) EndAtOnce() {
	var group sync.WaitGroup
	t.ends.Range(func(do, _ any) bool {
		group.Go(*do.(*func()))
		return true
	})
	done := make(chan struct{})
	go func() {
		group.Wait()
		close(done)
	}()
	select {
	case <-done:
	case <-time.After(endingTime):
	}
}
