-- +goose Up
-- +goose StatementBegin

-- What apps may use for themselves. In the tenants of customers that was all that they
-- were consented to; elsewhere users consented to what apps do for them.
ALTER TABLE consents ADD COLUMN app_scope TEXT NOT NULL DEFAULT '';

UPDATE consents SET app_scope = scope
WHERE user_id = '' AND tenant_id IN (SELECT customer_id FROM customers) AND tenant_id NOT IN (SELECT partner_id FROM partners);

-- +goose StatementEnd
