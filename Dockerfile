# The server, in an image with one static program. docs/deploy.md says how to use it.
FROM golang:1.26-bookworm AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN CGO_ENABLED=0 go build -trimpath -ldflags="-s -w" -o /out/partnercenter ./cmd/partnercenter \
    && mkdir -p /out/data /out/tmp

FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /out/partnercenter /usr/bin/partnercenter
COPY --from=build --chown=65532:65532 /out/data /data
COPY --from=build --chown=65532:65532 /out/tmp /tmp
USER 65532:65532
WORKDIR /data
VOLUME ["/data"]
EXPOSE 8080 8083
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
    CMD ["/usr/bin/partnercenter", "readyz", "--url", "http://127.0.0.1:8083"]
ENTRYPOINT ["/usr/bin/partnercenter"]
CMD ["serve", "--quiet", "--listen", "0.0.0.0:8080", "--listen-tls", "", "--control", "", "--ops", "0.0.0.0:8083", "--db", "/data/partnercenter.db"]
