-- +goose Up
-- +goose StatementBegin

-- Lists are JSON: they are read and written whole, with their app.
ALTER TABLE apps ADD COLUMN secrets       TEXT    NOT NULL DEFAULT '[]'; -- further ones: value, expires
ALTER TABLE apps ADD COLUMN certificates  TEXT    NOT NULL DEFAULT '[]'; -- pem, revoked
ALTER TABLE apps ADD COLUMN redirect_uris TEXT    NOT NULL DEFAULT '[]';
ALTER TABLE apps ADD COLUMN public        INTEGER NOT NULL DEFAULT 0; -- 1 when it signs users in without a credential of its own
ALTER TABLE apps ADD COLUMN multi_tenant  INTEGER NOT NULL DEFAULT 0; -- 1 when users of other tenants sign in to it
ALTER TABLE apps ADD COLUMN admin_consent INTEGER NOT NULL DEFAULT 0; -- 1 when an administrator consented for its own tenant
ALTER TABLE apps ADD COLUMN disabled      INTEGER NOT NULL DEFAULT 0;

ALTER TABLE users ADD COLUMN password TEXT    NOT NULL DEFAULT '';
ALTER TABLE users ADD COLUMN mfa      INTEGER NOT NULL DEFAULT 1; -- 1 when a second factor is registered
ALTER TABLE users ADD COLUMN disabled INTEGER NOT NULL DEFAULT 0;

-- Users that are there already get what new ones get: a random password.
UPDATE users SET password = lower(hex(randomblob(20)));

-- The tenant of these two is not always a partner's: apps of control panel
-- vendors are consented to in the tenants of customers.
CREATE TABLE consents (
    tenant_id TEXT    NOT NULL,
    client_id TEXT    NOT NULL,
    user_id   TEXT    NOT NULL, -- object id, or '' when it is the whole tenant's
    scope     TEXT    NOT NULL,
    created   INTEGER NOT NULL, -- microseconds since 1970
    PRIMARY KEY (tenant_id, client_id, user_id)
) WITHOUT ROWID, STRICT;

-- There is no index on expires: grants are few, and one is written at every
-- token refresh.
CREATE TABLE grants (
    grant_id  TEXT    NOT NULL PRIMARY KEY,
    tenant_id TEXT    NOT NULL,
    expires   INTEGER NOT NULL, -- microseconds since 1970
    data      BLOB    NOT NULL
) STRICT;

-- +goose StatementEnd
