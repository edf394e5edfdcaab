package api

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/command"
	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/terminal"
	"github.com/partnercenter-go/partnercenter/internal/ascii"
	"github.com/partnercenter-go/partnercenter/internal/quote"
	"github.com/partnercenter-go/partnercenter/internal/textfile"
	"github.com/partnercenter-go/partnercenter/internal/words"
)

var attachmentsView = &terminal.View[*partnercenter.OrderAttachment]{
	Plural: "attachments",
	Columns: []terminal.Column[*partnercenter.OrderAttachment]{
		{Name: "attachmentId", Kind: terminal.ID, Value: func(a *partnercenter.OrderAttachment) any { return a.AttachmentID }},
		{Name: "fileName", Header: "FILE", Value: func(a *partnercenter.OrderAttachment) any { return a.FileName }},
		{Name: "sizeInKB", Header: "SIZE (KB)", Rank: 1, Value: func(a *partnercenter.OrderAttachment) any { return a.SizeInKB }},
		{Name: "attachmentType", Header: "TYPE", Rank: 2, Value: func(a *partnercenter.OrderAttachment) any { return a.AttachmentType }},
	},
}

func ordersAttach() command.Form {
	var (
		purchaseOrders, tenders []string
		partOfTender            bool
		files                   openFiles
		upload                  partnercenter.AttachmentUpload
	)
	about := &upload.Metadata
	return command.ChangeSeveral(command.Spec{
		Use: "attach ORDER --customer ID --po FILE --price AMOUNT --currency CODE", Arg: "order id", Customer: true,
		Short: "Attach purchase orders to an order",
		Long: `Attach purchase orders and tenders to an order that awaits them (status
pending_po_upload). Provisioning then begins.

For an order that is part of a tender, give --part-of-tender and the tender's files
or its address.`,
		Example: `  partnercenter orders attach ORDER --customer ID --po PO.pdf --price 156.87 --currency CAD
  partnercenter orders attach ORDER --customer ID --po PO.pdf --price 156.87 --currency CAD \
    --part-of-tender --tender Tender.pdf --fx-rate 1.2`,
		Flags: func(cmd *cobra.Command) {
			f := cmd.Flags()
			f.StringArrayVar(&purchaseOrders, "po", nil, "`file` with a purchase order; can be repeated")
			f.StringArrayVar(&tenders, "tender", nil, "`file` with a tender; can be repeated")
			f.StringVar(&about.CustomerPrice, "price", "", "the customer's price: a decimal `amount`")
			f.StringVar(&about.Currency, "currency", "", "its currency: a `code` such as USD")
			f.StringVar(&about.FxRate, "fx-rate", "", "exchange `rate`, if any")
			f.BoolVar(&partOfTender, "part-of-tender", false, "the order is part of a tender")
			f.StringVar(&about.TenderLink, "tender-link", "", "`URL` of the tender, instead of --tender")
		},
		Check: func(*command.Call) error {
			switch {
			case len(purchaseOrders) == 0:
				return terminal.Usagef("there is nothing to attach: give a purchase order with --po FILE")
			case about.CustomerPrice == "" || about.Currency == "":
				return terminal.Usagef("the customer's price is missing: give --price AMOUNT and --currency CODE")
			case partOfTender && len(tenders) == 0 && about.TenderLink == "":
				return terminal.Usagef("the tender is missing: give its files with --tender, or its address with --tender-link")
			}
			return nil
		},
	}, attachmentsView, command.Plan{
		What: "attach files to an order", Question: "Attach these files?",
		Describe: func(_ context.Context, call *command.Call, p *command.Plan) (err error) {
			p.Add("order", call.Arg)
			p.Add("price", about.CustomerPrice+" "+about.Currency)
			if partOfTender {
				about.IsPartOfTender = new(true)
			}
			if upload.PurchaseOrders, err = files.open(p, "purchase order", purchaseOrders); err == nil {
				upload.Tenders, err = files.open(p, "tender", tenders)
			}
			return err
		},
	}, func(ctx context.Context, call *command.Call) ([]*partnercenter.OrderAttachment, error) {
		defer files.close()
		attached, err := order(call).Attachments.Upload(ctx, &upload)
		if err != nil {
			return nil, err
		}
		return attached.Items, nil
	})
}

// openFiles are files to close at the end of the command.
type openFiles []*os.File

func (o *openFiles) open(p *command.Plan, what string, names []string) ([]partnercenter.AttachmentFile, error) {
	var files []partnercenter.AttachmentFile
	for _, name := range names {
		f, err := os.Open(name)
		if err != nil {
			return nil, terminal.Usagef("the %s cannot be read: %v", what, err)
		}
		*o = append(*o, f)
		info, err := f.Stat()
		if err != nil || !info.Mode().IsRegular() {
			return nil, terminal.Usagef("the %s %s is not a regular file", what, name)
		}
		p.Add(what, fmt.Sprintf("%s (%s)", name, words.Count(info.Size(), "byte")))
		files = append(files, partnercenter.AttachmentFile{Name: filepath.Base(name), Content: f})
	}
	return files, nil
}

func (o *openFiles) close() {
	for _, f := range *o {
		f.Close()
	}
}

func ordersAttachments() command.Form {
	var (
		id, file string
		force    bool
	)
	return command.List(command.Spec{
		Use: "attachments ORDER --customer ID", Arg: "order id", Customer: true,
		Short: "List or download the attachments of an order",
		Long: `List the attachments of an order. With --download, write one attachment to a file
instead.`,
		Example: `  partnercenter orders attachments ORDER --customer ID
  partnercenter orders attachments ORDER --customer ID --download ed64c99f750115 -O PO.pdf`,
		Flags: func(cmd *cobra.Command) {
			f := cmd.Flags()
			f.StringVar(&id, "download", "", "`id` of an attachment to download")
			f.StringVarP(&file, "output-file", "O", "", "`file` to write it to; - for standard output (default: the attachment's name)")
			f.BoolVar(&force, "force", false, "overwrite an existing file")
		},
		Check: func(*command.Call) error {
			switch {
			case id == "" && (file != "" || force):
				return terminal.Usagef("-O and --force require --download ID")
			case id != "" && file != "" && file != "-":
				_, err := placeFor(file, force)
				return err
			}
			return nil
		},
	}, attachmentsView, func(ctx context.Context, call *command.Call) iter.Seq2[*partnercenter.OrderAttachment, error] {
		if id != "" {
			return command.Item[*partnercenter.OrderAttachment](nil, cmp.Or(download(ctx, call, id, file, force), command.ErrDone))
		}
		return order(call).Attachments.All(ctx)
	})
}

func download(ctx context.Context, call *command.Call, id, file string, force bool) error {
	content, err := order(call).Attachments.ByID(id).Download(ctx)
	if err != nil {
		return err
	}
	defer content.Body.Close()
	switch file {
	case "-":
		_, err := io.Copy(call.Term.Stdout, content.Body)
		return err
	case "":
		if file, err = chosenName(ctx, call.Term, content); err != nil {
			return err
		}
	}
	if file, err = placeFor(file, force); err != nil {
		return err
	}
	return saveFile(call.Term, file, content.Body, force)
}

// chosenName returns the name for a file that the service names. The user decides about
// one that was not safe.
func chosenName(ctx context.Context, term *terminal.Terminal, content *partnercenter.AttachmentContent) (string, error) {
	switch name := content.Name; {
	case content.SentName == "":
		return "", terminal.Usagef("the service did not name the file: give a name with -O FILE")
	case name == content.SentName:
		return name, nil
	case name != "" && term.StdinTTY:
		answer, err := term.Ask(ctx, fmt.Sprintf("The service calls the file %s, which is not safe as a name. Save it as %s? [y/N] ", quote.Text(content.SentName), name))
		if err != nil || ascii.EqualFold(answer, "y") || ascii.EqualFold(answer, "yes") {
			return name, err
		}
	}
	return "", terminal.Usagef("the service calls the file %s, which is not safe as a name: give one with -O FILE", quote.Text(content.SentName))
}

// existsError reports that a file would be overwritten.
func existsError(name string) error {
	return terminal.Usagef("%s already exists: give another name with -O, or use --force", name)
}

// placeFor returns the file to write for a name: with force what a link leads to, which
// stays a link. It fails if the name is taken, or cannot be given to a file.
func placeFor(name string, force bool) (string, error) {
	_, err := os.Lstat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return name, nil
	case err != nil:
		return "", err
	case !force:
		return "", existsError(name)
	}
	if target, err := filepath.EvalSymlinks(name); err == nil {
		name = target
	}
	if err := textfile.CheckReplaceable(name); err != nil {
		return "", terminal.Usagef("%v with -O", err)
	}
	return name, nil
}

// saveFile writes a file atomically.
func saveFile(term *terminal.Terminal, name string, content io.Reader, force bool) error {
	part, err := os.CreateTemp(filepath.Dir(name), ".partnercenter-*")
	if err != nil {
		return err
	}
	defer os.Remove(part.Name()) // gone after the rename
	n, err := io.Copy(part, content)
	if closeErr := part.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return err
	}
	if err := place(part.Name(), name, force); err != nil {
		return err
	}
	term.Linef("%s: %s", name, words.Count(n, "byte"))
	return nil
}

// place gives a file its name. Without force it fails if another has it, also one that
// was made during the download.
func place(part, name string, force bool) error {
	if !force {
		switch err := os.Link(part, name); { // unlike a rename, it replaces nothing
		case err == nil:
			return nil
		case errors.Is(err, fs.ErrExist):
			return existsError(name)
		}
		// A file system without hard links.
		f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if errors.Is(err, fs.ErrExist) {
			return existsError(name)
		}
		if err != nil {
			return err
		}
		f.Close()
	}
	if err := textfile.CheckReplaceable(name); err != nil { // made during the download
		return terminal.Usagef("%v with -O", err)
	}
	err := os.Rename(part, name)
	if err != nil && !force {
		os.Remove(name) // the empty one
	}
	return err
}
