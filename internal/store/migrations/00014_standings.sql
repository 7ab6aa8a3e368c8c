-- +goose Up
-- What the overview counts: members by how they stand, and sessions that go on.
-- Those who do not count are found without looking at those who do.
CREATE INDEX member_by_status ON member (organization_id, status, role, id);
CREATE INDEX device_session_going_on ON device_session (organization_id, member_id) WHERE ended_at IS NULL;
