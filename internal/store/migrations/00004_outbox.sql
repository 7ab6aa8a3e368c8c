-- +goose Up
-- A letter's rows are two: what lists show, and its sealed content, which is
-- deleted once nobody needs it any more.
CREATE TABLE outbox (
    id              TEXT    PRIMARY KEY,
    organization_id TEXT    NOT NULL, -- empty: it concerns the whole server
    kind            TEXT    NOT NULL,
    address         TEXT    NOT NULL,
    name            TEXT    NOT NULL,
    subject         TEXT    NOT NULL,
    about           TEXT    NOT NULL,
    bulk            BOOLEAN NOT NULL, -- one of many: others go first
    status          TEXT    NOT NULL,
    attempts        BIGINT  NOT NULL,
    next_at         BIGINT  NOT NULL, -- not sent before; while a node sends it, when the others may take it over
    last_error      TEXT    NOT NULL,
    created_at      BIGINT  NOT NULL,
    tried_at        BIGINT, -- the first attempt
    sent_at         BIGINT,
    expires_at      BIGINT
);
CREATE INDEX outbox_due ON outbox (bulk, next_at) WHERE status IN ('waiting', 'queued');
CREATE INDEX outbox_next ON outbox (next_at) WHERE status IN ('waiting', 'queued');
-- With address and name, a search reads the index alone until it has found something.
CREATE INDEX outbox_by_organization ON outbox (organization_id, created_at, id, address, name);
CREATE INDEX outbox_by_status ON outbox (organization_id, status, created_at, id);
CREATE INDEX outbox_by_about ON outbox (about) WHERE status IN ('waiting', 'queued', 'failed');
CREATE INDEX outbox_by_age ON outbox (created_at);

CREATE TABLE outbox_content (
    message_id TEXT  PRIMARY KEY REFERENCES outbox (id) ON DELETE CASCADE,
    text       BYTEA NOT NULL,
    html       BYTEA NOT NULL,
    link       BYTEA NOT NULL
);
