-- Times are microseconds since 1970 in UTC, ids and JSON are TEXT, sealed values and hashes BYTEA.
-- The statements run unchanged on SQLite and PostgreSQL.

-- +goose Up
CREATE TABLE instance (
    id              BIGINT PRIMARY KEY,
    created_at      BIGINT NOT NULL,
    master_key_id   TEXT   NOT NULL,
    refresh_key     BYTEA  NOT NULL,
    log_public_key  TEXT   NOT NULL,
    log_private_key BYTEA  NOT NULL
);

CREATE TABLE signing_key (
    kid         TEXT   PRIMARY KEY,
    public_key  BYTEA  NOT NULL,
    private_key BYTEA  NOT NULL,
    created_at  BIGINT NOT NULL,
    active_at   BIGINT NOT NULL
);

CREATE TABLE organization (
    id         TEXT   PRIMARY KEY,
    name       TEXT   NOT NULL,
    settings   TEXT   NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE TABLE account (
    id         TEXT   PRIMARY KEY,
    email      TEXT   NOT NULL UNIQUE,
    name       TEXT   NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE TABLE authenticator (
    account_id TEXT   NOT NULL REFERENCES account (id),
    kind       TEXT   NOT NULL,
    data       TEXT   NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (account_id, kind)
);

CREATE TABLE member (
    id              TEXT   PRIMARY KEY,
    organization_id TEXT   NOT NULL REFERENCES organization (id),
    account_id      TEXT   NOT NULL REFERENCES account (id),
    role            TEXT   NOT NULL,
    status          TEXT   NOT NULL,
    created_at      BIGINT NOT NULL,
    UNIQUE (organization_id, account_id)
);
CREATE INDEX member_by_account ON member (account_id);

CREATE TABLE sign_in_link (
    hash            BYTEA   PRIMARY KEY,
    kind            TEXT    NOT NULL,
    organization_id TEXT    NOT NULL,
    account_id      TEXT    NOT NULL,
    reusable        BOOLEAN NOT NULL,
    created_at      BIGINT  NOT NULL,
    expires_at      BIGINT  NOT NULL,
    used_at         BIGINT
);

CREATE TABLE browser_session (
    hash            BYTEA  PRIMARY KEY,
    account_id      TEXT   NOT NULL REFERENCES account (id),
    organization_id TEXT   NOT NULL,
    address         TEXT   NOT NULL,
    user_agent      TEXT   NOT NULL,
    created_at      BIGINT NOT NULL,
    expires_at      BIGINT NOT NULL,
    ended_at        BIGINT
);
CREATE INDEX browser_session_by_account ON browser_session (account_id);

CREATE TABLE device_session (
    id              TEXT   PRIMARY KEY,
    organization_id TEXT   NOT NULL REFERENCES organization (id),
    member_id       TEXT   NOT NULL REFERENCES member (id),
    client_id       TEXT   NOT NULL,
    name            TEXT   NOT NULL,
    system          TEXT   NOT NULL,
    client_version  TEXT   NOT NULL,
    address         TEXT   NOT NULL,
    created_at      BIGINT NOT NULL,
    used_at         BIGINT NOT NULL,
    generation      BIGINT NOT NULL,
    ended_at        BIGINT,
    ended_why       TEXT   NOT NULL
);
CREATE INDEX device_session_by_member ON device_session (organization_id, member_id, created_at);

CREATE TABLE refresh_token (
    hash              BYTEA  PRIMARY KEY,
    organization_id   TEXT   NOT NULL,
    device_session_id TEXT   NOT NULL REFERENCES device_session (id),
    generation        BIGINT NOT NULL,
    created_at        BIGINT NOT NULL,
    expires_at        BIGINT NOT NULL,
    used_at           BIGINT
);
CREATE INDEX refresh_token_by_session ON refresh_token (device_session_id);

CREATE TABLE device_code (
    hash            BYTEA  PRIMARY KEY,
    user_code       TEXT   NOT NULL UNIQUE,
    client_id       TEXT   NOT NULL,
    name            TEXT   NOT NULL,
    system          TEXT   NOT NULL,
    client_version  TEXT   NOT NULL,
    address         TEXT   NOT NULL,
    status          TEXT   NOT NULL,
    organization_id TEXT   NOT NULL,
    member_id       TEXT   NOT NULL,
    created_at      BIGINT NOT NULL,
    expires_at      BIGINT NOT NULL,
    polled_at       BIGINT NOT NULL,
    poll_interval   BIGINT NOT NULL
);

CREATE TABLE auth_code (
    hash              BYTEA  PRIMARY KEY,
    client_id         TEXT   NOT NULL,
    redirect_uri      TEXT   NOT NULL,
    challenge         TEXT   NOT NULL,
    name              TEXT   NOT NULL,
    system            TEXT   NOT NULL,
    client_version    TEXT   NOT NULL,
    address           TEXT   NOT NULL,
    organization_id   TEXT   NOT NULL,
    member_id         TEXT   NOT NULL,
    created_at        BIGINT NOT NULL,
    expires_at        BIGINT NOT NULL,
    used_at           BIGINT,
    device_session_id TEXT   NOT NULL
);

CREATE TABLE api_key (
    id              TEXT   PRIMARY KEY,
    organization_id TEXT   NOT NULL REFERENCES organization (id),
    kind            TEXT   NOT NULL,
    name            TEXT   NOT NULL,
    hash            BYTEA  NOT NULL UNIQUE,
    hint            TEXT   NOT NULL,
    member_id       TEXT   NOT NULL,
    created_by      TEXT   NOT NULL,
    status          TEXT   NOT NULL,
    created_at      BIGINT NOT NULL,
    expires_at      BIGINT,
    used_at         BIGINT
);
CREATE INDEX api_key_by_organization ON api_key (organization_id, created_at, id);

CREATE TABLE upstream (
    id              TEXT   PRIMARY KEY,
    organization_id TEXT   NOT NULL REFERENCES organization (id),
    name            TEXT   NOT NULL,
    provider        TEXT   NOT NULL,
    base_url        TEXT   NOT NULL,
    credential      BYTEA  NOT NULL,
    place           BIGINT NOT NULL,
    created_at      BIGINT NOT NULL
);
CREATE INDEX upstream_by_organization ON upstream (organization_id, place);

CREATE TABLE activity (
    position        BIGINT PRIMARY KEY,
    id              TEXT   NOT NULL UNIQUE,
    organization_id TEXT   NOT NULL,
    at              BIGINT NOT NULL,
    type            TEXT   NOT NULL,
    actor           TEXT   NOT NULL,
    target          TEXT   NOT NULL,
    affects         TEXT   NOT NULL,
    leaf            BYTEA  NOT NULL,
    detail          BYTEA,
    salt            BYTEA
);
CREATE INDEX activity_by_organization ON activity (organization_id, position);

CREATE TABLE log_hash (
    position BIGINT PRIMARY KEY,
    hash     BYTEA  NOT NULL
);

CREATE TABLE log_head (
    id   BIGINT PRIMARY KEY,
    size BIGINT NOT NULL,
    note TEXT   NOT NULL
);
INSERT INTO log_head (id, size, note) VALUES (1, 0, '');
