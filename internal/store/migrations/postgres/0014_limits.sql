-- +goose Up
-- +goose StatementBegin

-- How many requests of a minute are given to servers. After a crash they are counted anew.
CREATE UNLOGGED TABLE windows (
    partner_id  text COLLATE "C" NOT NULL,
    customer_id text COLLATE "C" NOT NULL, -- empty for what is counted for the partner
    resource    text COLLATE "C" NOT NULL,
    start       bigint NOT NULL,
    given       bigint NOT NULL,
    last        bigint NOT NULL, -- how many were given last
    PRIMARY KEY (partner_id, customer_id, resource)
);

-- The servers that run, and when they last said so.
CREATE UNLOGGED TABLE servers (
    server bytea NOT NULL PRIMARY KEY,
    beat   timestamptz NOT NULL
);

-- +goose StatementEnd
