-- +goose Up
-- The models that the members of a group may ask for, separated by spaces; none means
-- that the group says nothing of it.
ALTER TABLE member_group ADD COLUMN models TEXT NOT NULL DEFAULT '';
