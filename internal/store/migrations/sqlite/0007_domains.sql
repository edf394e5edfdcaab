-- +goose Up
-- +goose StatementBegin

-- Customers are tenants of the token authority, by their domains, too.
CREATE INDEX customers_by_domain ON customers (partner_id, domain);

-- +goose StatementEnd
