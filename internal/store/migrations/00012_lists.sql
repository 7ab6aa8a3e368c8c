-- +goose Up
-- The lists of a large organization. Each index holds all that its list chooses
-- by, so that rows which are not shown need not be looked at.
DROP INDEX member_by_organization;
CREATE INDEX member_by_organization ON member (organization_id, created_at, id, status, role, account_id);
CREATE INDEX member_standing ON member (id, status, role);
CREATE INDEX account_by_name ON account (LOWER(name), id);

DROP INDEX device_session_by_organization;
CREATE INDEX device_session_by_organization ON device_session (organization_id, created_at, id, ended_at, member_id, name, address);

DROP INDEX api_key_by_workspace;
CREATE INDEX api_key_by_workspace ON api_key (organization_id, workspace_id, created_at, id, status);
