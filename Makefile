# make help lists the targets.

GO ?= go
LINT = $(GO) tool -modfile=tools/lint/go.mod

# The race detector skips SQLite, which is translated C with its own memory. A package
# that instantiates generic code, such as that of package sync/atomic, must not be
# skipped: the linker may use its uninstrumented copy for all packages.
UNWATCHED = -gcflags=modernc.org/sqlite/lib=-race=false

# Under the race detector, garbage collection takes a third of the time, and there is
# enough memory.
GOGC ?= 400

# A program with the race detector sleeps for a second at its end by default, and the
# tests run some hundreds of them.
export GORACE ?= atexit_sleep_ms=20

# What is compiled for another system is checked and never run.
CHECKED = -gcflags='all=-N -l'

.DEFAULT_GOAL := help

.PHONY: help
help: ## List the targets.
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: setup
setup: ## Install what the tests need and the machine lacks.
	@GO="$(GO)" sh tools/setup.sh

.PHONY: test
test: setup ## Vet, also for Windows and macOS, and run all tests with the race detector; skip none.
	GOOS=windows $(GO) vet $(CHECKED) ./...
	GOOS=darwin $(GO) vet $(CHECKED) ./...
	GOGC=$(GOGC) PARTNERCENTER_TESTS=all $(GO) test -race $(UNWATCHED) -vet=all -timeout 60m ./...

.PHONY: build
build: ## Build the program into bin/.
	$(GO) build -o bin/partnercenter ./cmd/partnercenter

.PHONY: share
share: ## Write man pages and completions into bin/share, for packages.
	rm -rf bin/share
	mkdir -p bin/share
	$(GO) run ./cmd/partnercenter help --man bin/share/man/man1
	for shell in bash zsh fish; do $(GO) run ./cmd/partnercenter completion $$shell > bin/share/$$shell-completion || exit 1; done

.PHONY: generate
generate: ## Regenerate the generated files.
	$(GO) generate ./...

.PHONY: bench
bench: ## Measure speed and memory against their limits; takes some minutes.
	$(GO) run ./tools/bench
	$(GO) test -run '^$$' -bench DecodeList -count 5 .

.PHONY: bench-growth
bench-growth: ## Measure how rates change with data, connections and servers; writes docs/performance.md.
	$(GO) run ./tools/bench growth -docs docs

.PHONY: bench-peers
bench-peers: ## Measure what people use in place of the server beside it; writes docs/performance.md.
	@GO="$(GO)" sh tools/setup.sh peers
	$(GO) run ./tools/bench peers -docs docs

.PHONY: fuzz
fuzz: ## Fuzz every decoder for FUZZTIME each (default 1m).
	@sh tools/fuzz.sh

.PHONY: soak
soak: ## Run many random commands, kill servers and keep them at work, for an hour or two.
	@GO="$(GO)" sh tools/setup.sh pgbouncer
	$(GO) test -count 5 -timeout 1h ./internal/postgrestest -run 'TestNothingIsLeft|TestAbandoned|TestPgBouncer'
	$(GO) test -count 1 -timeout 3h ./internal/server -run TestLifecycle -rapid.checks 300
	$(GO) test -count 20 -timeout 1h ./internal/server -run TestExactlyOnce -purchases 1000
	$(GO) test -count 20 -timeout 1h ./internal/store -run TestKilledDuringLoad -load 200
	$(GO) test -count 1 -v -timeout 3h ./internal/store -run TestKilledDuringCopy -copy-orders 1000000 -copy-kills 10
	$(GO) test -count 1 -timeout 1h ./internal/server -run TestEveryLinkAnswers -every-way 1000000
	$(GO) test -count 5 -timeout 1h ./internal/server -run TestManyUploads -uploads 32
	$(GO) test -count 1 -timeout 1h ./internal/server -run 'TestResetFlood|TestSlowClients' -resets 50000 -slow-clients 4000
	$(GO) test -count 10 -race $(UNWATCHED) -timeout 1h ./internal/issuer -run 'TestFlood|TestGuesses|AtOnce'
	$(GO) test -count 10 -race $(UNWATCHED) -timeout 1h ./internal/store -run 'TestFileGone|TestReadersKeepToTheFile|TestDiskFull|TestLogDamaged|TestPingWrites'
	$(GO) test -count 10 -race $(UNWATCHED) -timeout 1h ./cmd/partnercenter -run 'TestServesWithoutReader|TestStopsWithoutReader|TestSecondSignal|TestStopsWithUpload'
	$(GO) test -count 1 -v -timeout 3h ./cmd/partnercenter -run TestSoak -soak 15m
	$(GO) test -count 1 -v -race $(UNWATCHED) -timeout 1h ./cmd/partnercenter -run TestSoak -soak 150s
	$(GO) test -count 1 -v -timeout 1h ./internal/server -run TestOverload -overload 1m
	$(GO) test -count 1 -v ./cmd/partnercenter -run TestSpreadsheetOpensCSV -spreadsheet
	$(GO) test -count 1 ./cmd/partnercenter -run TestPackages -packages

.PHONY: chaos
chaos: setup ## Break servers, databases, disks and connections, and check what clients were told; takes an hour.
	$(GO) test -count 1 -v -timeout 4h ./internal/chaos -long

.PHONY: ha
ha: ## Run deploy/ha on this machine and kill what can be killed; HAFLAGS='-rounds 5' for longer.
	@GO="$(GO)" sh tools/setup.sh ha
	$(GO) build -o bin/ha ./tools/ha
	GO="$(GO)" bin/ha $(HAFLAGS)

.PHONY: lint
lint: ## Check style.
	$(LINT) golangci-lint run ./...
	cd tools/plot && $(GO) vet .

.PHONY: lint-deploy
lint-deploy: ## Check what packages and deployments are made of, with tools from the network.
	@GO="$(GO)" sh tools/lint-deploy.sh

.PHONY: vuln
vuln: ## Check for known vulnerabilities, in Go's database.
	$(LINT) govulncheck ./...

.PHONY: clean
clean: ## Remove programs and measurements.
	rm -rf bin .bench
