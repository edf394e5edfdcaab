-- +goose Up
-- +goose StatementBegin

-- The columns are explained in the step of SQLite.
CREATE TABLE carts (
    partner_id  text COLLATE "C" NOT NULL,
    customer_id text COLLATE "C" NOT NULL,
    cart_id     text COLLATE "C" NOT NULL,
    revision    bigint NOT NULL,
    doc         text COLLATE "C" NOT NULL,
    facts       text COLLATE "C" NOT NULL,
    PRIMARY KEY (partner_id, customer_id, cart_id),
    FOREIGN KEY (partner_id, customer_id) REFERENCES customers
) PARTITION BY HASH (customer_id);

DO $$
BEGIN
    FOR n IN 0..7 LOOP
        EXECUTE format('CREATE TABLE carts_%s PARTITION OF carts FOR VALUES WITH (MODULUS 8, REMAINDER %s)', n, n);
    END LOOP;
END
$$;

-- +goose StatementEnd
