-- +goose Up
-- +goose StatementBegin

-- Client assertions that have given a token, so that they give no other after a restart.
CREATE TABLE assertions (
    use_no       INTEGER PRIMARY KEY, -- in the order of use
    client_id    TEXT    NOT NULL,
    assertion_id BLOB    NOT NULL
) STRICT;

CREATE INDEX assertions_of_app ON assertions (client_id, use_no);

-- +goose StatementEnd
