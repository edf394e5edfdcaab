package ops

import (
	"maps"
	"strconv"
	"sync"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/partnercenter-go/partnercenter/internal/server"
)

// requests counts requests by method and route: raw paths have ids, and there is no end of
// them.
type requests struct {
	durations *prometheus.HistogramVec
	answers   *prometheus.CounterVec

	// known has what was counted before. It is copied when something is added, which is
	// seldom: finding the same in the vectors takes several times as long.
	known atomic.Pointer[map[requestKey]counted]
	mu    sync.Mutex // held while something is added
}

type requestKey struct {
	method, route string
	status        int
}

// counted is where requests of a key are counted.
type counted struct {
	duration prometheus.Observer
	answers  prometheus.Counter
}

// durationBuckets are bounds in seconds. A kept list takes some 20 µs, and nothing is to
// take longer than the server waits for a client to read.
var durationBuckets = []float64{.000025, .0001, .00025, .001, .0025, .01, .025, .1, .25, 1, 2.5, 10, 60}

func newRequests() *requests {
	r := &requests{
		durations: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "partnercenter_http_request_duration_seconds", Buckets: durationBuckets,
			Help: "How long requests took, from their header to the end of the answer, by the route that the log names.",
		}, []string{"method", "route"}),
		answers: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "partnercenter_http_requests_total",
			Help: "Requests that were answered, by the route that the log names and the answer's status.",
		}, []string{"method", "route", "code"}),
	}
	r.known.Store(&map[requestKey]counted{})
	return r
}

func (r *requests) observe(o server.Observed) {
	key := requestKey{o.Method, o.Route, o.Status}
	c, ok := (*r.known.Load())[key]
	if !ok {
		c = r.add(key)
	}
	c.answers.Inc()
	c.duration.Observe(o.Duration.Seconds())
}

func (r *requests) add(key requestKey) counted {
	c := counted{r.durations.WithLabelValues(key.method, key.route), r.answers.WithLabelValues(key.method, key.route, strconv.Itoa(key.status))}
	r.mu.Lock()
	defer r.mu.Unlock()
	more := maps.Clone(*r.known.Load())
	more[key] = c
	r.known.Store(&more)
	return c
}
