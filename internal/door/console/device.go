package console

import (
	"net/http"
	"net/url"

	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/oauth"
	"github.com/gatehouse-dev/gatehouse/internal/session"
)

var oauthRoutes = []route{
	get("/device", member, (*Console).device),
	post("/device", member, (*Console).deviceAct),
	get("/oauth/authorize", itself, (*Console).authorizeForm),
	post("/oauth/authorize", itself, (*Console).authorize),
}

// asking is a device as the person who decides is to see it.
type asking struct {
	Client, Name, System, Version string
	Address                       string
	Elsewhere                     string // the visitor's own address, if it is another
	Asked                         moment
}

func (v *visit) asking(d session.Device) asking {
	a := asking{Client: clientName(d.ClientID), Name: d.Name, System: d.System, Version: d.ClientVersion, Address: d.Address}
	if mine := v.origin().Address; mine != d.Address && d.Address != "" {
		a.Elsewhere = mine
	}
	return a
}

func clientName(client string) string {
	switch client {
	case "claude-code", "":
		return "Claude Code"
	case oauth.ClientID:
		return "The gatehouse command"
	}
	return client
}

func codePage(code string) (view, *form) {
	f := &form{Action: "/device", Submit: "Continue", Fields: []field{
		{Kind: "text", Name: "user_code", Label: "Code", Help: "Eight letters, as your device shows them.", Value: code, Placeholder: "WDJB-MJHT",
			Autocomplete: "off", Focus: true, Mono: true, Length: 64},
	}}
	return view{Card: true, Title: "Connect a device", Lead: "Type the code that your device or terminal shows.", Body: f}, f
}

// device asks for a code, or shows the device that waits under the one given.
// It never decides.
func (c *Console) device(v *visit) error {
	code := v.r.URL.Query().Get("user_code")
	if code == "" {
		w, _ := codePage("")
		return v.show(http.StatusOK, "form", w)
	}
	return c.confirm(v, code)
}

func (c *Console) confirm(v *visit, code string) error {
	a, err := c.look(v, code)
	if err != nil {
		w, f := codePage(code)
		return v.again("form", w, f, url.Values{"user_code": {code}}, err)
	}
	ask := v.asking(a.Device)
	ask.Asked = c.moment(a.CreatedAt)
	return v.show(http.StatusOK, "device", view{Card: true, Title: "Approve this device?", Body: struct {
		asking
		Code string
	}{ask, shownCode(a.UserCode)}})
}

// look finds a device by its code. Wrong codes are counted, so that nobody finds
// one by trying.
func (c *Console) look(v *visit, code string) (oauth.Authorization, error) {
	address := v.origin().Address
	if err := c.codes.take(address); err != nil {
		return oauth.Authorization{}, err
	}
	a, err := c.cfg.Devices.Look(v.r.Context(), v.who, code)
	if !fault.Is(err, fault.NotFound) {
		c.codes.giveBack(address)
	}
	return a, err
}

func (c *Console) deviceAct(v *visit) error {
	typed, err := v.readForm()
	if err != nil {
		return err
	}
	code, decision := typed.Get("user_code"), typed.Get("decision")
	switch decision {
	case "":
		return c.confirm(v, code)
	case "approve", "deny":
	default:
		return fault.New(fault.Invalid, "decision must be approve or deny")
	}
	a, err := c.look(v, code)
	if err == nil {
		_, err = c.cfg.Devices.Decide(v.r.Context(), v.who, code, decision == "approve")
	}
	if err != nil {
		w, f := codePage(code)
		return v.again("form", w, f, typed, err)
	}
	w := view{Card: true, Title: "The device is connected", Lead: "You can go back to your terminal."}
	if decision == "deny" {
		w.Title, w.Lead = "The device was denied", "It gets no access. You can close this page."
	}
	w.Body = struct {
		asking
		Approved bool
	}{v.asking(a.Device), decision == "approve"}
	return v.show(http.StatusOK, "decided", w)
}

func shownCode(code string) string {
	if len(code) != 8 {
		return code
	}
	return code[:4] + "-" + code[4:]
}
