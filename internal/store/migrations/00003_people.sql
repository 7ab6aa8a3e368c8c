-- +goose Up

-- What was there before had everything on, which is what the plan enterprise means.
ALTER TABLE organization ADD COLUMN plan       TEXT   NOT NULL DEFAULT 'enterprise';
ALTER TABLE organization ADD COLUMN seats      BIGINT NOT NULL DEFAULT 0; -- that may be taken; 0: any number
ALTER TABLE organization ADD COLUMN version    BIGINT NOT NULL DEFAULT 1; -- of what people edit, so that none overwrites another's change
ALTER TABLE organization ADD COLUMN deleted_at BIGINT;

-- A member who comes back keeps the id. What was made before joined_at stays refused.
ALTER TABLE member ADD COLUMN version   BIGINT NOT NULL DEFAULT 1;
ALTER TABLE member ADD COLUMN joined_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE member ADD COLUMN ended_at  BIGINT; -- suspended or removed
CREATE INDEX member_by_organization ON member (organization_id, created_at, id);

CREATE TABLE role (
    id              TEXT   PRIMARY KEY,
    organization_id TEXT   NOT NULL REFERENCES organization (id),
    name            TEXT   NOT NULL,
    description     TEXT   NOT NULL,
    permissions     TEXT   NOT NULL, -- names, separated by spaces
    version         BIGINT NOT NULL,
    created_at      BIGINT NOT NULL,
    UNIQUE (organization_id, name)
);

CREATE TABLE member_group (
    id              TEXT   PRIMARY KEY,
    organization_id TEXT   NOT NULL REFERENCES organization (id),
    name            TEXT   NOT NULL,
    description     TEXT   NOT NULL,
    version         BIGINT NOT NULL,
    created_at      BIGINT NOT NULL,
    updated_at      BIGINT NOT NULL,
    UNIQUE (organization_id, name)
);

CREATE TABLE group_role (
    group_id TEXT NOT NULL REFERENCES member_group (id) ON DELETE CASCADE,
    role_id  TEXT NOT NULL REFERENCES role (id) ON DELETE CASCADE,
    PRIMARY KEY (group_id, role_id)
);
CREATE INDEX group_role_by_role ON group_role (role_id);

CREATE TABLE group_member (
    organization_id TEXT   NOT NULL,
    group_id        TEXT   NOT NULL REFERENCES member_group (id) ON DELETE CASCADE,
    member_id       TEXT   NOT NULL REFERENCES member (id),
    source          TEXT   NOT NULL, -- console, invite, scim or sso
    created_at      BIGINT NOT NULL,
    PRIMARY KEY (group_id, member_id)
);
CREATE INDEX group_member_by_member ON group_member (member_id);

CREATE TABLE ownership_offer (
    organization_id TEXT   PRIMARY KEY REFERENCES organization (id),
    from_member_id  TEXT   NOT NULL REFERENCES member (id),
    to_member_id    TEXT   NOT NULL REFERENCES member (id),
    created_at      BIGINT NOT NULL,
    expires_at      BIGINT NOT NULL
);

-- The default workspace has no row: its id is empty everywhere.
CREATE TABLE workspace (
    id              TEXT   PRIMARY KEY,
    organization_id TEXT   NOT NULL REFERENCES organization (id),
    name            TEXT   NOT NULL,
    kind            TEXT   NOT NULL, -- empty, or claude_code for the one that Claude Code's sign-ins are in
    color           TEXT   NOT NULL,
    models          TEXT   NOT NULL, -- a JSON list; empty: every model that the organization allows
    tags            TEXT   NOT NULL, -- a JSON object of strings
    version         BIGINT NOT NULL,
    created_at      BIGINT NOT NULL,
    archived_at     BIGINT
);
CREATE INDEX workspace_by_organization ON workspace (organization_id, created_at, id);
CREATE UNIQUE INDEX workspace_claude_code ON workspace (organization_id) WHERE kind = 'claude_code';
CREATE UNIQUE INDEX workspace_by_name ON workspace (organization_id, name) WHERE archived_at IS NULL;

CREATE TABLE workspace_member (
    organization_id TEXT   NOT NULL,
    workspace_id    TEXT   NOT NULL REFERENCES workspace (id),
    principal_id    TEXT   NOT NULL, -- a member's or a service account's
    role            TEXT   NOT NULL,
    created_at      BIGINT NOT NULL,
    PRIMARY KEY (workspace_id, principal_id)
);
CREATE INDEX workspace_member_by_principal ON workspace_member (principal_id);

CREATE TABLE service_account (
    id              TEXT   PRIMARY KEY,
    organization_id TEXT   NOT NULL REFERENCES organization (id),
    name            TEXT   NOT NULL,
    description     TEXT   NOT NULL,
    version         BIGINT NOT NULL,
    created_by      TEXT   NOT NULL,
    created_at      BIGINT NOT NULL,
    archived_at     BIGINT
);
CREATE INDEX service_account_by_organization ON service_account (organization_id, created_at, id);
CREATE UNIQUE INDEX service_account_by_name ON service_account (organization_id, name) WHERE archived_at IS NULL;

ALTER TABLE api_key ADD COLUMN workspace_id       TEXT   NOT NULL DEFAULT '';
ALTER TABLE api_key ADD COLUMN service_account_id TEXT   NOT NULL DEFAULT '';
ALTER TABLE api_key ADD COLUMN scopes             TEXT   NOT NULL DEFAULT ''; -- of an admin key: rights' names; empty: all that admin keys can have
ALTER TABLE api_key ADD COLUMN replaced_by        TEXT   NOT NULL DEFAULT ''; -- the key that it was rotated into
ALTER TABLE api_key ADD COLUMN ended_at           BIGINT; -- when it stopped being active
ALTER TABLE api_key ADD COLUMN refused_at         BIGINT; -- the first refusal after that
ALTER TABLE api_key ADD COLUMN used_address       TEXT   NOT NULL DEFAULT '';
ALTER TABLE api_key ADD COLUMN notified_at        BIGINT; -- when its owner was last told that it will expire
CREATE INDEX api_key_by_member ON api_key (organization_id, member_id, created_at, id);
CREATE INDEX api_key_by_workspace ON api_key (organization_id, workspace_id, created_at, id);
CREATE INDEX api_key_by_expiry ON api_key (expires_at);

ALTER TABLE device_session ADD COLUMN workspace_id TEXT   NOT NULL DEFAULT '';
ALTER TABLE device_session ADD COLUMN refused_at   BIGINT; -- the first refusal after its end
