package console_test

import (
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/kms"
	"github.com/gatehouse-dev/gatehouse/internal/testkit/gatehoused"
	"github.com/gatehouse-dev/gatehouse/internal/testkit/postgres"
	"github.com/gatehouse-dev/gatehouse/internal/testkit/scale"
)

// pages are the lists, what they are narrowed to, and what is sought in them:
// something common, something rare and something that is not there.
var pages = []string{
	"/",
	"/members", "/members?sort=name", "/members?sort=email", "/members?role=billing", "/members?status=suspended", "/members?q=meier", "/members?q=olga.meier", "/members?q=zzzz", "/members?sort=name&q=an",
	"/invitations", "/invitations?q=meier", "/invitations?q=zzzz", "/invitations?status=expired",
	"/groups", "/people/setup", "/people/setup?q=meier", "/people/setup?q=zzzz", "/roles",
	"/keys", "/keys?q=nightly", "/keys?q=build+31415", "/keys?q=zzzz", "/keys?status=expired", "/keys?status=archived", "/keys?kind=claude_code", "/keys?status=expired&q=zzzz", "/keys?whose=mine",
	"/sessions", "/sessions?q=laptop", "/sessions?q=laptop-1234", "/sessions?q=zzzz", "/sessions?state=ended", "/sessions?state=any&q=meier",
	"/workspaces", "/service-accounts", "/upstreams", "/models",
	"/usage", "/usage?days=30",
	"/activity", "/activity?q=nightly", "/activity?q=olga+meier", "/activity?q=build-31415", "/activity?q=zzzz", "/activity?q=nightly+laptop-77", "/activity?subject=keys", "/activity?subject=members&days=30", "/activity?subject=mail",
	"/activity?who=olga.meier", "/activity?who=zzzz", "/activity?subject=refreshes&q=laptop", "/activity?from=2025-06-01&to=2025-06-02",
	"/mail", "/mail?q=meier", "/mail?q=zzzz", "/mail?status=failed", "/outbox",
	"/settings", "/settings/plan",
}

func BenchmarkPages(b *testing.B) {
	size := scaled(b)
	for _, kind := range []string{"sqlite", "postgres"} {
		b.Run(kind, func(b *testing.B) {
			var database string
			if kind == "postgres" {
				if database = os.Getenv("GATEHOUSE_BENCH_POSTGRES"); database == "" {
					database = postgres.New(b)
				}
			}
			w := open(b, kind, database, size)
			all := append(slices.Clone(pages), w.deeper(b)...)
			var slowest time.Duration
			var which string
			for _, page := range all {
				b.Run(page, func(b *testing.B) {
					if p95 := w.measure(b, page); p95 > slowest {
						slowest, which = p95, page
					}
				})
			}
			b.Logf("the slowest of %d pages at p95: %.1f ms, %s", len(all), ms(slowest), which)
		})
	}
}

func scaled(b *testing.B) scale.Size {
	size := scale.Large()
	text := os.Getenv("GATEHOUSE_BENCH_SCALE")
	if text == "" {
		return size
	}
	part, err := strconv.ParseFloat(text, 64)
	if err != nil {
		b.Fatal(err)
	}
	for _, n := range []*int{&size.Members, &size.Keys, &size.Activities, &size.Sessions, &size.Invites, &size.Letters, &size.Requests} {
		*n = int(part * float64(*n))
	}
	return size
}

// world is a server of a large organization, and its owner's browser.
type world struct {
	url    string
	client *http.Client
}

func open(b *testing.B, kind, database string, size scale.Size) *world {
	options := gatehoused.Options{Database: database}
	if kept := os.Getenv("GATEHOUSE_BENCH_DATA"); kept != "" {
		options.Data = filepath.Join(kept, kind)
		if err := os.MkdirAll(options.Data, 0o777); err != nil {
			b.Fatal(err)
		}
	}
	demo := gatehoused.Start(b, options)
	demo.Stop()
	fill(b, demo, database, size)
	demo.Restart()
	w := &world{url: demo.URL, client: &http.Client{}}
	var err error
	if w.client.Jar, err = cookiejar.New(nil); err != nil {
		b.Fatal(err)
	}
	w.signIn(b, demo.Owner.SignInURL)
	return w
}

// fill does nothing where it was done before.
func fill(b *testing.B, demo *gatehoused.Demo, database string, size scale.Size) {
	done := filepath.Join(demo.Data, "filled")
	if _, err := os.Stat(done); err == nil {
		return
	}
	began := time.Now()
	ring, err := kms.FromFile(filepath.Join(demo.Data, "master.key"))
	if err != nil {
		b.Fatal(err)
	}
	url := database
	if url == "" {
		url = filepath.Join(demo.Data, "gatehouse.db")
	}
	if err := scale.Fill(b.Context(), url, ring, id.Organization(demo.OrganizationID), size); err != nil {
		b.Fatal(err)
	}
	b.Logf("filled in %v", time.Since(began).Round(time.Second))
	if err := os.WriteFile(done, nil, 0o600); err != nil {
		b.Fatal(err)
	}
}

func (w *world) signIn(b *testing.B, link string) {
	answer, err := w.client.PostForm(link, url.Values{})
	if err != nil {
		b.Fatal(err)
	}
	answer.Body.Close()
	if body := w.get(b, "/members"); !strings.Contains(body, "Olivia Owner") && !strings.Contains(body, "<table") {
		b.Fatalf("not signed in:\n%s", body)
	}
}

func (w *world) get(b *testing.B, path string) string {
	answer, err := w.client.Get(w.url + path)
	if err != nil {
		b.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		b.Fatal(err)
	}
	if answer.StatusCode != http.StatusOK {
		b.Fatalf("%s: %s", path, answer.Status)
	}
	return string(body)
}

var older = regexp.MustCompile(`href="([^"]+)"[^>]*rel="next"|rel="next"[^>]*href="([^"]+)"`)

// deeper are pages far down in lists, found by turning pages as people do, and
// the page of one member.
func (w *world) deeper(b *testing.B) (deep []string) {
	for _, path := range []string{"/members", "/keys", "/activity", "/sessions?state=any"} {
		for range 10 {
			found := older.FindStringSubmatch(w.get(b, path))
			if found == nil {
				break // a small one
			}
			path = strings.ReplaceAll(found[1]+found[2], "&amp;", "&")
		}
		deep = append(deep, path)
	}
	return deep
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// measure returns what nineteen in twenty requests stay below.
func (w *world) measure(b *testing.B, page string) (p95 time.Duration) {
	w.get(b, page)
	var took []time.Duration
	for b.Loop() {
		began := time.Now()
		w.get(b, page)
		took = append(took, time.Since(began))
	}
	slices.Sort(took)
	p95 = took[len(took)*95/100]
	b.ReportMetric(ms(took[len(took)/2]), "p50-ms")
	b.ReportMetric(ms(p95), "p95-ms")
	b.ReportMetric(0, "ns/op")
	return p95
}
