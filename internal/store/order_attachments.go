package store

import (
	"context"
	"database/sql"
	"errors"
)

// ErrAttachmentNotFound says that the order has no such attachment.
var ErrAttachmentNotFound = errors.New("the order has no such attachment; list its attachments for their ids")

// Attachment is a file attached to an order.
type Attachment struct {
	ID          string // 14 hex digits
	FileName    string
	ContentType string
	Tender      bool // else a purchase order
	Size        int64
	Metadata    string // JSON, of the upload that it came with
	Content     []byte // nil in lists
}

const putAttachmentSQL = `
INSERT INTO attachments (partner_id, customer_id, order_id, attachment_id, position, file_name, content_type, tender, size, metadata, content)
VALUES ($1, $2, $3, $4, (SELECT count(*) FROM attachments WHERE partner_id = $1 AND customer_id = $2 AND order_id = $3), $5, $6, $7, $8, $9, $10)`

// attachmentArgs returns the parameters of putAttachmentSQL.
func attachmentArgs(j *job, a *Attachment) []any {
	return []any{j.partner, j.customer, orderKey(j.Order.Order.ID), a.ID, a.FileName, a.ContentType, boolToInt(a.Tender), a.Size, a.Metadata, a.Content}
}

// Attachments lists the files attached to an order, without their contents, in the
// order of their arrival. It fails with [ErrNotYours] or [ErrOrderNotFound].
func (s *Store) Attachments(ctx context.Context, partnerID, customerID, orderID string) ([]Attachment, error) {
	if _, err := s.GetOrder(ctx, partnerID, customerID, orderID, false); err != nil {
		return nil, err
	}
	return queryAll(ctx, s, "attachments", func(rows *sql.Rows) (a Attachment, err error) {
		return a, rows.Scan(&a.ID, &a.FileName, &a.ContentType, &a.Tender, &a.Size, &a.Metadata)
	}, `
SELECT attachment_id, file_name, content_type, tender, size, metadata FROM attachments
WHERE partner_id = $1 AND customer_id = $2 AND order_id = $3 ORDER BY position`, idKey(partnerID), idKey(customerID), orderKey(orderID))
}

// GetAttachment returns a file. It fails with [ErrNotYours],
// [ErrOrderNotFound] or [ErrAttachmentNotFound].
func (s *Store) GetAttachment(ctx context.Context, partnerID, customerID, orderID, id string) (*Attachment, error) {
	if _, err := s.GetOrder(ctx, partnerID, customerID, orderID, false); err != nil {
		return nil, err
	}
	a := &Attachment{ID: id}
	err := s.read.QueryRowContext(ctx, `
SELECT file_name, content_type, tender, size, metadata, content FROM attachments
WHERE partner_id = $1 AND customer_id = $2 AND order_id = $3 AND attachment_id = $4`,
		idKey(partnerID), idKey(customerID), orderKey(orderID), fold(id)).
		Scan(&a.FileName, &a.ContentType, &a.Tender, &a.Size, &a.Metadata, &a.Content)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, ErrAttachmentNotFound
	}
	return a, s.wrapError("attachment", err)
}
