package store

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/klauspost/compress/zstd"
)

// backupFile is a backup that is read.
type backupFile struct {
	name    string
	file    *os.File
	size    int64
	header  backupHeader
	ending  backupEnd
	tables  []*copiedTable
	rowsAt  int64 // where blocks of rows begin
	decoder *zstd.Decoder
}

// openBackup opens a backup, and checks that nothing of it is missing or was changed.
func openBackup(ctx context.Context, name string) (_ *backupFile, err error) {
	abs, err := filepath.Abs(name)
	if err != nil {
		return nil, err
	}
	b := &backupFile{name: abs}
	defer func() {
		if err != nil {
			b.close()
		}
	}()
	switch info, err := os.Stat(abs); {
	case errors.Is(err, fs.ErrNotExist):
		return nil, b.refuse(ErrNothing, nil, "check its name")
	case err != nil:
		return nil, b.refuse(ErrDisk, err, "make it readable for this user")
	case !info.Mode().IsRegular():
		return nil, b.refuse(ErrNotFile, nil, "it is read more than once: name a file")
	default:
		b.size = info.Size()
	}
	if b.file, err = os.Open(abs); err != nil {
		return nil, b.refuse(ErrDisk, err, "make it readable for this user")
	}
	if b.decoder, err = zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(longestBlock)); err != nil {
		return nil, err
	}
	return b, b.check(ctx)
}

func (b *backupFile) close() {
	if b.file != nil {
		_ = b.file.Close()
	}
	if b.decoder != nil {
		b.decoder.Close()
	}
}

func (b *backupFile) refuse(reason, cause error, next string) error {
	return &BackupError{File: b.name, Reason: reason, Cause: cause, Next: next}
}

// place says where something is.
func (b *backupFile) place(at int64) string { return fmt.Sprintf("at byte %d of %d", at, b.size) }

func (b *backupFile) damaged(at int64, what string) error {
	return b.refuse(ErrBackupDamaged, fmt.Errorf("%s, %s", b.place(at), what), nextBackup)
}

// check reads the whole file, its header and its end.
func (b *backupFile) check(ctx context.Context) error {
	digest := sha256.New()
	r := b.blocks(0)
	line := make([]byte, min(longestLine, b.size))
	if _, err := b.file.ReadAt(line, 0); err != nil && !errors.Is(err, io.EOF) {
		return b.refuse(ErrDisk, err, nextBackup)
	}
	end := bytes.IndexByte(line, '\n')
	switch format, is := strings.CutPrefix(string(line[:max(end, 0)]), backupLine); {
	case len(line) < len(backupLine) && bytes.HasPrefix([]byte(backupLine), line):
		return b.refuse(ErrBackupCut, errors.New(b.place(b.size)), backupStopped)
	case !is:
		return b.refuse(ErrNotBackup, nil, "name a file that partnercenter db backup has written")
	case format != fmt.Sprint(backupFormat):
		return b.refuse(ErrNewerBackup, fmt.Errorf("its format is %s, and this program knows %d", format, backupFormat), "install that version or a later one")
	}
	_, _ = digest.Write(line[:end+1])
	r.skip(int64(end + 1))
	for ended := false; !ended; {
		if err := ctx.Err(); err != nil {
			return err
		}
		read, err := r.next()
		if err != nil {
			return err
		}
		switch {
		case (b.rowsAt == 0) != (read.kind == blockHeader):
			return b.damaged(read.at, "where a block of another kind has to be")
		case read.kind == blockHeader:
			if err := b.readHeader(read); err != nil {
				return err
			}
			b.rowsAt = r.at
		case read.kind == blockEnd:
			ended = true
			if err := b.readJSON(read, &b.ending); err != nil {
				return err
			}
			if b.ending.Bytes != hex.EncodeToString(digest.Sum(nil)) {
				return b.damaged(read.at, "where the digest is not that of what comes before")
			}
			if r.at != b.size {
				return b.damaged(r.at, "where there is more after the end")
			}
		case read.kind != blockShared && read.kind != blockCustomers:
			return b.damaged(read.at, "where a block of an unknown kind is")
		}
		_, _ = digest.Write(read.head)
		_, _ = digest.Write(read.stored)
	}
	return nil
}

func (b *backupFile) readJSON(read *readBlock, v any) error {
	plain, err := b.plain(read)
	if err == nil && json.Unmarshal(plain, v) != nil {
		err = b.damaged(read.at, "where something else has to be")
	}
	return err
}

// nameInSchema is what tables and columns are called.
var nameInSchema = regexp.MustCompile(`^[a-z_]+$`)

func (b *backupFile) readHeader(read *readBlock) error {
	if err := b.readJSON(read, &b.header); err != nil {
		return err
	}
	wrong := b.damaged(read.at, "where the tables are not those of a database")
	if b.header.ID == "" || b.header.Step < firstStep {
		return wrong
	}
	for _, h := range b.header.Tables {
		t := &copiedTable{table: table{name: h.Name, key: h.Key}, columns: h.Columns}
		if known := slices.IndexFunc(tables, func(k table) bool { return k.name == h.Name }); known >= 0 {
			t.rowID = tables[known].rowID
		}
		if h.OfCustomer {
			t.owner = ofCustomer
		}
		for _, name := range append([]string{h.Name}, h.Columns...) {
			if !nameInSchema.MatchString(name) {
				return wrong
			}
		}
		for _, name := range h.Key {
			t.at = append(t.at, slices.Index(h.Columns, name))
		}
		if len(t.at) == 0 || slices.Contains(t.at, -1) || h.OfCustomer && (len(h.Key) < 2 || h.Key[0] != "partner_id" || h.Key[1] != "customer_id") {
			return wrong
		}
		b.tables = append(b.tables, t)
	}
	return nil
}

// schema returns the tables of the backup.
func (b *backupFile) schema() []*copiedTable { return b.tables }

// result returns what the backup says about itself.
func (b *backupFile) result() (*BackupResult, error) {
	r := &BackupResult{
		Made: b.header.Made, Step: b.header.Step, Size: b.size,
		Partners: b.header.Partners, Customers: b.ending.Customers, Orders: b.ending.Orders,
	}
	digest, err := hex.DecodeString(b.ending.Digest)
	if err != nil || copy(r.Digest[:], digest) != len(r.Digest) {
		return nil, b.damaged(b.size, "where its digest has to be")
	}
	return r, nil
}

// blockReader reads blocks from a place in the file on.
type blockReader struct {
	of  *backupFile
	in  *bufio.Reader
	at  int64
	buf []byte
}

func (b *backupFile) blocks(at int64) *blockReader {
	return &blockReader{of: b, at: at, in: bufio.NewReaderSize(io.NewSectionReader(b.file, at, b.size-at), 1<<18)}
}

func (r *blockReader) skip(n int64) {
	_, _ = r.in.Discard(int(n)) // which the next read finds
	r.at += n
}

// readBlock is a block that was read. It is valid until the next one.
type readBlock struct {
	kind         byte
	head, stored []byte
	length       int // of the plain text
	at           int64
}

// next reads a block and compares its checksums. There is always one before the end of
// the file: the last one is the end.
func (r *blockReader) next() (*readBlock, error) {
	b, at := r.of, r.at
	cut := func() error { return b.refuse(ErrBackupCut, errors.New(b.place(b.size)), backupStopped) }
	if b.size-at < blockHead {
		return nil, cut()
	}
	read := &readBlock{at: at, head: make([]byte, blockHead)}
	if _, err := io.ReadFull(r.in, read.head); err != nil {
		return nil, b.refuse(ErrDisk, err, nextBackup)
	}
	read.kind = read.head[0]
	stored, plain := binary.LittleEndian.Uint32(read.head[1:]), binary.LittleEndian.Uint32(read.head[5:])
	switch {
	case crc32.Checksum(read.head[:13], castagnoli) != binary.LittleEndian.Uint32(read.head[13:]):
		return nil, b.damaged(at, "where the checksum of a block's head is wrong")
	case plain > longestBlock:
		return nil, b.damaged(at, "where a block is too long")
	case int64(stored) > b.size-at-blockHead:
		return nil, cut()
	}
	r.buf = slices.Grow(r.buf[:0], int(stored))[:stored]
	if _, err := io.ReadFull(r.in, r.buf); err != nil {
		return nil, b.refuse(ErrDisk, err, nextBackup)
	}
	read.stored, read.length = r.buf, int(plain)
	r.at += blockHead + int64(stored)
	if crc32.Checksum(read.stored, castagnoli) != binary.LittleEndian.Uint32(read.head[9:]) {
		return nil, b.damaged(at, "where the checksum of a block is wrong")
	}
	return read, nil
}

// plain returns what was compressed.
func (b *backupFile) plain(read *readBlock) ([]byte, error) {
	plain, err := b.decoder.DecodeAll(read.stored, nil)
	if err != nil || len(plain) != read.length {
		return nil, b.damaged(read.at, "where a block cannot be unpacked")
	}
	return plain, nil
}

// backupRows are rows of a backup, from blocks of one kind.
type backupRows struct {
	ctx     context.Context
	of      *backupFile
	blocks  *blockReader
	kind    byte
	convert converter
	to      []*copiedTable // where they go
	numbers []int          // of the backup's tables there, or -1
	plain   []byte         // what is left of a block
	at      int64          // of that block
	ended   bool           // there is no more
}

func (b *backupFile) read(ctx context.Context, kind byte, to []*copiedTable, convert converter) *backupRows {
	r := &backupRows{ctx: ctx, of: b, blocks: b.blocks(b.rowsAt), kind: kind, convert: convert, to: to}
	for _, t := range b.tables {
		r.numbers = append(r.numbers, slices.IndexFunc(to, func(known *copiedTable) bool { return known.name == t.name }))
	}
	return r
}

func (b *backupFile) rows(ctx context.Context, t *copiedTable, convert converter) (rowReader, error) {
	return backupTableRows{b.read(ctx, blockShared, []*copiedTable{t}, convert)}, nil
}

func (b *backupFile) customers(ctx context.Context, tables []*copiedTable, after *customerKey, convert converter) (customerReader, error) {
	return &backupCustomers{b.read(ctx, blockCustomers, tables, convert), after}, nil
}

// backupTableRows are those of a table.
type backupTableRows struct{ *backupRows }

func (r backupTableRows) next() ([]any, error) {
	_, row, err := r.nextRow()
	return row, err
}

// backupCustomers are those of customers after one, if that is not nil.
type backupCustomers struct {
	*backupRows
	after *customerKey
}

func (r *backupCustomers) next() (table int, row []any, key customerKey, err error) {
	for {
		table, row, err = r.nextRow()
		if err != nil || row == nil {
			return 0, nil, key, err
		}
		key = customerKey{row[r.to[table].at[0]].(string), row[r.to[table].at[1]].(string)}
		if r.after == nil || key.compare(*r.after) > 0 {
			return table, row, key, nil
		}
	}
}

func (r *backupRows) close() {}

// more reads the next block of the kind, and reports whether there is one.
func (r *backupRows) more() (bool, error) {
	for !r.ended {
		if err := r.ctx.Err(); err != nil {
			return false, err
		}
		read, err := r.blocks.next()
		switch {
		case err != nil:
			return false, err
		case read.kind == blockEnd, r.kind == blockShared && read.kind == blockCustomers:
			r.ended = true
			return false, nil
		case read.kind != r.kind:
			continue
		}
		r.at = read.at
		r.plain, err = r.of.plain(read)
		return true, err
	}
	return false, nil
}

// nextRow returns the next row of the tables and where that goes. The row is nil after the
// last one.
func (r *backupRows) nextRow() (table int, row []any, err error) {
	for table = -1; table < 0; {
		for len(r.plain) == 0 {
			if more, err := r.more(); err != nil || !more {
				return 0, nil, err
			}
		}
		if table, row, err = r.decode(); err != nil {
			return 0, nil, err
		}
	}
	if r.convert != nil {
		err = r.convert(r.to[table], row)
	}
	return table, row, err
}

// decode returns a row of a block.
func (r *backupRows) decode() (table int, row []any, err error) {
	number, n := binary.Uvarint(r.plain)
	if n <= 0 || number >= uint64(len(r.of.tables)) {
		return 0, nil, r.wrong()
	}
	r.plain = r.plain[n:]
	t := r.of.tables[number]
	row = make([]any, len(t.columns))
	for i := range row {
		if row[i], err = r.value(); err != nil {
			return 0, nil, err
		}
	}
	for _, i := range t.at[:min(2, len(t.at))] { // what tells customers and partners apart
		if _, is := row[i].(string); !is && (t.owner == ofCustomer || t.name == "partners") {
			return 0, nil, r.wrong()
		}
	}
	return r.numbers[number], row, nil
}

func (r *backupRows) wrong() error {
	return r.of.damaged(r.at, "where a row is not one of its table")
}

func (r *backupRows) value() (any, error) {
	if len(r.plain) == 0 {
		return nil, r.wrong()
	}
	kind := r.plain[0]
	r.plain = r.plain[1:]
	switch kind {
	case valueNull:
		return nil, nil //nolint:nilnil // a null is nil
	case valueInteger:
		v, n := binary.Varint(r.plain)
		if n <= 0 {
			return nil, r.wrong()
		}
		r.plain = r.plain[n:]
		return v, nil
	case valueText, valueBytes:
		length, n := binary.Uvarint(r.plain)
		if n <= 0 || length > uint64(len(r.plain)-n) {
			return nil, r.wrong()
		}
		v := r.plain[n : n+int(length)]
		r.plain = r.plain[n+int(length):]
		if kind == valueText {
			return string(v), nil
		}
		return bytes.Clone(v), nil
	}
	return nil, r.wrong()
}
