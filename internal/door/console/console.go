package console

import (
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/access"
	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/id"
)

// Config is what a Console needs. All fields but the booleans must be set.
type Config struct {
	Accounts        Accounts
	Organizations   Organizations
	Keys            Keys
	Sessions        Sessions
	Workspaces      Workspaces
	ServiceAccounts ServiceAccounts
	Devices         Devices
	Upstreams       Upstreams
	CloudAccess     CloudAccess
	Usage           Usage
	Outbox          Outbox
	Invitations     Invitations
	Record          Record
	Onboarding      Onboarding
	Joining         Joining

	PublicURL     string // the origin that people see, "https://gate.example.com"
	Secure        bool   // served by https: cookies are Secure and bound to the host
	Demo          bool   // a sample organization: the pages say so
	SelfService   bool   // people with an account may make organizations of their own
	Strangers     bool   // people without one may make both
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
	codes     *tries        // at user codes
	exports   chan struct{} // one for each that is under way
	served    []string      // the paths of all pages, as patterns
	publicURL string
	host      string
}

// New returns a Console.
func New(cfg Config) *Console {
	c := &Console{cfg: cfg, assets: loadAssets(), guard: http.NewCrossOriginProtection(), codes: newTries(cfg.Now), exports: make(chan struct{}, exportsAtOnce),
		publicURL: strings.TrimRight(cfg.PublicURL, "/")}
	c.pages = loadPages(c.assets)
	for _, r := range routes() {
		if r.method == http.MethodGet {
			c.served = append(c.served, r.path)
		}
	}
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

// routes is all there is: each file of pages says which it serves. Other
// methods of the same paths are answered by Mount.
func routes() []route {
	return slices.Concat(
		assetRoutes,
		enterRoutes,
		oauthRoutes,
		homeRoutes,
		memberRoutes,
		inviteRoutes,
		inviteLinkRoutes,
		proposalRoutes,
		roleRoutes,
		groupRoutes,
		keyRoutes,
		sessionRoutes,
		workspaceRoutes,
		serviceAccountRoutes,
		upstreamRoutes,
		straightRoutes,
		usageRoutes,
		activityRoutes,
		settingsRoutes,
		ownershipRoutes,
		mailRoutes,
		startRoutes,
		setupRoutes,
		selfRoutes,
		stepRoutes,
		forgotRoutes,
		securityRoutes,
		browserRoutes,
		joinRoutes,
		signUpRoutes,
	)
}

// needs is a handler for those who have a right in the organization in which they
// act. The rooms ask again for what the handler does; this keeps what leads there
// from others.
func needs(right caller.Right, serve handler) handler {
	return func(c *Console, v *visit) error {
		if err := access.Check(v.who, right, v.who.Organization); err != nil {
			return err
		}
		return serve(c, v)
	}
}

// withForm is a handler that is given what was typed into a form.
func withForm(serve func(*Console, *visit, url.Values) error) handler {
	return func(c *Console, v *visit) error {
		fields, err := v.readForm()
		if err != nil {
			return err
		}
		return serve(c, v, fields)
	}
}

func get(path string, n need, serve handler) route  { return route{http.MethodGet, path, n, serve} }
func post(path string, n need, serve handler) route { return route{http.MethodPost, path, n, serve} }

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
		if !slices.Contains(all, r.path) {
			all = append(all, r.path)
		}
	}
	// One like /members/new lies under /members/{id}, whose answer is the same;
	// the mux would not know which of the two to prefer.
	return slices.DeleteFunc(slices.Clone(all), func(path string) bool {
		return slices.ContainsFunc(all, func(wider string) bool { return wider != path && covers(wider, path) })
	})
}

// covers reports whether the pattern wider matches every path that the pattern
// path does.
func covers(wider, path string) bool {
	w, p := strings.Split(wider, "/"), strings.Split(path, "/")
	if len(w) != len(p) {
		return false
	}
	for i := range w {
		if w[i] != p[i] && (!strings.HasPrefix(w[i], "{") || w[i] == "{$}") {
			return false
		}
	}
	return true
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
