package scale

import (
	"crypto/sha256"
	"database/sql"
	"fmt"
	"strings"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/price"
	"github.com/gatehouse-dev/gatehouse/internal/store"
	"github.com/gatehouse-dev/gatehouse/internal/usage"
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

// requests writes the ledger as the server does, which sums it up as it comes.
func (f *filling) requests(db *store.DB) error {
	const atOnce = 2000
	begin, month := f.now.AddDate(0, 0, -30), 30*24*time.Hour
	for at := 0; at < f.size.Requests; at += atOnce {
		entries := make([]usage.Entry, min(atOnce, f.size.Requests-at))
		for i := range entries {
			e := &entries[i]
			e.Request, e.At = id.NewRequest(), begin.Add(time.Duration(at+i)*(month/time.Duration(f.size.Requests)))
			e.Organization, e.Member, e.Key, e.Upstream, e.Model, e.Stream = f.org, one(f, f.people).member, one(f, f.keys), "Simulated model", one(f, models), true
			e.Kind, e.Status, e.Ending, e.FirstByte, e.Latency = usage.Settled, 200, usage.Complete, 300*time.Millisecond, 2*time.Second
			e.Tokens = price.Tokens{Input: f.random.Int64N(9000), Output: f.random.Int64N(900), CacheRead: f.random.Int64N(90_000)}
			e.CostNanos, e.PriceVersion = f.random.Int64N(1e8), "x"
		}
		if err := db.Ledger().Append(f.ctx, entries); err != nil {
			return err
		}
	}
	return nil
}
