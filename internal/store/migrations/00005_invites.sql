-- +goose Up

-- When somebody last proved that they read the account's address; NULL: never.
ALTER TABLE account ADD COLUMN verified_at BIGINT;

-- The token is derived from the id, so the hash is all that is needed of it.
CREATE TABLE invite (
    id              TEXT   PRIMARY KEY,
    organization_id TEXT   NOT NULL REFERENCES organization (id),
    email           TEXT   NOT NULL,
    name            TEXT   NOT NULL,
    role            TEXT   NOT NULL,
    groups          TEXT   NOT NULL, -- ids, separated by spaces
    workspaces      TEXT   NOT NULL, -- the same
    status          TEXT   NOT NULL, -- pending, accepted, expired or deleted; pending ones may have run out
    hash            BYTEA  NOT NULL UNIQUE,
    batch_id        TEXT   NOT NULL,
    link_id         TEXT   NOT NULL,
    invited_by      TEXT   NOT NULL,
    inviter         TEXT   NOT NULL, -- for people to read
    created_at      BIGINT NOT NULL,
    expires_at      BIGINT NOT NULL,
    sent_at         BIGINT NOT NULL,
    ended_at        BIGINT,
    member_id       TEXT   NOT NULL
);
CREATE UNIQUE INDEX invite_pending ON invite (organization_id, email) WHERE status = 'pending';
CREATE INDEX invite_by_organization ON invite (organization_id, created_at, id);
CREATE INDEX invite_by_status ON invite (organization_id, status, created_at, id);
CREATE INDEX invite_by_address ON invite (organization_id, email);
CREATE INDEX invite_by_batch ON invite (batch_id) WHERE batch_id <> '';
CREATE INDEX invite_by_link ON invite (link_id, status) WHERE link_id <> '';
CREATE INDEX invite_by_expiry ON invite (expires_at) WHERE status = 'pending';

CREATE TABLE invite_batch (
    id              TEXT   PRIMARY KEY,
    organization_id TEXT   NOT NULL REFERENCES organization (id),
    state           TEXT   NOT NULL,
    made_by         TEXT   NOT NULL,
    maker_kind      TEXT   NOT NULL,
    maker           TEXT   NOT NULL, -- for people to read
    address         TEXT   NOT NULL, -- where the sender's request came from
    role            TEXT   NOT NULL, -- of lines that name none
    groups          TEXT   NOT NULL,
    workspaces      TEXT   NOT NULL,
    created_at      BIGINT NOT NULL,
    started_at      BIGINT,
    done_at         BIGINT
);
CREATE INDEX invite_batch_by_organization ON invite_batch (organization_id, created_at, id);
CREATE INDEX invite_batch_under_way ON invite_batch (state) WHERE state = 'sending';
CREATE INDEX invite_batch_by_age ON invite_batch (created_at);

CREATE TABLE invite_line (
    batch_id   TEXT   NOT NULL REFERENCES invite_batch (id) ON DELETE CASCADE,
    number     BIGINT NOT NULL,
    raw        TEXT   NOT NULL,
    typed      TEXT   NOT NULL,
    email      TEXT   NOT NULL,
    name       TEXT   NOT NULL,
    role       TEXT   NOT NULL,
    groups     TEXT   NOT NULL,
    workspaces TEXT   NOT NULL,
    state      TEXT   NOT NULL,
    note       TEXT   NOT NULL,
    invite_id  TEXT   NOT NULL,
    PRIMARY KEY (batch_id, number)
);
CREATE INDEX invite_line_by_state ON invite_line (batch_id, state, number);

CREATE TABLE invite_link (
    id              TEXT   PRIMARY KEY,
    organization_id TEXT   NOT NULL REFERENCES organization (id),
    role            TEXT   NOT NULL,
    domains         TEXT   NOT NULL, -- separated by spaces
    round           BIGINT NOT NULL, -- counts regenerations: the token is derived from it
    hash            BYTEA  NOT NULL UNIQUE,
    made_by         TEXT   NOT NULL,
    maker           TEXT   NOT NULL,
    created_at      BIGINT NOT NULL,
    expires_at      BIGINT NOT NULL,
    disabled_at     BIGINT
);
CREATE INDEX invite_link_by_organization ON invite_link (organization_id, created_at, id);

CREATE TABLE member_proposal (
    id              TEXT   PRIMARY KEY,
    organization_id TEXT   NOT NULL REFERENCES organization (id),
    email           TEXT   NOT NULL,
    name            TEXT   NOT NULL,
    why             TEXT   NOT NULL,
    member_id       TEXT   NOT NULL REFERENCES member (id),
    state           TEXT   NOT NULL, -- waiting, approved or declined
    decided_by      TEXT   NOT NULL,
    created_at      BIGINT NOT NULL,
    decided_at      BIGINT
);
CREATE UNIQUE INDEX member_proposal_waiting ON member_proposal (organization_id, email) WHERE state = 'waiting';
CREATE INDEX member_proposal_by_organization ON member_proposal (organization_id, state, created_at, id);
CREATE INDEX member_proposal_by_member ON member_proposal (member_id, state);
