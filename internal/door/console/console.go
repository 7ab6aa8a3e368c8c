package console

import (
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/id"
)

// Config is what a Console needs. All fields but the booleans must be set.
type Config struct {
	Accounts      Accounts
	Organizations Organizations
	Keys          Keys
	Sessions      Sessions
	Devices       Devices
	Upstreams     Upstreams
	Usage         Usage
	Record        Record

	PublicURL     string // the origin that people see, "https://gate.example.com"
	Secure        bool   // served by https: cookies are Secure and bound to the host
	Demo          bool   // a sample organization: the pages say so
	Now           func() time.Time
	ClientAddress func(*http.Request) string
	Logger        *slog.Logger
}

// Console serves the pages. Make it with New.
type Console struct {
	cfg       Config
	pages     pages
	assets    assets
	guard     *http.CrossOriginProtection
	codes     *tries // at user codes
	publicURL string
	host      string
}

// New returns a Console.
func New(cfg Config) *Console {
	c := &Console{cfg: cfg, assets: loadAssets(), guard: http.NewCrossOriginProtection(), codes: newTries(cfg.Now),
		publicURL: strings.TrimRight(cfg.PublicURL, "/")}
	c.pages = loadPages(c.assets)
	if u, err := url.Parse(c.publicURL); err == nil && u.Host != "" {
		c.host = u.Host
		// A proxy in front may have given the request another Host.
		_ = c.guard.AddTrustedOrigin(u.Scheme + "://" + u.Host) // cannot fail: it is an origin
	}
	return c
}

// Route is one pattern of the door.
type Route struct {
	Pattern    string // as http.ServeMux understands it
	Credential bool   // whether a request without a good sign-in is sent to the sign-in page
}

// need is what a route asks of a visitor before its handler runs.
type need int

const (
	nothing  need = iota // it is all the same who it is
	anybody              // the handler sees who it is, if it is somebody
	itself               // the handler asks for a signed-in person by itself
	account_             // a signed-in person
	member               // a signed-in person who acts in an organization
)

type handler func(*Console, *visit) error

type route struct {
	method string
	path   string
	need   need
	serve  handler
}

func (r route) pattern() string { return r.method + " " + r.path }

// routes is all there is. Other methods of the same paths are answered by Mount.
func routes() []route {
	get := func(path string, n need, serve handler) route { return route{http.MethodGet, path, n, serve} }
	post := func(path string, n need, serve handler) route { return route{http.MethodPost, path, n, serve} }
	return []route{
		get("/assets/{name}", nothing, (*Console).asset),
		get("/setup/{token}", nothing, (*Console).setupForm),
		post("/setup/{token}", nothing, (*Console).setup),
		get("/link/{token}", nothing, (*Console).linkForm),
		post("/link/{token}", nothing, (*Console).link),
		get("/sign-in", anybody, (*Console).signInForm),
		post("/sign-in", anybody, (*Console).signIn),
		post("/sign-out", anybody, (*Console).signOut),
		post("/theme", nothing, (*Console).theme),
		get("/organization", account_, (*Console).organizationForm),
		post("/organization", account_, (*Console).organization),
		get("/device", member, (*Console).device),
		post("/device", member, (*Console).deviceAct),
		get("/oauth/authorize", itself, (*Console).authorizeForm),
		post("/oauth/authorize", itself, (*Console).authorize),

		get("/{$}", member, (*Console).home),
		get("/members", member, (*Console).members),
		post("/members", member, (*Console).addMember),
		get("/members/new", member, (*Console).newMember),
		get("/members/{id}", member, (*Console).memberPage),
		post("/members/{id}/link", member, (*Console).memberLink),
		get("/members/{id}/suspend", member, (*Console).suspendForm),
		post("/members/{id}/suspend", member, (*Console).suspend),
		get("/keys", member, (*Console).keyList),
		post("/keys", member, (*Console).createKey),
		get("/keys/new", member, (*Console).newKey),
		get("/keys/{id}/{act}", member, (*Console).keyActForm),
		post("/keys/{id}/{act}", member, (*Console).keyAct),
		get("/sessions", member, (*Console).sessionList),
		get("/sessions/{id}/end", member, (*Console).endSessionForm),
		post("/sessions/{id}/end", member, (*Console).endSession),
		get("/upstreams", member, (*Console).upstreamList),
		post("/upstreams", member, (*Console).connect),
		get("/upstreams/new", member, (*Console).newUpstream),
		get("/upstreams/{id}/remove", member, (*Console).removeUpstreamForm),
		post("/upstreams/{id}/remove", member, (*Console).removeUpstream),
		get("/models", member, (*Console).models),
		post("/models", member, (*Console).saveModels),
		get("/usage", member, (*Console).usagePage),
		get("/activity", member, (*Console).activity),
		get("/account", account_, (*Console).self),
		post("/account/password", account_, (*Console).changePassword),
	}
}

// Routes lists the door's patterns, for a test that compares them with the mux.
func Routes() []Route {
	var all []Route
	for _, r := range routes() {
		all = append(all, Route{r.pattern(), r.need >= itself})
	}
	for _, path := range paths() {
		all = append(all, Route{path, false})
	}
	return append(all, Route{"/", false})
}

// paths lists the paths of routes, each once: without a method they answer what
// has the wrong one.
func paths() []string {
	var all []string
	for _, r := range routes() {
		// This one lies under /members/{id}, whose answer is the same; the mux
		// would not know which of the two to prefer.
		if r.path != "/members/new" && !slices.Contains(all, r.path) {
			all = append(all, r.path)
		}
	}
	return all
}

// Mount adds the door's routes to a mux.
func (c *Console) Mount(mux *http.ServeMux) {
	allowed := map[string][]string{}
	for _, r := range routes() {
		mux.HandleFunc(r.pattern(), func(w http.ResponseWriter, req *http.Request) { c.serve(w, req, r) })
		allowed[r.path] = append(allowed[r.path], r.method)
		if r.method == http.MethodGet {
			allowed[r.path] = append(allowed[r.path], http.MethodHead)
		}
	}
	for _, path := range paths() {
		allow := strings.Join(allowed[path], ", ")
		mux.HandleFunc(path, func(w http.ResponseWriter, req *http.Request) {
			w.Header().Set("Allow", allow)
			c.serve(w, req, route{serve: wrongMethod})
		})
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, req *http.Request) { c.serve(w, req, route{serve: nowhere}) })
}

// serve takes a request all the way: what every answer carries, where it may
// come from, who it is, its handler, and what went wrong.
func (c *Console) serve(w http.ResponseWriter, r *http.Request, to route) {
	v := &visit{c: c, w: w, r: r, id: id.NewRequest(), pattern: r.Pattern}
	v.greet()
	err := c.crossOrigin(r)
	if err == nil {
		err = v.identify(to.need)
	}
	if err == nil {
		err = to.serve(c, v)
	}
	if err != nil {
		v.fail(err)
	}
}
