package terminal

import (
	"sync"
	"time"
)

// endings are what is left to do when the process ends without waiting for anything.
type endings struct {
	mu sync.Mutex // guards the list
	do []*func()
}

// AtOnce has do called if the process ends at once, at a second signal, until forget is
// called. It should not wait for anything.
func (t *Terminal) AtOnce(do func()) (forget func()) {
	t.ends.mu.Lock()
	defer t.ends.mu.Unlock()
	added := &do
	t.ends.do = append(t.ends.do, added)
	return func() {
		t.ends.mu.Lock()
		defer t.ends.mu.Unlock()
		for i, do := range t.ends.do {
			if do == added {
				t.ends.do = append(t.ends.do[:i:i], t.ends.do[i+1:]...)
				return
			}
		}
	}
}

// endingTime bounds how long an end at once may take, on a disk that does not answer.
const endingTime = 100 * time.Millisecond

// EndAtOnce does what [Terminal.AtOnce] was told, as far as that takes no waiting.
func (t *Terminal) EndAtOnce() {
	t.ends.mu.Lock()
	list := t.ends.do
	t.ends.mu.Unlock()
	var group sync.WaitGroup
	for _, do := range list {
		group.Go(*do)
	}
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
