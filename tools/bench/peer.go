package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/partnercenter-go/partnercenter/internal/contract"
)

// npmFolder has the programs that are npm's, in the versions of its lock file.
const npmFolder = "tools/peers/node_modules"

// errNotInstalled says why a peer is not measured.
var errNotInstalled = errors.New("it is not installed; make bench-peers does that")

// peer is a program that people use in place of the server.
type peer struct {
	name string
	// npm is the package that it comes in, if it is npm's.
	npm string
	// command writes what the program reads into a folder, and returns its command line.
	command func(at serving) ([]string, error)
}

// serving is what a peer is to serve, and where.
type serving struct {
	folder, host, port, path string
	body                     []byte
}

// file writes a file in the folder, and returns its name.
func (at serving) file(name string, content any) (string, error) {
	text, ok := content.([]byte)
	if !ok {
		var err error
		if text, err = json.Marshal(content); err != nil {
			return "", err
		}
	}
	path := filepath.Join(at.folder, name)
	return path, errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, text, 0o644))
}

// peers are quiet, as the server is. What they check and add by default, they do here.
var peers = []peer{
	{name: "Prism", npm: "@stoplight/prism-cli", command: func(at serving) ([]string, error) {
		document, err := withExample(at.body)
		if err != nil {
			return nil, err
		}
		file, err := at.file("openapi.json", document)
		return []string{npmProgram("prism"), "mock", file, "--host", at.host, "--port", at.port, "--verboseLevel", "silent"}, err
	}},
	{name: "Mockoon", npm: "@mockoon/cli", command: func(at serving) ([]string, error) {
		type object = map[string]any
		const route, response = "3a4b9c53-0000-4000-8000-000000000003", "3a4b9c53-0000-4000-8000-000000000004"
		file, err := at.file("mockoon.json", object{
			"uuid": partnerID, "lastMigration": 33, "name": "orders", "port": 1, "rootChildren": []object{{"type": "route", "uuid": route}},
			"routes": []object{{
				"uuid": route, "type": "http", "method": "get", "endpoint": "v1/customers/:customer/orders",
				"responses": []object{{
					"uuid": response, "statusCode": 200, "default": true, "bodyType": "INLINE", "body": string(at.body), "disableTemplating": true,
					"headers": []object{{"key": "Content-Type", "value": "application/json; charset=utf-8"}},
				}},
			}},
		})
		return []string{npmProgram("mockoon-cli"), "start", "--data", file, "--repair", "--hostname", at.host, "--port", at.port, "--disable-log-to-file", "--disable-admin-api"}, err
	}},
	{name: "json-server", npm: "json-server", command: func(at serving) ([]string, error) {
		file, err := at.file("db.json", map[string]any{"orders": json.RawMessage(at.body)})
		if err != nil {
			return nil, err
		}
		routes, err := at.file("routes.json", map[string]string{"/v1/customers/:customer/orders": "/orders"})
		return []string{npmProgram("json-server"), "--quiet", "--read-only", "--no-gzip", "--routes", routes, "--host", at.host, "--port", at.port, file}, err
	}},
	{name: "WireMock", npm: "wiremock", command: func(at serving) ([]string, error) {
		type object = map[string]any
		_, err := at.file("mappings/orders.json", object{
			"request":  object{"method": "GET", "urlPath": at.path},
			"response": object{"status": 200, "body": string(at.body), "headers": object{"Content-Type": "application/json; charset=utf-8"}},
		})
		if err != nil {
			return nil, err
		}
		// npm's own program would be a process more.
		programs, err := filepath.Glob(npmFolder + "/wiremock/build/*.jar")
		if err != nil || len(programs) != 1 {
			return nil, errNotInstalled
		}
		return []string{"java", "-jar", programs[0], "--root-dir", at.folder, "--bind-address", at.host, "--port", at.port, "--no-request-journal", "--disable-banner"}, nil
	}},
	{name: "nginx", command: func(at serving) ([]string, error) {
		if _, err := at.file("www"+at.path, at.body); err != nil {
			return nil, err
		}
		user := ""
		if os.Getuid() == 0 {
			user = "user root;" // who can read the folder, wherever that is
		}
		file, err := at.file("nginx.conf", fmt.Appendf(nil, nginxConfig, user, at.folder, at.host, at.port))
		return []string{"nginx", "-p", at.folder, "-e", "stderr", "-c", file}, err
	}},
}

const nginxConfig = `
daemon off; pid nginx.pid; worker_processes auto; %s
events {}
http {
	access_log off; sendfile on; tcp_nopush on; open_file_cache max=10; keepalive_requests 1000000000;
	client_body_temp_path tmp; proxy_temp_path tmp; fastcgi_temp_path tmp; uwsgi_temp_path tmp; scgi_temp_path tmp;
	default_type "application/json; charset=utf-8"; root %s/www;
	server { listen %s:%s; }
}
`

func npmProgram(name string) string { return filepath.Join(npmFolder, ".bin", name) }

// version returns which version is installed, or an error if none is.
func (p *peer) version(ctx context.Context) (string, error) {
	if p.npm == "" {
		out, err := exec.CommandContext(ctx, "nginx", "-v").CombinedOutput()
		_, version, ok := strings.Cut(strings.TrimSpace(string(out)), "/")
		if err != nil || !ok {
			return "", errNotInstalled
		}
		return version + ", a file", nil
	}
	text, err := os.ReadFile(filepath.Join(npmFolder, p.npm, "package.json"))
	if err != nil {
		return "", errNotInstalled
	}
	var described struct {
		Version string `json:"version"`
	}
	return described.Version, json.Unmarshal(text, &described)
}

// withExample returns the API's document with a list of orders for its only example.
func withExample(body []byte) (*openapi3.T, error) {
	document, err := openapi3.NewLoader().LoadFromData(contract.OpenAPI)
	if err != nil {
		return nil, err
	}
	var value any
	if err := json.Unmarshal(body, &value); err != nil {
		return nil, err
	}
	answer := document.Paths.Value("/v1/customers/{customer-tenant-id}/orders").Get.Responses.Status(http.StatusOK).Value
	answer.Content.Get("application/json").Examples = openapi3.Examples{"orders": {Value: &openapi3.Example{Value: value}}}
	return document, nil
}
