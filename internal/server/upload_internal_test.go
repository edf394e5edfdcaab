package server

import (
	"bytes"
	"errors"
	"net/http"
	"strings"
	"testing"
	"unicode/utf8"
)

// FuzzUpload parses any body with any content type. What is accepted is within the
// limits, and what is refused is refused as the API does.
func FuzzUpload(f *testing.F) {
	const head = "--b\r\nContent-Disposition: form-data; name=metadata\r\n\r\n{\"customerPrice\":\"1\",\"currency\":\"EUR\"}\r\n--b\r\n"
	f.Add("multipart/form-data; boundary=b", []byte(head+"Content-Disposition: form-data; name=POFiles; filename=\"C:\\\\x\\\\y.pdf\"\r\nContent-Type: application/pdf\r\n\r\nx\r\n--b--\r\n"))
	f.Add(`multipart/form-data; boundary="b"`, []byte(head+"Content-Disposition: form-data; name=tender; filename=a; filename*=utf-8''%e2%80%ae\r\n\r\nx\r\n--b--"))
	f.Add("multipart/form-data", []byte("--b--"))
	f.Add("multipart/form-data; boundary=b", []byte("--b\r\n"+strings.Repeat("a:b\r\n", 100)))
	f.Fuzz(func(t *testing.T, contentType string, body []byte) {
		boundary, err := boundaryOf(contentType)
		var u *upload
		if err == nil {
			u, err = parseUpload(bytes.NewReader(body), boundary)
		}
		if err != nil {
			var refused *apiError
			if !errors.As(err, &refused) || refused.status != http.StatusBadRequest && refused.status != http.StatusRequestEntityTooLarge {
				t.Fatalf("error is %v", err)
			}
			if !strings.HasSuffix(refused.description, ".") {
				t.Fatalf("%q does not end with a sentence", refused.description)
			}
			return
		}
		if (u.metadata == nil) != (u.raw == nil) || len(u.raw) > maxMetadata || len(u.files) > maxFiles {
			t.Fatalf("%d bytes of metadata, %d files", len(u.raw), len(u.files))
		}
		for _, a := range u.files {
			if a.FileName == "" || len(a.FileName) > maxFileName || !utf8.ValidString(a.FileName) || strings.ContainsAny(a.FileName, "/\\\r\n\x00") || a.FileName == ".." {
				t.Fatalf("the file name is %q", a.FileName)
			}
			if a.Size == 0 || a.Size > maxFile || a.Size != int64(len(a.Content)) || a.ContentType == "" {
				t.Fatalf("%+v", a)
			}
		}
	})
}

// TestFingerprint checks what makes two uploads the same.
func TestFingerprint(t *testing.T) {
	parse := func(boundary string, parts ...string) string {
		t.Helper()
		b := "--" + boundary + "\r\n"
		body := b + strings.Join(parts, "\r\n"+b) + "\r\n--" + boundary + "--\r\n"
		u, err := parseUpload(strings.NewReader(body), boundary)
		if err != nil {
			t.Fatal(err)
		}
		return string(u.fingerprint())
	}
	file := func(name, file, content string) string {
		return "Content-Disposition: form-data; name=" + name + "; filename=" + file + "\r\n\r\n" + content
	}
	first := parse("a", file("POFiles", "x", "1"), file("POFiles", "y", "2"))
	if parse("bb", "Content-Type: text/plain\r\n"+file("pofiles", "x", "1"), file("POFiles", "y", "2")) != first {
		t.Error("boundary, content type and case make a difference")
	}
	for i, other := range []string{
		parse("a", file("POFiles", "x", "1")), parse("a", file("POFiles", "x", "1"), file("Tender", "y", "2")),
		parse("a", file("POFiles", "x", "1"), file("POFiles", "y", "3")), parse("a", file("POFiles", "x1", ""+"1"), file("POFiles", "y", "2")),
		parse("a", file("POFiles", "x", "1"), file("POFiles", "y", "2"), "Content-Disposition: form-data; name=metadata\r\n\r\n{}"),
	} {
		if other == first {
			t.Errorf("upload %d makes no difference", i)
		}
	}
}
