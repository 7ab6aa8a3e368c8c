-- +goose Up

-- Whether a mail server brings the letter, so that whoever accepts reads the
-- address. What was invited before is not believed.
ALTER TABLE invite ADD COLUMN mailed BOOLEAN NOT NULL DEFAULT FALSE;
