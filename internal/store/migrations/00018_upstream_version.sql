-- +goose Up
-- Counts the changes of an upstream, so that of two people who change it at once the
-- second is told.
ALTER TABLE upstream ADD COLUMN version BIGINT NOT NULL DEFAULT 1;
