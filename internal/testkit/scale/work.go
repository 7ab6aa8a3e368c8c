package scale

import (
	"crypto/sha256"
	"database/sql"
	"fmt"
	"strings"

	"github.com/gatehouse-dev/gatehouse/internal/id"
)

var (
	keyWords = strings.Fields("nightly build tests deploy review bot laptop notebook staging production backup search import export agent docs")
	hosts    = strings.Fields("laptop desktop build thinkpad macbook runner devbox workstation")
	models   = strings.Fields("claude-opus-4-8 claude-sonnet-5 claude-haiku-4-5")
)

func (f *filling) fillKeys(tx *sql.Tx) error {
	for range f.size.Keys {
		f.keys = append(f.keys, id.NewAPIKey())
	}
	return f.insert(tx, "api_key", `id, organization_id, kind, name, hash, hint, member_id, created_by, status, created_at, expires_at, used_at,
		workspace_id, ended_at, used_address, sought`, len(f.keys), func(i int) []any {
		who, made := f.people[i%len(f.people)], f.ago(700)
		name := fmt.Sprintf("%s %s on build %d", one(f, keyWords), one(f, keyWords), i)
		hint := fmt.Sprintf("sk-gate-api01-%05d…", i)
		hash := sha256.Sum256(fmt.Appendf(nil, "key %d", i))
		var expires, ended, used any
		status, kind := "active", "api"
		switch f.random.IntN(10) {
		case 0:
			status, ended = one(f, []string{"inactive", "archived"}), f.ago(60)
		case 1, 2:
			expires = f.ago(60)
		case 3:
			kind = "claude_code"
		}
		if f.random.IntN(3) > 0 {
			used = f.ago(90)
		}
		return []any{f.keys[i], f.org, kind, name, hash[:], hint, who.member, who.member, status, made, expires, used,
			one(f, append(f.places, "")), ended, network(i), strings.ToLower(name + " " + hint)}
	})
}

func network(i int) string { return fmt.Sprintf("10.%d.%d.%d", i>>16&255, i>>8&255, i&255) }

func (f *filling) fillSessions(tx *sql.Tx) error {
	return f.insert(tx, "device_session", `id, organization_id, member_id, client_id, name, system, client_version, address, created_at, used_at,
		generation, ended_at, ended_why`, f.size.Sessions, func(i int) []any {
		made := f.ago(300)
		var ended any
		why := ""
		if f.random.IntN(2) == 0 {
			ended, why = made+3600e6, "signed out"
		}
		return []any{id.NewDeviceSession(), f.org, f.people[i%len(f.people)].member, one(f, []string{"claude-code", "gatehouse"}), fmt.Sprintf("%s-%d", one(f, hosts), i),
			one(f, []string{"linux/amd64", "darwin/arm64", "windows/amd64"}), "2.1.197", network(i), made, made + 60e6, 1, ended, why}
	})
}

func (f *filling) fillLetters(tx *sql.Tx) error {
	return f.insert(tx, "outbox", `id, organization_id, kind, address, name, subject, about, bulk, status, attempts, next_at, last_error,
		created_at, sent_at`, f.size.Letters, func(i int) []any {
		name, made := f.name(), f.ago(60)
		return []any{id.NewMessage(), f.org, "invite", "new." + address(name, i), name, "You are invited to join", fmt.Sprintf("about_%d", i), true,
			one(f, []string{"sent", "sent", "sent", "failed", "dropped", "expired"}), 1, made, "", made, made + 1e6}
	})
}

func (f *filling) fillRequests(tx *sql.Tx) error {
	var head int64
	if err := tx.QueryRowContext(f.ctx, `UPDATE ledger_head SET size = size + $1 WHERE id = 1 RETURNING size`, f.size.Requests).Scan(&head); err != nil {
		return err
	}
	head -= int64(f.size.Requests)
	month := int64(30 * 24 * 3600 * 1e6)
	return f.insert(tx, "ledger_entry", `organization_id, sequence, request_id, kind, at, member_id, api_key_id, device_session_id, client_session, client_agent,
		client_parent_agent, upstream, model, stream, status, ending, estimated, input_tokens, output_tokens, cache_read_tokens, cache_write_5m_tokens,
		cache_write_1h_tokens, cost_nanos, reserved_nanos, first_byte_us, latency_us, upstream_request_id, price_version`, f.size.Requests, func(i int) []any {
		who := one(f, f.people)
		at := f.now.UnixMicro() - month + month*int64(i)/int64(f.size.Requests)
		return []any{f.org, head + int64(i) + 1, id.NewRequest(), "settle", at, who.member, one(f, f.keys), "", "", "", "", "Simulated model", one(f, models), true,
			200, "complete", false, f.random.IntN(9000), f.random.IntN(900), f.random.IntN(90_000), 0, 0, f.random.Int64N(1e8), 0, 300_000, 2_000_000, "", "x"}
	})
}
