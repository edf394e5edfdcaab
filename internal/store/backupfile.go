package store

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash"
	"hash/crc32"
	"io"
	"time"

	"github.com/klauspost/compress/zstd"
)

// A backup begins with a line that says what it is, and in which format. Blocks follow:
//
//	kind     1 byte
//	stored   4 bytes: the length of what is stored, the least significant byte first
//	plain    4 bytes: its length before it was compressed
//	sum      4 bytes: the checksum (CRC-32C) of what is stored
//	head     4 bytes: the checksum of these 13 bytes
//	         what is stored, compressed by zstd
//
// The first one is the header, in JSON; then come the rows that belong to no customer,
// table by table, those of customers, customer by customer, all in the order of their
// keys, and at last the end, in JSON, with a digest (SHA-256) of all bytes before it.
// Rows are those of the tables in the header: the number of the table, and a value for
// each column.
const (
	backupLine    = "partnercenter backup, format "
	backupFormat  = 1
	firstStep     = 13 // of the schema, of which there are backups
	longestLine   = 64
	blockHead     = 17
	longestBlock  = 1<<30 + 1<<20 // a row is at most 1 GB in either database
	usualBlock    = 1 << 20
	nextBackup    = "restore another backup"
	backupStopped = "it was cut, or never completed: restore another backup"
)

// Kinds of blocks.
const (
	blockHeader    = 'H'
	blockShared    = 'S'
	blockCustomers = 'C'
	blockEnd       = 'E'
)

type backupHeader struct {
	ID       string    `json:"id"` // random
	Made     time.Time `json:"made"`
	Program  string    `json:"program"`
	Database string    `json:"database"` // SQLite or PostgreSQL
	Step     int64     `json:"step"`     // of the schema
	Partners int       `json:"partners"`
	// Customers are those that are there; there may be rows of others.
	Customers int           `json:"customers"`
	Tables    []backupTable `json:"tables"`
}

type backupTable struct {
	Name       string   `json:"name"`
	OfCustomer bool     `json:"ofCustomer,omitzero"`
	Key        []string `json:"key"`
	Columns    []string `json:"columns"`
}

type backupEnd struct {
	Customers int    `json:"customers"`
	Orders    int    `json:"orders"`
	Digest    string `json:"digest"` // that of a copy
	Bytes     string `json:"bytes"`  // the digest of all bytes before
}

// block is a block that is not written yet.
type block struct {
	kind  byte
	plain []byte
}

// packer puts rows into blocks.
type packer struct {
	ctx    context.Context
	to     chan<- block
	schema []*copiedTable
	now    block
}

// Types of values.
const (
	valueNull = iota
	valueInteger
	valueText
	valueBytes
)

// add adds a row of the table with a number.
func (p *packer) add(kind byte, table int, row []any) error {
	if p.now.kind != kind || len(p.now.plain) >= usualBlock {
		if err := p.flush(); err != nil {
			return err
		}
		p.now = block{kind, make([]byte, 0, usualBlock+usualBlock/8)}
	}
	b := binary.AppendUvarint(p.now.plain, uint64(table))
	for _, value := range row {
		switch v := value.(type) {
		case nil:
			b = append(b, valueNull)
		case int64:
			b = binary.AppendVarint(append(b, valueInteger), v)
		case string:
			b = append(binary.AppendUvarint(append(b, valueText), uint64(len(v))), v...)
		case []byte:
			b = append(binary.AppendUvarint(append(b, valueBytes), uint64(len(v))), v...)
		default:
			return fmt.Errorf("store: a value of type %T in table %s", value, p.schema[table].name)
		}
	}
	p.now.plain = b
	return nil
}

// flush passes on the block so far.
func (p *packer) flush() error {
	if len(p.now.plain) == 0 {
		return nil
	}
	select {
	case p.to <- p.now:
		p.now = block{}
		return nil
	case <-p.ctx.Done():
		return p.ctx.Err()
	}
}

// backupWriter writes a backup.
type backupWriter struct {
	to      io.Writer
	encoder *zstd.Encoder
	digest  hash.Hash // of all bytes
	buf     []byte
	size    int64
}

func newBackupWriter(to io.Writer, header *backupHeader) (*backupWriter, error) {
	encoder, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1))
	if err != nil {
		return nil, err
	}
	w := &backupWriter{to: to, encoder: encoder, digest: sha256.New()}
	if err := w.put(fmt.Appendf(nil, "%s%d\n", backupLine, backupFormat)); err != nil {
		return nil, err
	}
	return w, w.writeJSON(blockHeader, header)
}

func (w *backupWriter) put(data []byte) error {
	_, _ = w.digest.Write(data) // never fails
	n, err := w.to.Write(data)
	w.size += int64(n)
	if err != nil {
		return &writeError{err}
	}
	return nil
}

func (w *backupWriter) write(kind byte, plain []byte) error {
	if len(plain) > longestBlock {
		return fmt.Errorf("store: a row of %d bytes does not fit into a backup", len(plain))
	}
	b := w.encoder.EncodeAll(plain, append(w.buf[:0], make([]byte, blockHead)...))
	b[0] = kind
	binary.LittleEndian.PutUint32(b[1:], uint32(len(b)-blockHead))
	binary.LittleEndian.PutUint32(b[5:], uint32(len(plain)))
	binary.LittleEndian.PutUint32(b[9:], crc32.Checksum(b[blockHead:], castagnoli))
	binary.LittleEndian.PutUint32(b[13:], crc32.Checksum(b[:13], castagnoli))
	w.buf = b
	return w.put(b)
}

func (w *backupWriter) writeJSON(kind byte, v any) error {
	data, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return w.write(kind, data)
}

func (w *backupWriter) end(end *backupEnd) error {
	end.Bytes = hex.EncodeToString(w.digest.Sum(nil))
	return w.writeJSON(blockEnd, end)
}
