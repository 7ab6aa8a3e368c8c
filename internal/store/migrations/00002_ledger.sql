-- +goose Up
CREATE TABLE ledger_entry (
    organization_id       TEXT    NOT NULL,
    sequence              BIGINT  NOT NULL,
    request_id            TEXT    NOT NULL,
    kind                  TEXT    NOT NULL,
    at                    BIGINT  NOT NULL,
    member_id             TEXT    NOT NULL,
    api_key_id            TEXT    NOT NULL,
    device_session_id     TEXT    NOT NULL,
    client_session        TEXT    NOT NULL,
    client_agent          TEXT    NOT NULL,
    client_parent_agent   TEXT    NOT NULL,
    upstream              TEXT    NOT NULL,
    model                 TEXT    NOT NULL,
    stream                BOOLEAN NOT NULL,
    status                BIGINT  NOT NULL,
    ending                TEXT    NOT NULL,
    estimated             BOOLEAN NOT NULL,
    input_tokens          BIGINT  NOT NULL,
    output_tokens         BIGINT  NOT NULL,
    cache_read_tokens     BIGINT  NOT NULL,
    cache_write_5m_tokens BIGINT  NOT NULL,
    cache_write_1h_tokens BIGINT  NOT NULL,
    cost_nanos            BIGINT  NOT NULL,
    reserved_nanos        BIGINT  NOT NULL,
    first_byte_us         BIGINT  NOT NULL,
    latency_us            BIGINT  NOT NULL,
    upstream_request_id   TEXT    NOT NULL,
    price_version         TEXT    NOT NULL,
    PRIMARY KEY (organization_id, sequence),
    -- The entries of a request carry the same time, so this is unique by request
    -- and kind; the time comes first because ids are random, and inserting at
    -- random places costs several times as much.
    UNIQUE (organization_id, at, request_id, kind)
);

-- Numbers are given under this row's lock, so that none appears before its
-- predecessor. Entries that were there already leave gaps.
CREATE TABLE ledger_head (
    id   BIGINT PRIMARY KEY,
    size BIGINT NOT NULL
);
INSERT INTO ledger_head (id, size) VALUES (1, 0);
