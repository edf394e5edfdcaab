package ops

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/partnercenter-go/partnercenter/internal/server"
	"github.com/partnercenter-go/partnercenter/internal/store"
)

// Sources are the parts of a server that have figures.
type Sources struct {
	Server func() server.Figures
	Store  func() store.Figures
	// DroppedLogLines counts lines for which the log had no room.
	DroppedLogLines func() int64
}

// collector collects what the parts of a server count themselves.
type collector struct{ sources Sources }

func describe(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("partnercenter_"+name, help, labels, nil)
}

var (
	running     = describe("http_requests_in_flight", "Requests that are being answered.")
	refused     = describe("http_requests_over_limit_total", "Requests that were refused because of the request limit (429).")
	working     = describe("work_running", "Work that is being done, by kind.", "kind")
	waiting     = describe("work_waiting", "Work that waits for its turn, by kind.", "kind")
	overload    = describe("work_refused_total", "Work that was refused because too much waited, or it had waited for too long (503), by kind.", "kind")
	unsent      = describe("unsent_bytes", "Bytes of large answers that wait for their readers.")
	unread      = describe("unsent_refused_total", "Large answers that there was no room for (503).")
	clients     = describe("http_connections", "Connections to the API's listeners.")
	clientLimit = describe("http_connections_limit", "Most connections to the API's listeners (--max-connections); 0 for no limit.")
	clientIdle  = describe("http_connections_closed_idle_total", "Idle connections that had to make room for others.")
	clientAway  = describe("http_connections_turned_away_total", "Connections that there was no room for (503).")
	lists       = describe("kept_lists", "Answers of lists that are kept in memory.")
	listBytes   = describe("kept_lists_bytes", "Memory of the kept lists.")
	listLimit   = describe("kept_lists_limit_bytes", "Most memory that kept lists may take (--cache-size).")
	listHits    = describe("kept_lists_hits_total", "Lists that were answered from memory.")
	listMisses  = describe("kept_lists_misses_total", "Lists that had to be read from the database.")
	connections = describe("database_connections", "Connections to the database, by pool and state.", "pool", "state")
	maximum     = describe("database_connections_limit", "Most connections that a pool may have.", "pool")
	waits       = describe("database_connection_waits_total", "Times that somebody waited for a connection.", "pool")
	waited      = describe("database_connection_wait_seconds_total", "Time that was waited for connections.", "pool")
	writeQueue  = describe("write_queue_length", "Changes that wait to be written.")
	batches     = describe("write_batch_changes", "How many changes a commit had.")
	fileBytes   = describe("sqlite_file_bytes", "Size of the SQLite database's file.")
	logBytes    = describe("sqlite_wal_bytes", "Size of the SQLite database's write-ahead log.")
	droppedLog  = describe("log_lines_dropped_total", "Lines of the log that were dropped because nobody took them.")
)

// Describe describes nothing: which figures there are depends on the database.
func (collector) Describe(chan<- *prometheus.Desc) {}

// Collect sends the figures of now.
func (c collector) Collect(to chan<- prometheus.Metric) {
	send := func(d *prometheus.Desc, kind prometheus.ValueType, value float64, labels ...string) {
		to <- prometheus.MustNewConstMetric(d, kind, value, labels...)
	}
	gauge, counter := prometheus.GaugeValue, prometheus.CounterValue

	s := c.sources.Server()
	send(running, gauge, float64(s.Running))
	send(refused, counter, float64(s.Refused))
	send(lists, gauge, float64(s.Lists))
	send(listBytes, gauge, float64(s.ListBytes))
	send(listLimit, gauge, float64(s.LimitBytes))
	send(listHits, counter, float64(s.Hits))
	send(listMisses, counter, float64(s.Misses))
	for kind, work := range s.Work {
		send(working, gauge, float64(work.Running), kind)
		send(waiting, gauge, float64(work.Waiting), kind)
		send(overload, counter, float64(work.Refused), kind)
	}
	send(unsent, gauge, float64(s.Unsent))
	send(unread, counter, float64(s.Unread))
	send(clients, gauge, float64(s.Connections))
	send(clientLimit, gauge, float64(s.MaxConnections))
	send(clientIdle, counter, float64(s.Closed))
	send(clientAway, counter, float64(s.TurnedAway))

	db := c.sources.Store()
	for _, pool := range db.Pools {
		send(connections, gauge, float64(pool.InUse), pool.Name, "in_use")
		send(connections, gauge, float64(pool.Idle), pool.Name, "idle")
		send(maximum, gauge, float64(pool.Max), pool.Name)
		send(waits, counter, float64(pool.Waits), pool.Name)
		send(waited, counter, pool.WaitDuration.Seconds(), pool.Name)
	}
	send(writeQueue, gauge, float64(db.Queue))
	upTo := make(map[float64]uint64, len(db.Batches.UpTo))
	for i, commits := range db.Batches.UpTo {
		upTo[float64(db.Batches.Size(i))] = commits
	}
	to <- prometheus.MustNewConstHistogram(batches, db.Batches.Commits, float64(db.Batches.Changes), upTo)
	if db.FileBytes > 0 {
		send(fileBytes, gauge, float64(db.FileBytes))
		send(logBytes, gauge, float64(db.LogBytes))
	}
	send(droppedLog, counter, float64(c.sources.DroppedLogLines()))
}
