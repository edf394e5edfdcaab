-- +goose Up
-- +goose StatementBegin

CREATE TABLE users (
    partner_id TEXT NOT NULL REFERENCES partners,
    upn_key    TEXT NOT NULL, -- user principal name in lower case
    upn        TEXT NOT NULL,
    object_id  TEXT NOT NULL,
    name       TEXT NOT NULL,
    roles      TEXT NOT NULL, -- with blanks between them, or ''
    PRIMARY KEY (partner_id, upn_key)
) WITHOUT ROWID, STRICT;

-- +goose StatementEnd
