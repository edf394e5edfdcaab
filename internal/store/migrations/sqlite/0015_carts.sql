-- +goose Up
-- +goose StatementBegin

-- What customers are about to buy. Whether a cart has expired follows from its document.
CREATE TABLE carts (
    partner_id  TEXT    NOT NULL,
    customer_id TEXT    NOT NULL,
    cart_id     TEXT    NOT NULL, -- lower case
    revision    INTEGER NOT NULL, -- changes since it was made
    doc         TEXT    NOT NULL, -- with prices
    facts       TEXT    NOT NULL, -- what was ordered of it, among others
    PRIMARY KEY (partner_id, customer_id, cart_id),
    FOREIGN KEY (partner_id, customer_id) REFERENCES customers
) WITHOUT ROWID, STRICT;

-- +goose StatementEnd
