package control

import (
	"net/http"
	"runtime"
	"runtime/pprof"
	"runtime/trace"
	"strconv"
	"time"

	"github.com/partnercenter-go/partnercenter/internal/quote"
)

// Profiles are answered under the paths that go tool pprof and go tool trace know from
// package net/http/pprof. That package is not used, as it adds itself to the handlers of
// every program that imports it.
const profilesPath = "/debug/pprof/"

// maxProfileTime is less than the listener allows for an answer.
const maxProfileTime = 2 * time.Minute

// handleProfiles adds the handlers of profiles.
func (p *Plane) handleProfiles(mux *http.ServeMux) {
	mux.HandleFunc("GET "+profilesPath+"{$}", p.serve(listProfiles))
	mux.HandleFunc("GET "+profilesPath+"profile", p.recorded("profile", 30*time.Second, func(w http.ResponseWriter) (func(), error) {
		return pprof.StopCPUProfile, pprof.StartCPUProfile(w)
	}))
	mux.HandleFunc("GET "+profilesPath+"trace", p.recorded("trace", time.Second, func(w http.ResponseWriter) (func(), error) {
		return trace.Stop, trace.Start(w)
	}))
	mux.HandleFunc("GET "+profilesPath+"{name}", p.sendProfile)
}

// listProfiles answers with the names of profiles.
func listProfiles(*http.Request) (any, error) {
	names := []string{"profile", "trace"}
	for _, profile := range pprof.Profiles() {
		names = append(names, profile.Name())
	}
	return map[string][]string{"profiles": names}, nil
}

// recorded answers with what is recorded for some seconds, by default as long as usual.
func (p *Plane) recorded(name string, usual time.Duration, start func(http.ResponseWriter) (stop func(), err error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		length := usual
		if text := r.FormValue("seconds"); text != "" {
			seconds, err := strconv.ParseFloat(text, 64)
			length = time.Duration(seconds * float64(time.Second))
			if err != nil || !(seconds > 0) || length > maxProfileTime {
				p.refuse(w, r, http.StatusBadRequest, "seconds is no number of seconds up to "+strconv.Itoa(int(maxProfileTime.Seconds()))+": send one like 10")
				return
			}
		}
		binary(w, name)
		stop, err := start(w)
		if err != nil {
			w.Header().Del("Content-Disposition")
			p.refuse(w, r, http.StatusConflict, "another one is being recorded: wait until it is done")
			return
		}
		defer stop()
		select {
		case <-time.After(length):
		case <-r.Context().Done():
		}
	}
}

// sendProfile answers with a profile of package pprof, as text if debug is 1 or 2.
func (p *Plane) sendProfile(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("name")
	profile := pprof.Lookup(name)
	if profile == nil {
		p.refuse(w, r, http.StatusNotFound, "there is no profile "+quote.Text(name)+": GET "+profilesPath+" has their names")
		return
	}
	debug, _ := strconv.Atoi(r.FormValue("debug"))
	if debug == 0 {
		binary(w, name)
	} else {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	}
	if name == "heap" && r.FormValue("gc") != "" {
		runtime.GC()
	}
	_ = profile.WriteTo(w, debug) // an error is the client's, who has gone
}

// binary sets the headers of an answer for go tool. The name is that of a profile.
func binary(w http.ResponseWriter, name string) {
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("Content-Disposition", `attachment; filename="`+name+`"`)
}

// refuse answers with a refusal.
func (p *Plane) refuse(w http.ResponseWriter, r *http.Request, status int, text string) {
	p.serve(func(*http.Request) (any, error) { return nil, &refusal{status, text} })(w, r)
}
