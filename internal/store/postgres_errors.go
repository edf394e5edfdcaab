package store

import (
	"cmp"
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
)

// reason returns an error that says why a database cannot be opened.
func reason(why, cause error, next string) error {
	return &OpenError{Reason: why, Cause: cause, Next: next}
}

// postgresOpenError determines why a database cannot be opened.
func postgresOpenError(name string, err error) error {
	if e, is := errors.AsType[*OpenError](err); is {
		e.Path = cmp.Or(e.Path, name)
		return e
	}
	e := &OpenError{Path: name, Cause: err}
	if errors.Is(err, ErrNewer) {
		e.Reason, e.Cause, e.Next = ErrNewer, nil, "install that version or a later one, or choose another database"
		return e
	}
	pg, is := errors.AsType[*pgconn.PgError](err)
	if !is {
		switch {
		case errors.Is(err, context.Canceled):
			return err
		case strings.Contains(err.Error(), "read only connection"), strings.Contains(err.Error(), "server is in standby mode"):
			e.Reason, e.Next = ErrReplica, nextPrimary
		case strings.Contains(err.Error(), "server is not in hot standby mode"), strings.Contains(err.Error(), "server is not in standby mode"), strings.Contains(err.Error(), "read write connection"):
			e.Reason, e.Next = ErrAddress, "leave target_session_attrs out, or give read-write: what is written needs the primary"
		case strings.Contains(err.Error(), "server refused TLS connection"):
			e.Reason, e.Next = ErrNoTLS, "turn TLS on at the server, or allow a connection without it: sslmode=prefer, or disable on a network that nobody else uses"
		case strings.Contains(err.Error(), "tls:"), strings.Contains(err.Error(), "x509:"):
			e.Reason, e.Next = ErrTLS, "check sslmode and sslrootcert in the address"
		case errors.As(err, new(*pgconn.ConnectError)), errors.As(err, new(net.Error)):
			e.Reason, e.Next = ErrUnreachable, "check host and port, and that the server runs and accepts connections from here"
		default:
			return fmt.Errorf("cannot open the database %s: %w; %s", name, err, nextOptions)
		}
		return e
	}
	switch pg.Code {
	case "28P01", "28000":
		if strings.Contains(pg.Message, "no encryption") {
			e.Reason, e.Next = ErrRefused, "if the server wants TLS, give sslmode=require in the address, or verify-full with sslrootcert"
			return e
		}
		e.Reason, e.Next = ErrRefused, "check user and password in the address, PGPASSFILE or PGPASSWORD, and the server's pg_hba.conf"
	case "3D000":
		e.Reason, e.Next = ErrNoDatabase, "create it (CREATE DATABASE), or check its name"
	case "42501":
		if strings.Contains(pg.Message, "parameter") {
			e.Reason, e.Next = ErrAddress, nextOptions
			return e
		}
		e.Reason, e.Next = ErrNotPermitted, "let the user create tables (GRANT CREATE ON SCHEMA …), or bring the database up to date as another one"
	case "08P01":
		// PgBouncer has this code for all that it says.
		if !strings.Contains(pg.Message, "parameter") {
			e.Reason, e.Next = ErrUnreachable, "look whether the database server behind the pooler runs"
			return e
		}
		fallthrough
	case "42704", "22023", "55P02":
		e.Reason, e.Next = ErrAddress, nextOptions
	case "53300":
		e.Reason, e.Next = ErrManyConnections, "lower pool_max_conns in the addresses, or raise max_connections of the server"
	default:
		if u, is := errors.AsType[*UnusableError](unusable(err)); is {
			e.Reason, e.Next = u.Reason, u.Next
			return e
		}
		return fmt.Errorf("cannot open the database %s: %w; look at the log of its server", name, err)
	}
	return e
}

// What to do next.
const (
	nextOptions = "check the options behind the question mark, and the environment (PGOPTIONS, PGSERVICE)"
	nextPrimary = "give the address of the primary, or of several hosts with target_session_attrs=read-write; a replica can be read with --read-db"
)

// becameReplica returns the error for a primary that is one no more.
func becameReplica(cause error) *UnusableError {
	return &UnusableError{
		Reason: ErrReplica, Cause: cause,
		Next: "give the address of the primary, or of several hosts with target_session_attrs=read-write",
	}
}

// postgresUnusable returns why the server did not do what it was asked, if it would not
// do the next either, and nil otherwise.
func postgresUnusable(err error) *UnusableError {
	e := &UnusableError{Cause: err}
	pg, is := errors.AsType[*pgconn.PgError](err)
	if !is {
		if errors.As(err, new(*pgconn.ConnectError)) || errors.As(err, new(net.Error)) || pgconn.Timeout(err) ||
			errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) || errors.Is(err, driver.ErrBadConn) {
			e.Reason, e.Next = ErrUnreachable, "look whether the database server runs, and at the network"
			return e
		}
		return nil
	}
	switch {
	case pg.Code == "53100":
		e.Reason, e.Next = ErrDiskFull, "make room where the database is"
	case pg.Code == "25006", strings.Contains(pg.Message, "during recovery"):
		return becameReplica(err)
	case strings.HasPrefix(pg.Code, "57P0"), strings.HasPrefix(pg.Code, "08"):
		e.Reason, e.Next = ErrUnreachable, "look whether the database server runs"
	case pg.Code == "53300":
		e.Reason, e.Next = ErrManyConnections, "lower pool_max_conns in the addresses, or raise max_connections of the server"
	case pg.Code == "55P03", pg.Code == "57014", pg.Code == "40P01":
		e.Reason, e.Next = ErrLocked, "wait for what is being loaded, or look at the locks in the database"
	case strings.HasPrefix(pg.Code, "XX00"):
		e.Reason, e.Next = ErrCorrupt, "stop the servers, and restore a backup"
	case strings.HasPrefix(pg.Code, "58"):
		e.Reason, e.Next = ErrDisk, "look at the log and the disk of the database server"
	default:
		return nil
	}
	return e
}
