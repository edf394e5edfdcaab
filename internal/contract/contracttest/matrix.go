package contracttest

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// Operation is a row of docs/support-matrix.md: a documented call and which parts of
// this project support it.
type Operation struct {
	Area       string // orders, customers, …
	Operation  string // list, get, …; unique within the area
	Method     string
	Path       string // as documented, with parameters written {name}
	Credential string // app, app+user, both or user-only
	SDK        bool
	Server     bool
	CLI        bool
	// Later marks calls of later editions, which have a table of their own.
	Later bool
}

// Matrix returns the rows of docs/support-matrix.md in their order. It stops the test
// if the table cannot be read.
func Matrix(tb testing.TB) []Operation {
	tb.Helper()
	const file = "docs/support-matrix.md"
	operations, err := parseMatrix(string(readFile(tb, file)))
	if err != nil {
		tb.Fatalf("%s: %v", file, err)
	}
	return operations
}

var (
	matrixColumns = []string{"Area", "Operation", "Method and path", "Credential", "SDK", "Server", "CLI"}
	laterColumns  = []string{"Area", "Later operation", "Method and path", "Credential", "SDK", "Server", "CLI"}
)

// parseMatrix reads the one table in text that has the matrix's columns, and that of
// calls of later editions, if there is one.
func parseMatrix(text string) ([]Operation, error) {
	var operations []Operation
	inTable, later := false, false
	for i, line := range strings.Split(text, "\n") {
		cells, ok := tableCells(line)
		switch {
		case !ok:
			inTable = false
			continue
		case slices.Equal(cells, matrixColumns):
			if operations != nil {
				return nil, fmt.Errorf("line %d: a second table with the matrix's columns; keep one", i+1)
			}
			inTable = true
			continue
		case slices.Equal(cells, laterColumns):
			inTable, later = true, true
			continue
		case !inTable || strings.Trim(cells[0], ":-") == "":
			continue
		}
		op, err := parseOperation(cells)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", i+1, err)
		}
		op.Later = later
		operations = append(operations, op)
	}
	if operations == nil {
		return nil, fmt.Errorf("no table with the columns %s", strings.Join(matrixColumns, ", "))
	}
	return operations, nil
}

func parseOperation(cells []string) (Operation, error) {
	if len(cells) != len(matrixColumns) {
		return Operation{}, fmt.Errorf("%d cells, expected %d", len(cells), len(matrixColumns))
	}
	method, path, ok := strings.Cut(strings.Trim(cells[2], "`"), " ")
	if !ok {
		return Operation{}, fmt.Errorf("%s is not a method and path such as `GET /v1/customers`", cells[2])
	}
	op := Operation{Area: cells[0], Operation: cells[1], Method: method, Path: path, Credential: cells[3]}
	for i, supported := range []*bool{&op.SDK, &op.Server, &op.CLI} {
		switch cell := cells[4+i]; cell {
		case "works":
			*supported = true
		case "not yet":
		default:
			return Operation{}, fmt.Errorf("%s is %q, expected works or not yet", matrixColumns[4+i], cell)
		}
	}
	return op, nil
}

// tableCells splits a row of a Markdown table.
func tableCells(line string) ([]string, bool) {
	line = strings.TrimSpace(line)
	if len(line) < 2 || !strings.HasPrefix(line, "|") || !strings.HasSuffix(line, "|") {
		return nil, false
	}
	cells := strings.Split(line[1:len(line)-1], "|")
	for i := range cells {
		cells[i] = strings.TrimSpace(cells[i])
	}
	return cells, true
}
