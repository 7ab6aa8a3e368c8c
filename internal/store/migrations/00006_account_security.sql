-- +goose Up

-- id is what a browser is called in lists: the hash changes with each new token.
ALTER TABLE browser_session ADD COLUMN id           TEXT   NOT NULL DEFAULT '';
ALTER TABLE browser_session ADD COLUMN method       TEXT   NOT NULL DEFAULT '';
ALTER TABLE browser_session ADD COLUMN confirmed_at BIGINT NOT NULL DEFAULT 0; -- when the person last proved who they are

CREATE TABLE passkey (
    id            TEXT   PRIMARY KEY,
    account_id    TEXT   NOT NULL REFERENCES account (id),
    credential_id BYTEA  NOT NULL UNIQUE,
    name          TEXT   NOT NULL,
    credential    TEXT   NOT NULL, -- JSON
    sign_count    BIGINT NOT NULL,
    created_at    BIGINT NOT NULL,
    used_at       BIGINT
);
CREATE INDEX passkey_by_account ON passkey (account_id, created_at, id);

CREATE TABLE totp (
    account_id TEXT   PRIMARY KEY REFERENCES account (id),
    secret     BYTEA  NOT NULL,
    step       BIGINT NOT NULL, -- of the last code that was used: it and older ones are refused
    created_at BIGINT NOT NULL,
    enabled_at BIGINT           -- NULL: the right code was not given yet
);

CREATE TABLE recovery_code (
    account_id TEXT  NOT NULL REFERENCES account (id),
    hash       BYTEA NOT NULL,
    used_at    BIGINT,
    PRIMARY KEY (account_id, hash)
);

-- A sign-in of which the second step is still to come.
CREATE TABLE half_sign_in (
    hash            BYTEA  PRIMARY KEY,
    account_id      TEXT   NOT NULL REFERENCES account (id),
    organization_id TEXT   NOT NULL,
    method          TEXT   NOT NULL,
    tries           BIGINT NOT NULL,
    created_at      BIGINT NOT NULL,
    expires_at      BIGINT NOT NULL
);
CREATE INDEX half_sign_in_by_account ON half_sign_in (account_id);
CREATE INDEX half_sign_in_by_expiry ON half_sign_in (expires_at);

-- What a passkey is to answer, by the browser that is to send the answer.
CREATE TABLE ceremony (
    bound      BYTEA  NOT NULL, -- the hash of the token that the browser has
    kind       TEXT   NOT NULL,
    data       TEXT   NOT NULL, -- JSON
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (bound, kind)
);
CREATE INDEX ceremony_by_expiry ON ceremony (expires_at);

-- Links that went out by mail; a newer one of a kind takes the place of the older.
-- There is no reference to the account: for an address that has none the same
-- statements run, and are taken back.
CREATE TABLE mail_link (
    account_id TEXT   NOT NULL,
    kind       TEXT   NOT NULL, -- password_reset or email_change
    hash       BYTEA  NOT NULL UNIQUE,
    email      TEXT   NOT NULL, -- that it was sent to
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (account_id, kind)
);

CREATE INDEX IF NOT EXISTS activity_by_target ON activity (target, position);
