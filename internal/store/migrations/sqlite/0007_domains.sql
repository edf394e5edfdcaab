-- +goose Up
-- +goose StatementBegin

-- Customers are tenants of the token authority, by their domains, too.
CREATE INDEX customers_by_domain ON customers (partner_id, domain);

-- The domains that a customer has besides the one of its profile.
CREATE TABLE customer_domains (
    partner_id  TEXT NOT NULL,
    customer_id TEXT NOT NULL,
    domain      TEXT NOT NULL, -- folded
    PRIMARY KEY (partner_id, customer_id, domain),
    FOREIGN KEY (partner_id, customer_id) REFERENCES customers
) WITHOUT ROWID, STRICT;

CREATE INDEX customer_domains_by_domain ON customer_domains (partner_id, domain);

INSERT INTO customer_domains (partner_id, customer_id, domain)
SELECT DISTINCT c.partner_id, c.customer_id, lower(d.value)
FROM customers c, json_each(c.doc, '$.customDomains') d WHERE d.type = 'text';

-- +goose StatementEnd
