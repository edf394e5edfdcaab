-- +goose Up
-- +goose StatementBegin

CREATE TABLE settings (
    name  TEXT NOT NULL PRIMARY KEY,
    value BLOB NOT NULL
) WITHOUT ROWID, STRICT;

CREATE TABLE signing_keys (
    key_id  TEXT    NOT NULL PRIMARY KEY,
    pem     BLOB    NOT NULL,
    created INTEGER NOT NULL, -- microseconds since 1970
    revoked INTEGER NOT NULL  -- the same; 0 while it may sign
) WITHOUT ROWID, STRICT;

CREATE TABLE partners (
    partner_id TEXT NOT NULL PRIMARY KEY,
    name       TEXT NOT NULL,
    domain     TEXT NOT NULL,
    mpn_id     TEXT NOT NULL,
    country    TEXT NOT NULL
) WITHOUT ROWID, STRICT;

CREATE TABLE apps (
    partner_id TEXT NOT NULL REFERENCES partners,
    client_id  TEXT NOT NULL,
    object_id  TEXT NOT NULL,
    name       TEXT NOT NULL,
    secret     TEXT NOT NULL,
    PRIMARY KEY (partner_id, client_id)
) WITHOUT ROWID, STRICT;

CREATE TABLE indirect_resellers (
    partner_id  TEXT NOT NULL REFERENCES partners,
    reseller_id TEXT NOT NULL,
    name        TEXT NOT NULL,
    mpn_id      TEXT NOT NULL,
    location    TEXT NOT NULL,
    PRIMARY KEY (partner_id, reseller_id)
) WITHOUT ROWID, STRICT;

CREATE TABLE customers (
    partner_id   TEXT    NOT NULL REFERENCES partners,
    customer_id  TEXT    NOT NULL,
    active       INTEGER NOT NULL, -- 0 when the relationship to the partner is none
    reseller_id  TEXT    NOT NULL, -- tenant id of the indirect reseller, or ''
    company_name TEXT    NOT NULL, -- folded, for filters; so is the domain
    domain       TEXT    NOT NULL,
    summary      TEXT    NOT NULL, -- the document as lists carry it
    doc          TEXT    NOT NULL, -- the document as it answers by id
    PRIMARY KEY (partner_id, customer_id)
) WITHOUT ROWID, STRICT;

-- WITHOUT ROWID stores the rows in the order of their key: the orders of one
-- customer are one short range of neighbouring pages, and lie there as lists
-- answer them, the other way round: new orders then come at the end of the range,
-- which fills pages better.
CREATE TABLE orders (
    partner_id         TEXT    NOT NULL,
    customer_id        TEXT    NOT NULL,
    created            INTEGER NOT NULL, -- instant of creationDate in units of 100 ns since year 1
    order_id           TEXT    NOT NULL, -- lower case when it is a GUID, else exact
    billing_cycle      TEXT    NOT NULL, -- normalized, or ''
    system             INTEGER NOT NULL, -- 1 for system purchases and system billing
    partners_on_record TEXT    NOT NULL, -- the MPN ids of the lines between blanks: ' 12 34 ', or ''
    doc                TEXT    NOT NULL, -- without prices
    priced_doc         TEXT,             -- with prices, when the order has any
    PRIMARY KEY (partner_id, customer_id, created, order_id),
    UNIQUE (partner_id, customer_id, order_id),
    FOREIGN KEY (partner_id, customer_id) REFERENCES customers
) WITHOUT ROWID, STRICT;

-- +goose StatementEnd
