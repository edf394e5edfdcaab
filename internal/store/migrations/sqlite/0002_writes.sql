-- +goose Up
-- +goose StatementBegin

-- An order that was placed here has facts beside its document, which is as the
-- order will look when everything under way is done. Lists show it from visible on;
-- until settled, what is under way has to be taken out of the document.
ALTER TABLE orders ADD COLUMN revision INTEGER NOT NULL DEFAULT 0; -- changes since it was loaded or placed
ALTER TABLE orders ADD COLUMN visible  INTEGER NOT NULL DEFAULT 0; -- units as in created; 0: always
ALTER TABLE orders ADD COLUMN settled  INTEGER NOT NULL DEFAULT 0; -- the same
ALTER TABLE orders ADD COLUMN facts    TEXT;                       -- NULL for orders that were loaded

ALTER TABLE customers ADD COLUMN country   TEXT    NOT NULL DEFAULT ''; -- ISO 3166, or '' for the partner's
ALTER TABLE customers ADD COLUMN agreement INTEGER NOT NULL DEFAULT 1;  -- 1 when the customer agreement is confirmed

UPDATE customers SET country = upper(coalesce(
    doc ->> '$.companyProfile.address.country', doc ->> '$.billingProfile.defaultAddress.country', ''));

CREATE TABLE subscriptions (
    partner_id      TEXT    NOT NULL,
    customer_id     TEXT    NOT NULL,
    subscription_id TEXT    NOT NULL, -- lower case
    order_id        TEXT    NOT NULL,
    entitlement_id  TEXT    NOT NULL, -- of an Azure subscription, lower case, or ''
    parent_id       TEXT    NOT NULL, -- of an add-on, lower case, or ''
    mpn_id          TEXT    NOT NULL, -- of the indirect reseller, or ''
    offer_id        TEXT    NOT NULL, -- folded
    kind            TEXT    NOT NULL, -- of the item, or '' when nobody needed to know yet
    active          INTEGER NOT NULL, -- 0 once it is cancelled
    since           INTEGER NOT NULL, -- from when on it is there; units as in orders.created
    loaded          INTEGER NOT NULL, -- 1 when a loaded order made it
    doc             TEXT,             -- NULL: it follows from the order's line
    facts           TEXT,             -- NULL with doc
    PRIMARY KEY (partner_id, customer_id, subscription_id),
    FOREIGN KEY (partner_id, customer_id) REFERENCES customers
) WITHOUT ROWID, STRICT;

-- Each index costs every order a page to write, so that there are only partial
-- ones: for what is counted by partner, and for links in loaded documents that
-- leave the customer out. A customer's subscriptions are few and lie together.
CREATE INDEX subscriptions_of_azure ON subscriptions (partner_id, kind) WHERE kind IN ('usage', 'azure_plan');
CREATE INDEX subscriptions_loaded ON subscriptions (partner_id, subscription_id) WHERE loaded = 1;

-- What orders that are there already made.
INSERT INTO subscriptions (partner_id, customer_id, subscription_id, order_id, entitlement_id, parent_id, mpn_id, offer_id, kind, active, since, loaded)
SELECT o.partner_id, o.customer_id, lower(l.value ->> '$.subscriptionId'), o.order_id, '', '',
    coalesce(l.value ->> '$.partnerIdOnRecord', ''), lower(coalesce(l.value ->> '$.offerId', '')),
    CASE WHEN l.value ->> '$.offerId' LIKE 'MS-AZR-%' THEN 'usage' WHEN l.value ->> '$.offerId' LIKE 'DZH318Z0BPS6:%' THEN 'azure_plan' ELSE '' END,
    CASE WHEN coalesce(l.value ->> '$.quantity', 1) = 0 OR o.doc ->> '$.status' = 'cancelled' THEN 0 ELSE 1 END, 0, 1
FROM orders o, json_each(o.doc, '$.lineItems') l
WHERE l.value ->> '$.subscriptionId' <> ''
ON CONFLICT DO NOTHING;

-- Answers to writes that named themselves by an MS-RequestId, to be given again.
-- Rows are added at the end, so that a commit writes few pages.
CREATE TABLE requests (
    request_no INTEGER PRIMARY KEY,
    key        BLOB    NOT NULL UNIQUE, -- hash of partner, request id, method and path
    digest     BLOB    NOT NULL,        -- hash of the body
    made       INTEGER NOT NULL,        -- microseconds since 1970
    status     INTEGER NOT NULL,
    location   TEXT    NOT NULL,
    body       BLOB    NOT NULL
) STRICT;

CREATE TABLE attachments (
    partner_id    TEXT    NOT NULL,
    customer_id   TEXT    NOT NULL,
    order_id      TEXT    NOT NULL,
    attachment_id TEXT    NOT NULL,
    position      INTEGER NOT NULL, -- among the order's
    file_name     TEXT    NOT NULL,
    content_type  TEXT    NOT NULL,
    tender        INTEGER NOT NULL, -- 1 for a tender, 0 for a purchase order
    size          INTEGER NOT NULL,
    metadata      TEXT    NOT NULL, -- of the upload that brought it
    content       BLOB    NOT NULL,
    PRIMARY KEY (partner_id, customer_id, order_id, attachment_id),
    FOREIGN KEY (partner_id, customer_id) REFERENCES customers
) STRICT;

-- +goose StatementEnd
