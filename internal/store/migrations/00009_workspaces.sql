-- +goose Up
ALTER TABLE service_account ADD COLUMN updated_at  BIGINT NOT NULL DEFAULT 0; -- 0: never
ALTER TABLE service_account ADD COLUMN updated_by  TEXT   NOT NULL DEFAULT '';
ALTER TABLE service_account ADD COLUMN archived_by TEXT   NOT NULL DEFAULT '';

ALTER TABLE workspace_member ADD COLUMN created_by TEXT NOT NULL DEFAULT '';
CREATE INDEX workspace_member_by_time ON workspace_member (workspace_id, created_at, principal_id);

-- What a workspace allows each credential in it; NULL: what the server allows.
ALTER TABLE workspace ADD COLUMN requests_per_minute BIGINT;
ALTER TABLE workspace ADD COLUMN concurrent_requests BIGINT;

CREATE INDEX device_session_by_organization ON device_session (organization_id, created_at, id);
-- What keys are searched in, in small letters. The index holds all that lists choose
-- by, so that they need not look at the rows of keys they do not show.
ALTER TABLE api_key ADD COLUMN sought TEXT NOT NULL DEFAULT '';
UPDATE api_key SET sought = LOWER(name || ' ' || hint);
DROP INDEX api_key_by_organization;
CREATE INDEX api_key_by_organization ON api_key (organization_id, created_at, id, status, kind, expires_at, sought);
CREATE INDEX api_key_by_service_account ON api_key (service_account_id, created_at);
