-- +goose Up
-- What the record can be searched by: bounded, lower-cased words of each entry.
-- They are outside of the proof, are about people, and can be taken out. A term
-- is bytes and no text, so that both databases order it the same way in every
-- locale, and what begins with a word is one stretch of the key.
CREATE TABLE activity_term (
    organization_id TEXT   NOT NULL,
    term            BYTEA  NOT NULL,
    position        BIGINT NOT NULL,
    PRIMARY KEY (organization_id, term, position)
);

-- Entries before this one were recorded before there were terms; they get them
-- little by little, from the newest to the oldest.
CREATE TABLE activity_unsearched (
    id    BIGINT PRIMARY KEY,
    below BIGINT NOT NULL
);
INSERT INTO activity_unsearched (id, below) SELECT 1, size FROM log_head WHERE id = 1;

CREATE INDEX activity_by_type ON activity (organization_id, type, position);
CREATE INDEX activity_by_actor ON activity (organization_id, actor, position);
CREATE INDEX activity_by_target ON activity (organization_id, target, position);
CREATE INDEX activity_by_time ON activity (organization_id, at, position);

