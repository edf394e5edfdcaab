package serve

import (
	"context"
	"runtime/debug"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/internal/ops"
	"github.com/partnercenter-go/partnercenter/internal/server"
)

// monitor sets up who is told of requests. It returns nil if nobody asks for figures;
// without traces, too, requests cost nothing more.
func (l *local) monitor(config *server.Config) *ops.Monitor {
	if l.tracing != nil {
		config.Trace, config.Observe = l.tracing.wrap, l.tracing.observe
	}
	if l.listeners.Ops == nil {
		return nil
	}
	m := ops.New(ops.Build{Version: partnercenter.Version, Revision: revision()})
	config.Observe = m.Observe
	if l.tracing != nil {
		config.Observe = func(ctx context.Context, o server.Observed) {
			l.tracing.observe(ctx, o)
			m.Observe(ctx, o)
		}
	}
	return m
}

// revision returns the revision that the program was built from, if that is known.
func revision() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			return s.Value
		}
	}
	return ""
}
