-- +goose Up

-- Ways back to an address that an account had. Unlike other links in letters
-- there may be several: a second change must not take the first one's away.
CREATE TABLE email_undo (
    hash       BYTEA  PRIMARY KEY,
    account_id TEXT   NOT NULL REFERENCES account (id),
    email      TEXT   NOT NULL, -- that comes back; nobody else can have it until then
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX email_undo_by_account ON email_undo (account_id, created_at);
CREATE INDEX email_undo_by_email ON email_undo (email, expires_at);
CREATE INDEX email_undo_by_expiry ON email_undo (expires_at);

-- What is told of a sign-in whose second step never came.
ALTER TABLE half_sign_in ADD COLUMN address    TEXT NOT NULL DEFAULT '';
ALTER TABLE half_sign_in ADD COLUMN user_agent TEXT NOT NULL DEFAULT '';

-- Addresses that asked for an account; a newer link takes the place of the older.
CREATE TABLE sign_up (
    email      TEXT   PRIMARY KEY,
    hash       BYTEA  NOT NULL UNIQUE,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX sign_up_by_expiry ON sign_up (expires_at);
