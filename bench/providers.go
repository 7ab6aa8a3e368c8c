package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/catalogue"
	"github.com/gatehouse-dev/gatehouse/internal/gateway"
	"github.com/gatehouse-dev/gatehouse/internal/gateway/breaker"
	"github.com/gatehouse-dev/gatehouse/internal/gateway/dialect"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
	"github.com/gatehouse-dev/gatehouse/internal/upstream/anthropic"
	"github.com/gatehouse-dev/gatehouse/internal/upstream/awsauth"
	"github.com/gatehouse-dev/gatehouse/internal/upstream/bedrock"
	"github.com/gatehouse-dev/gatehouse/internal/upstream/foundry"
	"github.com/gatehouse-dev/gatehouse/internal/upstream/origin"
	"github.com/gatehouse-dev/gatehouse/internal/upstream/vertex"
)

// provider is a cloud, as the table names it, with where it answers streams.
type provider struct {
	name, shown, path string
	target            float64
}

func providers() []provider {
	return []provider{
		{"bedrock", "Bedrock, its frames into events", "/model/anthropic.bench/invoke-with-response-stream", 1.8},
		{"vertex", "Google Cloud", "/v1/projects/bench/locations/global/publishers/anthropic/models/bench:streamRawPredict", 1.3},
		{"foundry", "Microsoft Foundry", "/anthropic/v1/messages", 1.3},
	}
}

// routeTo is the way to the upstreams that a gateway is measured with.
func routeTo(kind, to string) (*gateway.Route, error) {
	var u gateway.Upstream
	var err error
	known := catalogue.Default()
	switch kind {
	case "":
		u, err = anthropic.New(anthropic.Config{Name: "bench", BaseURL: to, Key: secret.New("upstream-key")})
	case "bedrock":
		var auth *awsauth.Auth
		if auth, err = awsauth.New(awsauth.Config{Region: "us-east-1", Service: "bedrock", Static: awsauth.Key{ID: "AKIABENCH", Secret: secret.New("bench")}, Now: time.Now}); err == nil {
			u, err = bedrock.New(bedrock.Config{Name: kind, Region: "us-east-1", Models: map[string]string{"claude-sonnet-5": "anthropic.bench"}, Catalogue: known, Auth: auth, Origin: origin.Config{URL: to}})
		}
	case "vertex":
		u, err = vertex.New(vertex.Config{Name: kind, Project: "bench", Region: "global", Models: map[string]string{"claude-sonnet-5": "bench"}, Catalogue: known,
			Auth: origin.Key("Authorization", secret.New("Bearer bench")), Origin: origin.Config{URL: to}})
	case "foundry":
		u, err = foundry.New(anthropic.Config{Name: kind, BaseURL: to + "/anthropic", Key: secret.New("bench")}, known)
	case "three", "failing":
		return three(to, kind == "failing")
	case "mortal":
		return inOrder(strings.Split(to, ","))
	default:
		err = fmt.Errorf("there is no upstream %q", kind)
	}
	return &gateway.Route{Upstreams: []gateway.Upstream{u}}, err
}

// three are upstreams that share the load, of which one may fail half its requests.
func three(to string, failing bool) (*gateway.Route, error) {
	r := &gateway.Route{Health: breaker.New(time.Now)}
	for i, path := range []string{"/well/a", "/well/b", "/well/c"} {
		if failing && i == 1 {
			path = "/ill/b"
		}
		u, err := anthropic.New(anthropic.Config{Name: path[len(path)-1:], BaseURL: to + path, Key: secret.New("upstream-key")})
		if err != nil {
			return nil, err
		}
		r.Upstreams, r.Weights = append(r.Upstreams, u), append(r.Weights, 1)
	}
	return r, nil
}

// inOrder are upstreams of which the first is asked as long as it lives.
func inOrder(addresses []string) (*gateway.Route, error) {
	r := &gateway.Route{}
	for i, at := range addresses {
		u, err := anthropic.New(anthropic.Config{Name: fmt.Sprint("provider ", i+1), BaseURL: at, Key: secret.New("upstream-key")})
		if err != nil {
			return nil, err
		}
		r.Upstreams = append(r.Upstreams, u)
	}
	return r, nil
}

// mountProviders answers as the clouds do, with the same events.
func mountProviders(mux *http.ServeMux, answer http.HandlerFunc) {
	var frames [][]byte
	var turn dialect.Frames
	for _, event := range events() {
		frame, err := turn.Append(nil, []byte(event))
		if err != nil {
			panic(err) // our own events
		}
		frames = append(frames, frame)
	}
	mux.HandleFunc("POST "+providers()[0].path, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", dialect.BedrockType)
		flush := http.NewResponseController(w)
		for _, frame := range frames {
			_, _ = w.Write(frame)
			_ = flush.Flush()
		}
	})
	for _, p := range providers()[1:] {
		mux.HandleFunc("POST "+p.path, answer)
	}
	mux.HandleFunc("POST /well/{name}/v1/messages", answer)
	var asked atomic.Int64
	mux.HandleFunc("POST /ill/{name}/v1/messages", func(w http.ResponseWriter, r *http.Request) {
		if asked.Add(1)%2 == 0 {
			answer(w, r)
			return
		}
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = io.WriteString(w, `{"type":"error","error":{"type":"overloaded_error","message":"ill"}}`)
	})
}

// clouds measures each cloud beside a bare proxy, which passes on the same bytes.
func clouds(ctx context.Context, p plan) error {
	upstream, err := start(ctx, "-role", "upstream")
	if err != nil {
		return err
	}
	defer upstream.end()
	fmt.Printf("\n| | Gatehouse (gateway assembled) | `httputil.ReverseProxy` | ratio | target |\n| --- | --- | --- | --- | --- |\n")
	for _, cloud := range providers() {
		if err := oneCloud(ctx, p, cloud, upstream.url); err != nil {
			return err
		}
	}
	if err := failover(ctx, p, upstream.url); err != nil {
		return err
	}
	return deaths(ctx, upstream.url)
}

func oneCloud(ctx context.Context, p plan, cloud provider, to string) error {
	reverse, err := start(ctx, "-role", "reverse", "-to", to)
	if err != nil {
		return err
	}
	defer reverse.end()
	ours, err := start(ctx, "-role", "gateway", "-to", to, "-kind", cloud.name)
	if err != nil {
		return err
	}
	defer ours.end()
	reverse.path = cloud.path
	us, theirs, ratio, err := compare(p, scenario{cloud.name, prompt(2<<10, true), cloud.target}, ours, reverse)
	if err != nil {
		return err
	}
	fmt.Printf("| CPU per request: %s, 52 events | %.0f µs | %.0f µs | %.2f× | ≤ %.1f× |\n", cloud.shown, us, theirs, ratio, cloud.target)
	return nil
}

const inRound = 500 // requests of a round of failover: short, so that a machine's moods meet both

const pairs = 4 // fresh processes that failover is measured with: one may be slower than its like all its life

// failover sends requests to three upstreams, all of them well and one of them ill in
// turns.
func failover(ctx context.Context, p plan, to string) error {
	var t twoWays
	for range pairs {
		if err := t.measure(ctx, p.failover/pairs, to); err != nil {
			return err
		}
	}
	fmt.Printf("\n| Three upstreams share the load | one fails half its requests | all well | ratio | target |\n| --- | --- | --- | --- | --- |\n")
	fmt.Printf("| whole answer, p50 | %.3f ms | %.3f ms | %.3f× | ≤ 1.01× |\n| failed requests | %d of %d | | | 0 |\n",
		median(t.took[0]), median(t.took[1]), median(t.ratios), t.failed.Load(), p.failover)
	return nil
}

// twoWays is what was measured with one of three upstreams ill, and with all well.
type twoWays struct {
	took   [2][]float64 // each round's median, in milliseconds
	ratios []float64
	failed atomic.Int64
}

func (t *twoWays) measure(ctx context.Context, requests int, to string) error {
	var proxies [2]*process
	for i, kind := range []string{"failing", "three"} {
		proxy, err := start(ctx, "-role", "gateway", "-to", to, "-kind", kind)
		if err != nil {
			return err
		}
		defer proxy.end()
		proxies[i] = proxy
	}
	for sent := 0; sent < requests; sent += inRound {
		last := len(t.ratios)
		for turn := range 2 {
			i := (turn + last) % 2 // whoever comes first finds the machine otherwise than the second
			t.took[i] = append(t.took[i], burst(proxies[i], sent, &t.failed))
		}
		t.ratios = append(t.ratios, t.took[0][last]/t.took[1][last])
	}
	return nil
}

const killed = 50 // times that a provider dies

// deaths kills the first of two providers again and again, with all its connections,
// while clients ask.
func deaths(ctx context.Context, to string) error {
	first, err := newMortal(to)
	if err != nil {
		return err
	}
	defer first.die()
	proxy, err := start(ctx, "-role", "gateway", "-to", first.url+","+to, "-kind", "mortal")
	if err != nil {
		return err
	}
	defer proxy.end()
	var asked, failed atomic.Int64
	body := prompt(2<<10, false)
	ask := func() {
		asked.Add(1)
		if err := askIn(proxy, "session", body); err != nil {
			failed.Add(1)
		}
	}
	stop := make(chan struct{})
	var clients sync.WaitGroup
	for range atOnce {
		clients.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					ask()
				}
			}
		})
	}
	for range killed {
		time.Sleep(20 * time.Millisecond)
		first.die()
		ask() // the next request
		if err := first.live(); err != nil {
			return err
		}
	}
	close(stop)
	clients.Wait()
	fmt.Printf("| failed requests, a provider killed %d times under load | %d of %d | | | 0 |\n", killed, failed.Load(), asked.Load())
	return nil
}

// mortal passes requests on to a provider, at an address of its own, while it lives.
type mortal struct {
	url, at string
	to      http.Handler
	server  *http.Server
}

func newMortal(to string) (*mortal, error) {
	target, err := url.Parse(to)
	if err != nil {
		return nil, err
	}
	proxy := httputil.NewSingleHostReverseProxy(target)
	proxy.ErrorLog = log.New(io.Discard, "", 0) // its clients are cut off on purpose
	m := &mortal{at: "127.0.0.1:0", to: proxy}
	return m, m.live()
}

func (m *mortal) live() error {
	l, err := net.Listen("tcp", m.at)
	if err != nil {
		return err
	}
	m.at, m.url = l.Addr().String(), "http://"+l.Addr().String()
	m.server = &http.Server{Handler: m.to, ErrorLog: log.New(io.Discard, "", 0)}
	go func(s *http.Server) { _ = s.Serve(l) }(m.server)
	return nil
}

// die closes every connection at once.
func (m *mortal) die() { _ = m.server.Close() }

// burst returns the median time of a round's answers in milliseconds, and counts those
// that failed.
func burst(proxy *process, from int, failed *atomic.Int64) float64 {
	body := prompt(2<<10, false)
	took := make([]float64, inRound)
	var next atomic.Int64
	var wg sync.WaitGroup
	for range atOnce {
		wg.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= inRound {
					return
				}
				began := time.Now()
				if err := askIn(proxy, fmt.Sprintf("session-%d", from+i), body); err != nil {
					failed.Add(1)
				}
				took[i] = float64(time.Since(began).Microseconds()) / 1000
			}
		})
	}
	wg.Wait()
	slices.Sort(took)
	return took[len(took)/2]
}

// askIn asks within a session of its own: sessions are what is shared out.
func askIn(proxy *process, session, body string) error {
	request, err := http.NewRequest(http.MethodPost, proxy.url+"/v1/messages", strings.NewReader(body))
	if err != nil {
		return err
	}
	for name, value := range clientHeader {
		request.Header.Set(name, value)
	}
	request.Header.Set("X-Api-Key", proxy.key)
	request.Header.Set("X-Claude-Code-Session-Id", session)
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err == nil && (response.StatusCode != http.StatusOK || !json.Valid(answer)) {
		err = fmt.Errorf("status %d: %.200s", response.StatusCode, answer)
	}
	return err
}
