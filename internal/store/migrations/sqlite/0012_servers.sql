-- +goose Up
-- +goose StatementBegin

-- Whose answers they are, for databases that keep those of a customer together. Of the
-- answers that are there already nobody knows.
ALTER TABLE requests ADD COLUMN partner_id  TEXT NOT NULL DEFAULT '';
ALTER TABLE requests ADD COLUMN customer_id TEXT NOT NULL DEFAULT '';

-- +goose StatementEnd
