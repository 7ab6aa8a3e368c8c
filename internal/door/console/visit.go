package console

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/account"
	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/org"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
)

const (
	maxForm = 64 << 10
	maxNext = 4 << 10
)

// visit is one request on its way. identify fills in who; handlers read it.
type visit struct {
	c       *Console
	w       http.ResponseWriter
	r       *http.Request
	id      id.Request
	pattern string

	token       secret.Text
	who         caller.Caller // nobody, if not signed in
	memberships []org.Member  // of who
	polls       bool          // the page asks for its state while somebody waits
	formAction  string        // a further origin that forms of this page may lead to
}

// errAnswered says that the visit is over: it was sent elsewhere.
var errAnswered = errors.New("answered")

// greet sets what every answer of the door carries.
func (v *visit) greet() {
	h := v.w.Header()
	h.Set("Request-Id", string(v.id))
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Cache-Control", "no-store")
}

// crossOrigin refuses a form that another site sent.
func (c *Console) crossOrigin(r *http.Request) error {
	if err := c.guard.Check(r); err != nil {
		return fault.Wrap(fault.Denied, err, "this request came from another site and was blocked").
			WithHint("open the page here and try again")
	}
	return nil
}

// identify finds out who visits. Who lacks what the route needs is sent to where
// they get it.
func (v *visit) identify(n need) error {
	if n == nothing {
		return nil
	}
	if token, ok := v.c.sessionToken(v.r); ok {
		who, err := v.c.cfg.Accounts.Authenticate(v.r.Context(), token, v.origin().Address)
		switch {
		case fault.Is(err, fault.Unauthenticated):
		case err != nil:
			return err
		default:
			v.token, v.who = token, who
		}
	}
	if n <= itself {
		return nil
	}
	if v.who.Kind == caller.Nobody {
		return v.goTo("/sign-in", v.here())
	}
	var err error
	if v.memberships, err = v.c.cfg.Accounts.Memberships(v.r.Context(), v.who); err != nil {
		return err
	}
	if n == member && v.who.Kind != caller.Member {
		return v.goTo(v.before(), v.here())
	}
	return nil
}

// before is where a person goes who cannot act in an organization yet.
func (v *visit) before() string {
	if v.who.Enrol != "" {
		return "/account/security" // it wants a second factor first
	}
	return "/organization"
}

// here is where a visitor wants to be once they are signed in.
func (v *visit) here() string {
	if v.r.Method == http.MethodGet || v.r.Method == http.MethodHead {
		return v.r.URL.RequestURI()
	}
	// What was in a form is gone: lead to the page it was on.
	first, _, _ := strings.Cut(strings.TrimPrefix(v.r.URL.Path, "/"), "/")
	return "/" + first
}

// goTo sends the visitor to a page, and on to next from there.
func (v *visit) goTo(page, next string) error {
	if next = local(next); next != "/" {
		page += "?next=" + url.QueryEscape(next)
	}
	return v.redirect(page)
}

// redirect answers with 303: whatever this was, what follows is a GET.
func (v *visit) redirect(to string) error {
	v.w.Header().Set("Location", to)
	v.w.WriteHeader(http.StatusSeeOther)
	return errAnswered
}

// local is next if it is a path of this server, and "/" otherwise.
func local(next string) string {
	if len(next) > maxNext || !strings.HasPrefix(next, "/") || strings.HasPrefix(next, "//") ||
		strings.ContainsFunc(next, func(r rune) bool { return r <= ' ' || r == 0x7f || r == '\\' || r > '~' }) {
		return "/"
	}
	u, err := url.Parse(next)
	if err != nil || u.Scheme != "" || u.Host != "" || u.User != nil || strings.HasPrefix(u.Path, "//") || u.Path == "/sign-out" {
		return "/"
	}
	return next
}

// origin is where the request came from.
func (v *visit) origin() account.Origin {
	agent := v.r.UserAgent()
	if len(agent) > 300 {
		agent = strings.ToValidUTF8(agent[:300], "")
	}
	return account.Origin{Address: v.c.cfg.ClientAddress(v.r), UserAgent: agent}
}

// readForm reads the body's fields, and those of the body alone.
func (v *visit) readForm() (url.Values, error) { return v.readFormUpTo(maxForm) }

func (v *visit) readFormUpTo(most int64) (url.Values, error) {
	v.r.Body = http.MaxBytesReader(v.w, v.r.Body, most)
	if err := v.r.ParseForm(); err != nil {
		if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
			return nil, fault.New(fault.TooLarge, "the form is larger than %d KiB", most>>10)
		}
		return nil, fault.Wrap(fault.Invalid, err, "the form could not be read")
	}
	return v.r.PostForm, nil
}

func (c *Console) cookieName() string {
	if c.cfg.Secure {
		return "__Host-gatehouse_session"
	}
	return "gatehouse_session"
}

func (c *Console) sessionToken(r *http.Request) (secret.Text, bool) {
	cookie, err := r.Cookie(c.cookieName())
	if err != nil || cookie.Value == "" {
		return secret.Text{}, false
	}
	return secret.New(cookie.Value), true
}

// signedIn hands the browser its session and leads on; or, if a second step is
// still to come, to that.
func (v *visit) signedIn(in account.SignedIn, next string) error {
	if in.Half {
		v.setStep(in.Token)
		return v.goTo("/sign-in/step", next)
	}
	if !v.step().Empty() {
		v.setCookie(v.c.stepCookie(), "", -1)
	}
	v.setCookie(v.c.cookieName(), in.Token.Reveal(), int(in.Expires.Sub(v.c.cfg.Now())/time.Second))
	return v.redirect(local(next))
}

// forget takes the session from the browser.
func (v *visit) forget() { v.setCookie(v.c.cookieName(), "", -1) }

// setStep hands the browser what it needs between two steps of a sign-in.
func (v *visit) setStep(token secret.Text) {
	v.setCookie(v.c.stepCookie(), token.Reveal(), int(account.StepLife/time.Second))
}

// step is the token of setStep; an empty one is no token.
func (v *visit) step() secret.Text {
	cookie, err := v.r.Cookie(v.c.stepCookie())
	if err != nil {
		return secret.Text{}
	}
	return secret.New(cookie.Value)
}

func (c *Console) stepCookie() string {
	if c.cfg.Secure {
		return "__Host-gatehouse_step"
	}
	return "gatehouse_step"
}

func (v *visit) setCookie(name, value string, maxAge int) {
	http.SetCookie(v.w, &http.Cookie{Name: name, Value: value, Path: "/", MaxAge: maxAge,
		HttpOnly: true, Secure: v.c.cfg.Secure, SameSite: http.SameSiteLaxMode})
}
