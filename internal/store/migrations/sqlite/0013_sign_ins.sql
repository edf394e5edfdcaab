-- +goose Up
-- +goose StatementBegin

-- What is remembered of sign-ins: those under way, the codes that they give, families of
-- refresh tokens, used client assertions.
CREATE TABLE sign_ins (
    sign_in_no INTEGER PRIMARY KEY, -- in the order of their beginning
    kind       TEXT    NOT NULL,
    id         TEXT    NOT NULL,    -- case-sensitive
    revision   INTEGER NOT NULL,    -- counts changes
    owner      TEXT    NOT NULL,    -- who made it
    proved     INTEGER NOT NULL,    -- the owner has proved who it is
    expires    INTEGER NOT NULL,    -- when it may be forgotten, by the clock that people set
    system     INTEGER NOT NULL,    -- and by the system's
    data       BLOB    NOT NULL,
    UNIQUE (kind, id)
) STRICT;

CREATE INDEX sign_ins_of_owner ON sign_ins (kind, proved, owner, sign_in_no);
CREATE INDEX sign_ins_by_end ON sign_ins (kind, system);

INSERT INTO sign_ins (kind, id, revision, owner, proved, expires, system, data)
SELECT 'grant', grant_id, 1, '', 1, expires, expires, data FROM grants;

-- They may have been used just now; none is valid longer than this after its use.
INSERT INTO sign_ins (kind, id, revision, owner, proved, expires, system, data)
SELECT 'assertion', client_id || ' ' || lower(hex(assertion_id)), 1, client_id, 1, (unixepoch() + 3600) * 1000000, (unixepoch() + 3600) * 1000000, CAST('{}' AS BLOB)
FROM assertions WHERE true ORDER BY use_no
ON CONFLICT (kind, id) DO NOTHING;

DROP TABLE grants;
DROP TABLE assertions;

-- Only one partner has a client id, or a user name.
CREATE INDEX apps_by_id ON apps (client_id);
CREATE INDEX users_by_name ON users (upn_key);

-- +goose StatementEnd
