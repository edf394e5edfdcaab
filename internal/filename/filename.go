// Package filename makes names for files of names that come from outside.
package filename

import (
	"path"
	"strings"
	"unicode"

	"github.com/partnercenter-go/partnercenter/internal/ascii"
	"github.com/partnercenter-go/partnercenter/internal/quote"
)

// Base returns a name without the folders before it, in either system's form.
func Base(name string) string { return name[strings.LastIndexAny(name, `/\`)+1:] }

// longest is how many bytes a name has at most. Most file systems allow 255; programs
// that write next to a file use some of them.
const longest = 200

// Clean returns the base of a name as it can be used for a new file in the current folder
// of any system, or nothing if there is no such name. Such a file is not hidden, and no
// program takes its name for a flag, a device or a stream of another file.
func Clean(name string) string {
	name = strings.Map(func(r rune) rune {
		if !unicode.IsGraphic(r) || r == unicode.ReplacementChar || strings.ContainsRune(`<>:"|?*`, r) {
			return '_'
		}
		return r
	}, Base(name))
	name = strings.TrimLeftFunc(name, func(r rune) bool { return unicode.IsSpace(r) || strings.ContainsRune(".-~", r) })
	name = trimEnd(name)
	if len(name) > longest {
		extension := path.Ext(name)
		if len(extension) > longest/4 {
			extension = ""
		}
		name = trimEnd(quote.Cut(name, longest-len(extension))) + extension
	}
	if isDevice(name) {
		return "file-" + name
	}
	return name
}

// trimEnd removes what Windows drops from the end of a name, so that two names would be
// one.
func trimEnd(name string) string {
	return strings.TrimRightFunc(name, func(r rune) bool { return r == '.' || unicode.IsSpace(r) })
}

// isDevice reports whether Windows takes a name for a device, whatever its extension.
func isDevice(name string) bool {
	name, _, _ = strings.Cut(name, ".")
	name = ascii.ToUpper(strings.TrimSpace(name))
	switch name {
	case "CON", "PRN", "AUX", "NUL", "CLOCK$", "CONIN$", "CONOUT$":
		return true
	}
	number, isPort := strings.CutPrefix(name, "COM")
	if !isPort {
		number, isPort = strings.CutPrefix(name, "LPT")
	}
	runes := []rune(number)
	return isPort && len(runes) == 1 && strings.ContainsRune("0123456789¹²³", runes[0])
}
