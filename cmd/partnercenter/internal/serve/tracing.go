package serve

import (
	"cmp"
	"context"
	"log/slog"
	"net/http"
	"os"
	"time"

	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/internal/ascii"
	"github.com/partnercenter-go/partnercenter/internal/server"
)

// tracing sends traces of requests to where OpenTelemetry's variables say.
type tracing struct{ provider *sdktrace.TracerProvider }

// startTracing returns nil if no variable asks for traces: no program that is used in
// tests should send something out unasked.
//
// https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/
func startTracing(ctx context.Context, logger *slog.Logger) (*tracing, error) {
	if ascii.EqualFold(os.Getenv("OTEL_SDK_DISABLED"), "true") {
		return nil, nil
	}
	endpoint := cmp.Or(os.Getenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"), os.Getenv("OTEL_EXPORTER_OTLP_ENDPOINT"))
	switch exporter := os.Getenv("OTEL_TRACES_EXPORTER"); {
	case exporter == "none", exporter == "" && endpoint == "":
		return nil, nil
	case exporter != "" && exporter != "otlp":
		logger.Warn("no traces are sent: OTEL_TRACES_EXPORTER has an exporter that is not supported; use otlp or none", "exporter", exporter)
		return nil, nil
	}
	if protocol := cmp.Or(os.Getenv("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL"), os.Getenv("OTEL_EXPORTER_OTLP_PROTOCOL"), otlpProtocol); protocol != otlpProtocol {
		logger.Warn("no traces are sent: OTEL_EXPORTER_OTLP_PROTOCOL has a protocol that is not supported; use "+otlpProtocol+", and the collector's port for it, usually 4318", "protocol", protocol)
		return nil, nil
	}
	exporter, err := otlptracehttp.New(ctx)
	if err != nil {
		return nil, err
	}
	about, err := resource.New(ctx, resource.WithTelemetrySDK(), resource.WithAttributes(
		attribute.String("service.name", "partnercenter"), attribute.String("service.version", partnercenter.Version)), resource.WithFromEnv())
	if err != nil {
		logger.Warn("OTEL_RESOURCE_ATTRIBUTES is not a list of name=value and is ignored in part", "error", err)
	}
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) { logger.Warn("traces were not sent", "error", err) }))
	return &tracing{sdktrace.NewTracerProvider(sdktrace.WithBatcher(exporter), sdktrace.WithResource(about))}, nil
}

// otlpProtocol is the protocol of traces, which is also the default.
const otlpProtocol = "http/protobuf"

// wrap returns a handler whose calls are traced. For [server.Config].
func (t *tracing) wrap(h http.Handler) http.Handler {
	traced := otelhttp.NewHandler(h, "", otelhttp.WithTracerProvider(t.provider),
		otelhttp.WithPropagators(propagation.TraceContext{}),
		otelhttp.WithFilter(func(r *http.Request) bool { return r.URL.Path != "/livez" && r.URL.Path != "/readyz" }),
		// In place of what the client sent: paths have ids of customers, and headers may
		// be anyone's. What can be said is set by observe.
		otelhttp.WithSpanOptions(trace.WithAttributes(attribute.String("url.path", ""), attribute.String("client.address", ""))))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// It replaces the body, by which net/http knows that the client waits to send one.
		own := *r
		traced.ServeHTTP(w, &own)
	})
}

// observe names the span of a request.
func (t *tracing) observe(ctx context.Context, o server.Observed) {
	span := trace.SpanFromContext(ctx)
	span.SetName(o.Method + " " + o.Route)
	span.SetAttributes(attribute.String("http.route", o.Route))
}

// close sends what waits, as far as the collector takes it in little time.
func (t *tracing) close() {
	if t == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), tracingClosingTime)
	defer cancel()
	_ = t.provider.Shutdown(ctx) // it was logged
}

const tracingClosingTime = 2 * time.Second
