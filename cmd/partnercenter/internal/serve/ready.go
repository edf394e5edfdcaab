package serve

import (
	"context"
	"errors"
	"fmt"

	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/connect"
	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/terminal"
)

// chooseReadyFile decides where the ready file goes. The file of a server that is running
// is left alone. Without a file the server cannot be found by --profile local, and is as
// good otherwise.
func (l *local) chooseReadyFile(ctx context.Context, o *serveOptions) error {
	if o.noReadyFile {
		return nil
	}
	path := o.readyFile
	if path == "" {
		var err error
		if path, err = connect.LocalReadyFile(); errors.Is(err, connect.ErrNoStateDir) {
			l.logger.Warn("no ready file is written, and --profile local does not find this server: there is no folder for it; name a file with --ready-file", "reason", err)
			return nil
		} else if err != nil {
			return err
		}
	}
	l.readyFile = path
	if address, ok := connect.RunningServer(ctx, path, connect.ReadyFacts{}); ok {
		return l.leaveReadyFile(o, address)
	}
	if err := connect.CheckReadyFile(path); err != nil {
		if o.readyFile != "" {
			return err
		}
		l.logger.Warn("no ready file is written, and --profile local does not find this server: name another file with --ready-file", "reason", err)
		l.readyFile = ""
	}
	return nil
}

// leaveReadyFile leaves the ready file to the server that is running at an address.
func (l *local) leaveReadyFile(o *serveOptions, address string) error {
	path := l.readyFile
	l.readyFile = ""
	if o.readyFile != "" {
		return terminal.Usagef("--ready-file %s belongs to the server that is running at %s: choose another file, or stop that server", path, address)
	}
	l.logger.Warn("the ready file belongs to another server that is running, which --profile local keeps finding: this one writes none; name a file of its own with --ready-file", "file", path, "running", address)
	return nil
}

// writeReady writes the ready file. The listeners are open: connections wait
// until serve accepts them.
func (l *local) writeReady(ctx context.Context, o *serveOptions) error {
	if l.readyFile == "" {
		return nil
	}
	owner, err := connect.ClaimReadyFile(ctx, l.readyFile, l.facts.ReadyFacts)
	switch {
	case owner != "":
		return l.leaveReadyFile(o, owner)
	case err != nil && o.readyFile != "":
		return fmt.Errorf("the ready file cannot be written: %w; choose another with --ready-file", err)
	case err != nil:
		l.logger.Warn("the ready file cannot be written, and --profile local does not find this server: name another file with --ready-file", "reason", err)
		l.readyFile = ""
	default:
		if why := connect.CheckReadyFolder(l.readyFile); why != nil {
			l.logger.Warn("others could replace the ready file, by which commands send secrets", "reason", why)
		}
	}
	return nil
}
