-- +goose Up
-- What a provider wants to know beside an address and a secret: a region, a role, a
-- project. JSON, without secrets.
ALTER TABLE upstream ADD COLUMN settings TEXT NOT NULL DEFAULT '{}';
