-- +goose Up
-- Keys that sign identity tokens for clouds are of another algorithm than those of
-- access tokens.
ALTER TABLE signing_key ADD COLUMN algorithm TEXT NOT NULL DEFAULT 'EdDSA';

-- How members of an organization reach a cloud themselves. The settings are JSON,
-- without secrets: there are none.
CREATE TABLE cloud_access (
	organization_id TEXT NOT NULL REFERENCES organization (id),
	cloud TEXT NOT NULL,
	group_id TEXT NOT NULL DEFAULT '',
	settings TEXT NOT NULL,
	created_at BIGINT NOT NULL,
	updated_at BIGINT NOT NULL,
	PRIMARY KEY (organization_id, cloud)
);
