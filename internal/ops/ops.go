// Package ops is what those who run a server look at: whether it is live and ready, and
// its figures for Prometheus. It shows no data and changes nothing, and has a listener of
// its own, which monitoring can reach where nothing else should.
package ops

import (
	"context"
	"net/http"
	"runtime"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/partnercenter-go/partnercenter/internal/server"
)

// Build says what program it is.
type Build struct{ Version, Revision string }

// Monitor collects the figures of a server.
type Monitor struct {
	registry *prometheus.Registry
	requests *requests
}

// New returns a Monitor.
func New(b Build) *Monitor {
	m := &Monitor{registry: prometheus.NewRegistry(), requests: newRequests()}
	m.registry.MustRegister(m.requests.durations, m.requests.answers,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	build := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "partnercenter_build_info", Help: "What program this is; always 1.",
		ConstLabels: prometheus.Labels{"version": b.Version, "revision": b.Revision, "goversion": runtime.Version()},
	})
	build.Set(1)
	m.registry.MustRegister(build)
	return m
}

// Observe counts a request. It is for [server.Config].
func (m *Monitor) Observe(_ context.Context, o server.Observed) { m.requests.observe(o) }

// Watch adds the figures that the parts of a server have.
func (m *Monitor) Watch(s Sources) { m.registry.MustRegister(collector{s}) }

// maxScrapes bounds how many answers are made at the same time.
const maxScrapes = 4

// Handler answers GET and HEAD of /livez and /readyz, with health, and of /metrics. It
// answers under any host name: probes have only the address.
func (m *Monitor) Handler(health http.Handler) http.Handler {
	figures := promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{MaxRequestsInFlight: maxScrapes})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var answer http.Handler
		switch r.URL.Path {
		case "/livez", "/readyz":
			answer = health
		case "/metrics":
			answer = figures
		default:
			http.NotFound(w, r)
			return
		}
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, "use GET", http.StatusMethodNotAllowed)
			return
		}
		w.Header().Set("Cache-Control", "no-store")
		answer.ServeHTTP(w, r)
	})
}
