-- +goose Up
-- The ledger summed up by day, so that a page need not add a month of requests:
-- for every member, and, with an empty member, for the organization. It is
-- written in the transaction of the entries.
CREATE TABLE ledger_day (
    organization_id       TEXT   NOT NULL,
    member_id             TEXT   NOT NULL,
    day                   BIGINT NOT NULL, -- since 1970, UTC
    requests              BIGINT NOT NULL,
    estimated             BIGINT NOT NULL,
    input_tokens          BIGINT NOT NULL,
    output_tokens         BIGINT NOT NULL,
    cache_read_tokens     BIGINT NOT NULL,
    cache_write_5m_tokens BIGINT NOT NULL,
    cache_write_1h_tokens BIGINT NOT NULL,
    cost_nanos            BIGINT NOT NULL,
    PRIMARY KEY (organization_id, member_id, day)
);
INSERT INTO ledger_day
SELECT organization_id, member_id, at / 86400000000, SUM(CASE WHEN kind = 'settle' THEN 1 ELSE 0 END), SUM(CASE WHEN estimated THEN 1 ELSE 0 END),
       SUM(input_tokens), SUM(output_tokens), SUM(cache_read_tokens), SUM(cache_write_5m_tokens), SUM(cache_write_1h_tokens), SUM(cost_nanos)
FROM ledger_entry WHERE kind <> 'reserve' AND member_id <> '' GROUP BY organization_id, member_id, at / 86400000000;
INSERT INTO ledger_day
SELECT organization_id, '', at / 86400000000, SUM(CASE WHEN kind = 'settle' THEN 1 ELSE 0 END), SUM(CASE WHEN estimated THEN 1 ELSE 0 END),
       SUM(input_tokens), SUM(output_tokens), SUM(cache_read_tokens), SUM(cache_write_5m_tokens), SUM(cache_write_1h_tokens), SUM(cost_nanos)
FROM ledger_entry WHERE kind <> 'reserve' GROUP BY organization_id, at / 86400000000;

CREATE INDEX ledger_entry_reserved ON ledger_entry (organization_id, at) WHERE kind = 'reserve';
