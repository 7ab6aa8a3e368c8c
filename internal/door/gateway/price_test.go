package gateway_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/catalogue"
	"github.com/gatehouse-dev/gatehouse/internal/gateway"
	"github.com/gatehouse-dev/gatehouse/internal/gateway/breaker"
	"github.com/gatehouse-dev/gatehouse/internal/price"
	"github.com/gatehouse-dev/gatehouse/internal/testkit/cloud"
	testupstream "github.com/gatehouse-dev/gatehouse/internal/testkit/upstream"
	"github.com/gatehouse-dev/gatehouse/internal/upstream/bedrock"
	"github.com/gatehouse-dev/gatehouse/internal/upstream/origin"
	"github.com/gatehouse-dev/gatehouse/internal/upstream/vertex"
)

const datedBody = `{"model":"` + dated + `","max_tokens":3,"messages":[{"role":"user","content":"hi"}]}`

// TestThePriceIsTheUpstreams books a request under the terms of the upstream that is
// asked, and settles it under those of the one that answered.
func TestThePriceIsTheUpstreams(t *testing.T) {
	t.Parallel()
	s := cloud.New(t)
	all := clouds(t, s)
	regional := map[string]price.Terms{"bedrock": price.Regional, "bedrock-mantle": price.Regional, "vertex": price.Regional}
	for name, up := range all {
		f := newFront(t)
		f.route = &gateway.Route{Upstreams: []gateway.Upstream{up}}
		if got, body := f.ask(t, "POST", "/v1/messages", datedBody); got.StatusCode != http.StatusOK {
			t.Fatalf("%s: %d %s", name, got.StatusCode, body)
		}
		if booked, settled := f.ledger.requests[0].Terms, f.ledger.next(t).Terms; booked != regional[name] || settled != regional[name] {
			t.Errorf("%s is booked%s and settled%s", name, booked, settled)
		}
	}
	f := newFleet(t, 1)
	f.servers[0].Always(testupstream.Plan{Status: 500})
	f.route = &gateway.Route{Upstreams: append(f.route.Upstreams, all["bedrock"]), Health: breaker.New(time.Now)}
	if got, body := f.ask(t, "POST", "/v1/messages", datedBody); got.StatusCode != http.StatusOK {
		t.Fatalf("after a failure: %d %s", got.StatusCode, body)
	}
	if booked, settled := f.ledger.requests[0].Terms, f.ledger.next(t); booked != 0 || settled.Terms != price.Regional || settled.Upstream != "bedrock" {
		t.Errorf("after a failure it is booked%s and settled %+v", booked, settled)
	}
	f = newFleet(t, 1)
	if got, body := f.ask(t, "POST", "/v1/messages", `{"model":"claude-a","max_tokens":3,"speed":"fast","inference_geo":"us","messages":[]}`); got.StatusCode != http.StatusOK {
		t.Fatalf("fast: %d %s", got.StatusCode, body)
	}
	if settled := f.ledger.next(t); settled.Terms != price.Fast|price.Domestic {
		t.Errorf("what the request asked for is settled%s", settled.Terms)
	}
}

// TestWhereThereIsRoom names the places that cost the list price.
func TestWhereThereIsRoom(t *testing.T) {
	t.Parallel()
	c := catalogue.Default()
	for geography, want := range map[string]price.Terms{"": price.Regional, "eu": price.Regional, "global": 0} {
		u, err := bedrock.New(bedrock.Config{Region: cloud.Region, Geography: geography, Catalogue: c, Models: map[string]string{"claude-opus-4-8": "arn:aws:bedrock:eu-central-1:1:application-inference-profile/x", "claude-opus-4-7": "global.anthropic.claude-opus-4-7"},
			Origin: origin.Config{URL: "https://bedrock.example.com"}})
		if err != nil {
			t.Fatal(err)
		}
		if got := u.Terms(dated); got != want {
			t.Errorf("Bedrock in %q: %q", geography, got)
		}
		if profile, named := u.Terms("claude-opus-4-8"), u.Terms("claude-opus-4-7"); profile != price.Regional || named != 0 {
			t.Errorf("an application's profile: %q; a global one: %q", profile, named)
		}
	}
	for region, want := range map[string]price.Terms{"global": 0, "eu": price.Regional, "europe-west1": price.Regional} {
		u, err := vertex.New(vertex.Config{Project: cloud.Project, Region: region, Catalogue: c})
		if err != nil {
			t.Fatal(err)
		}
		if got := u.Terms(dated); got != want {
			t.Errorf("Google Cloud in %s: %q", region, got)
		}
	}
}
