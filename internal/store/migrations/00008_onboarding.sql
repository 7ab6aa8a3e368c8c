-- How far each member's set-up is. There is a row for every member, made with
-- the member. The facts are times; step and since follow from them and are kept
-- for lists.

-- +goose Up
CREATE TABLE member_setup (
    member_id       TEXT   PRIMARY KEY REFERENCES member (id),
    organization_id TEXT   NOT NULL REFERENCES organization (id),
    step            BIGINT NOT NULL,
    since           BIGINT NOT NULL,
    checked_at      BIGINT,
    installed_at    BIGINT,
    signed_in_at    BIGINT,
    answered_at     BIGINT,
    nudged_at       BIGINT,
    reported_at     BIGINT,
    report          TEXT   NOT NULL,
    claude_version  TEXT   NOT NULL,
    code            TEXT   UNIQUE,
    code_expires_at BIGINT
);
-- Lists are of those who are not done, by how long they have waited.
CREATE INDEX member_setup_waiting ON member_setup (organization_id, since, member_id) WHERE step < 5;
CREATE INDEX member_setup_by_step ON member_setup (organization_id, step, since, member_id);

-- Whoever was here before is as far as their sessions and requests show.
INSERT INTO member_setup (member_id, organization_id, step, since, installed_at, signed_in_at, answered_at, report, claude_version)
SELECT m.id, m.organization_id,
       CASE WHEN l.at IS NOT NULL THEN 5 WHEN d.at IS NULL THEN 1 WHEN d.claude_at IS NULL THEN 2 ELSE 4 END,
       COALESCE(l.at, d.claude_at, d.at, m.created_at),
       d.claude_at, d.at, l.at, '', ''
FROM member m
LEFT JOIN (
    SELECT member_id, MIN(created_at) AS at, MIN(CASE WHEN client_id <> 'gatehouse' THEN created_at END) AS claude_at
    FROM device_session GROUP BY member_id
) d ON d.member_id = m.id
LEFT JOIN (
    SELECT member_id, MIN(at) AS at FROM ledger_entry WHERE kind = 'settle' AND status BETWEEN 200 AND 299 GROUP BY member_id
) l ON l.member_id = m.id;
