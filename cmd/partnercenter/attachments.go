package main

import (
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
)

var attachmentsView = oneLayout("attachments", []string{"ATTACHMENT ID", "FILE", "SIZE (KB)", "TYPE"}, []string{"attachmentId", "fileName", "sizeInKB", "attachmentType"},
	func(a *partnercenter.OrderAttachment) [][]string {
		return [][]string{{a.AttachmentID, a.FileName, number(a.SizeInKB), a.AttachmentType}}
	})

// attachOptions are the flags of orders attach.
type attachOptions struct {
	connection                     *connection
	output                         outputOptions
	write                          writeOptions
	customer                       string
	purchaseOrders, tenders        []string
	price, currency, rate, tendURL string
	partOfTender                   bool
}

func newOrdersAttachCmd(app *app, c *connection) *cobra.Command {
	o := &attachOptions{connection: c}
	cmd := &cobra.Command{
		Use:   "attach ORDER --customer ID --po FILE --price AMOUNT --currency CODE",
		Short: "Attach purchase orders to an order",
		Long: `Attach purchase orders, and tenders, to an order that waits for them
(pending_po_upload). Its provisioning begins with that.

An order that is part of a tender has --part-of-tender, and the tender's files or
address.` + writeHelp,
		Example: `  partnercenter orders attach ORDER --customer ID --po PO.pdf --price 156.87 --currency CAD
  partnercenter orders attach ORDER --customer ID --po PO.pdf --price 156.87 --currency CAD \
    --part-of-tender --tender Tender.pdf --fx-rate 1.2`,
		Args:              oneArg("order id"),
		ValidArgsFunction: cobra.NoFileCompletions,
		PreRunE:           exclusive("output", "json"),
		RunE:              func(cmd *cobra.Command, args []string) error { return o.run(cmd.Context(), app, args[0]) },
	}
	f := cmd.Flags()
	f.SortFlags = false
	addCustomerFlag(cmd, &o.customer)
	f.StringArrayVar(&o.purchaseOrders, "po", nil, "`file` with a purchase order; can be repeated")
	f.StringArrayVar(&o.tenders, "tender", nil, "`file` with a tender; can be repeated")
	f.StringVar(&o.price, "price", "", "what the customer pays: a decimal `amount`")
	f.StringVar(&o.currency, "currency", "", "its currency: a `code` such as USD")
	f.StringVar(&o.rate, "fx-rate", "", "exchange `rate`, if there was one")
	f.BoolVar(&o.partOfTender, "part-of-tender", false, "the order is part of a tender")
	f.StringVar(&o.tendURL, "tender-link", "", "`URL` of the tender, instead of --tender")
	o.write.addFlags(cmd)
	o.output.addFlags(cmd)
	for _, free := range []string{"price", "currency", "fx-rate", "tender-link"} {
		_ = cmd.RegisterFlagCompletionFunc(free, cobra.NoFileCompletions)
	}
	return cmd
}

func (o *attachOptions) run(ctx context.Context, app *app, order string) error {
	switch {
	case o.customer == "":
		return errWhichCustomer
	case len(o.purchaseOrders) == 0:
		return usageErrorf("what is to be attached? Give a purchase order with --po FILE")
	case o.price == "" || o.currency == "":
		return usageErrorf("what does the customer pay? Give --price AMOUNT and --currency CODE")
	case o.partOfTender && len(o.tenders) == 0 && o.tendURL == "":
		return usageErrorf("the tender is missing: give its files with --tender, or its address with --tender-link")
	}
	p, err := newPrinter(app, &o.output, attachmentsView)
	if err != nil {
		return err
	}
	w, err := newWriter(app, o.connection, &o.write, false)
	if err != nil {
		return err
	}
	change := &change{what: "attach files to an order", question: "Attach these files?"}
	if err := w.describeCustomer(ctx, change, o.customer); err != nil {
		return err
	}
	change.add("order", order)
	change.add("price", o.price+" "+o.currency)
	upload := partnercenter.AttachmentUpload{Metadata: partnercenter.AttachmentMetadata{
		CustomerPrice: o.price, Currency: o.currency, FxRate: o.rate, TenderLink: o.tendURL,
	}}
	if o.partOfTender {
		upload.Metadata.IsPartOfTender = new(true)
	}
	var files openFiles
	defer files.close()
	if upload.PurchaseOrders, err = files.open(change, "purchase order", o.purchaseOrders); err != nil {
		return err
	}
	if upload.Tenders, err = files.open(change, "tender", o.tenders); err != nil {
		return err
	}
	if err := w.confirm(ctx, change); err != nil {
		return err
	}
	var attached *partnercenter.Collection[*partnercenter.OrderAttachment]
	done, err := w.do(ctx, change, func(ctx context.Context) error {
		attached, err = w.pc.Customers.ByID(o.customer).Orders.ByID(order).Attachments.Upload(ctx, upload)
		return err
	})
	if !done {
		return err
	}
	for _, attachment := range attached.Items {
		if err := p.add(attachment); err != nil {
			return err
		}
	}
	return p.end()
}

// openFiles are files that are read until the command ends.
type openFiles []*os.File

func (o *openFiles) open(c *change, what string, names []string) ([]partnercenter.AttachmentFile, error) {
	var files []partnercenter.AttachmentFile
	for _, name := range names {
		f, err := os.Open(name)
		if err != nil {
			return nil, usageErrorf("the %s cannot be read: %v", what, err)
		}
		*o = append(*o, f)
		info, err := f.Stat()
		if err != nil || !info.Mode().IsRegular() {
			return nil, usageErrorf("the %s %s is no plain file", what, name)
		}
		c.add(what, fmt.Sprintf("%s (%d bytes)", name, info.Size()))
		files = append(files, partnercenter.AttachmentFile{Name: filepath.Base(name), Content: f})
	}
	return files, nil
}

func (o *openFiles) close() {
	for _, f := range *o {
		f.Close()
	}
}

func newOrdersAttachmentsCmd(app *app, c *connection) *cobra.Command {
	var download, file string
	var force bool
	cmd := show[*partnercenter.OrderAttachment]{
		use:   "attachments ORDER --customer ID",
		short: "List what is attached to an order, or download it",
		long: `List what is attached to an order. With --download, write one attachment to a file
instead.`,
		example: `  partnercenter orders attachments ORDER --customer ID
  partnercenter orders attachments ORDER --customer ID --download ed64c99f750115 -O PO.pdf`,
		id:   "order id",
		view: attachmentsView,
		flags: func(cmd *cobra.Command) {
			f := cmd.Flags()
			f.StringVar(&download, "download", "", "`id` of an attachment to download")
			f.StringVarP(&file, "output-file", "O", "", "`file` to write it to; - for standard output (default: the name that the service gives)")
			f.BoolVar(&force, "force", false, "overwrite a file that is there")
			_ = cmd.RegisterFlagCompletionFunc("download", cobra.NoFileCompletions)
		},
		all: func(ctx context.Context, c *partnercenter.CustomerClient, id string) iter.Seq2[*partnercenter.OrderAttachment, error] {
			return c.Orders.ByID(id).Attachments.All(ctx)
		},
	}.command(app, c)
	list := cmd.RunE
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		customer, _ := cmd.Flags().GetString("customer")
		switch {
		case download == "" && (file != "" || force):
			return usageErrorf("-O and --force go with --download ID")
		case download == "" || customer == "":
			return list(cmd, args)
		}
		if file != "" && file != "-" {
			if err := free(file, force); err != nil {
				return err
			}
		}
		pc, err := c.client(app, false)
		if err != nil {
			return err
		}
		content, err := pc.Customers.ByID(customer).Orders.ByID(args[0]).Attachments.ByID(download).Download(cmd.Context())
		if err != nil {
			return err
		}
		defer content.Body.Close()
		if file == "-" {
			_, err := io.Copy(app.stdout, content.Body)
			return err
		}
		if file == "" {
			if file = content.Name; file == "" || file == "." || file == ".." {
				return errors.New("the service gives no name for the file: give one with -O FILE")
			}
			if err := free(file, force); err != nil {
				return err
			}
		}
		return saveFile(app, file, content.Body)
	}
	return cmd
}

// free refuses the name of a file that is there.
func free(name string, force bool) error {
	switch _, err := os.Lstat(name); {
	case err == nil && !force:
		return usageErrorf("%s is there already: give another name with -O, or --force", name)
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return err
	}
	return nil
}

// saveFile writes a file whole, or not at all.
func saveFile(app *app, name string, content io.Reader) error {
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
	if err := os.Rename(part.Name(), name); err != nil {
		return err
	}
	app.linef("%s: %d bytes", name, n)
	return nil
}
