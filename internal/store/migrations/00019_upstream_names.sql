-- +goose Up
-- The ledger, the fences and the quotas know an upstream by its name: no two have one.
UPDATE upstream SET name = name || ' ' || id WHERE EXISTS (
	SELECT 1 FROM upstream other WHERE other.organization_id = upstream.organization_id AND other.name = upstream.name AND other.id < upstream.id);
CREATE UNIQUE INDEX upstream_name ON upstream (organization_id, name);
