package login

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/credential"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
)

const (
	deviceGrant     = "urn:ietf:params:oauth:grant-type:device_code"
	defaultInterval = 5 * time.Second
	slowDown        = 5 * time.Second
	maxInterval     = time.Minute
	maxDeviceLife   = time.Hour
)

// Device is what this machine tells about itself, so that its owner recognises
// it in a list. All are optional.
type Device struct {
	Name   string // the host name
	System string // "linux/amd64"
	// Version is this program's; the browser's User-Agent cannot tell it.
	Version string
}

func (d Device) tell(form url.Values) {
	for name, value := range map[string]string{"device_name": d.Name, "device_system": d.System, "client_version": d.Version} {
		if value != "" {
			form.Set(name, value)
		}
	}
}

// DeviceCode is a sign-in that waits for its owner to type UserCode at URL.
type DeviceCode struct {
	UserCode string
	URL      string // where the code is typed
	Complete string // the same with the code filled in; may be empty
	Expires  time.Time

	code     secret.Text
	interval time.Duration
}

// StartDevice asks for a device code (RFC 8628, section 3.1).
func (c *Client) StartDevice(ctx context.Context, device Device) (DeviceCode, error) {
	if c.Server.Device == "" {
		return DeviceCode{}, fault.New(fault.Unsupported, "%s offers no sign-in by a code", c.Server.Origin)
	}
	form := url.Values{"client_id": {ClientID}}
	device.tell(form)
	got, err := c.post(ctx, c.Server.Device, form)
	if err != nil {
		return DeviceCode{}, err
	}
	if got.status != http.StatusOK {
		return DeviceCode{}, c.refusal(got)
	}
	return c.readDeviceCode(got.body)
}

func (c *Client) readDeviceCode(body []byte) (DeviceCode, error) {
	var w struct {
		DeviceCode string  `json:"device_code"`
		UserCode   string  `json:"user_code"`
		URL        string  `json:"verification_uri"`
		Complete   string  `json:"verification_uri_complete"`
		ExpiresIn  float64 `json:"expires_in"`
		Interval   float64 `json:"interval"`
	}
	bad := func(why string) (DeviceCode, error) {
		return DeviceCode{}, fault.New(fault.Unavailable, "%s gave a device answer that cannot be used: %s", c.Server.Origin, why)
	}
	if json.Unmarshal(body, &w) != nil {
		return bad("it is not JSON")
	}
	if w.DeviceCode == "" || w.UserCode == "" || clean(w.UserCode) != w.UserCode {
		return bad("it holds no code")
	}
	if !within(c.Server.Origin, w.URL) || clean(w.URL) != w.URL {
		return bad("the page for the code is somewhere else")
	}
	if !within(c.Server.Origin, w.Complete) || clean(w.Complete) != w.Complete {
		w.Complete = ""
	}
	life := maxDeviceLife
	if w.ExpiresIn > 0 && w.ExpiresIn < life.Seconds() {
		life = time.Duration(w.ExpiresIn * float64(time.Second))
	}
	interval := defaultInterval
	if w.Interval > 0 && w.Interval <= maxInterval.Seconds() {
		interval = time.Duration(w.Interval * float64(time.Second))
	}
	return DeviceCode{UserCode: w.UserCode, URL: w.URL, Complete: w.Complete, Expires: c.Now().Add(life),
		code: secret.New(w.DeviceCode), interval: interval}, nil
}

// AwaitDevice polls until the owner has decided (RFC 8628, section 3.4). It
// fails with Denied if they said no, and with Timeout if the code ran out.
func (c *Client) AwaitDevice(ctx context.Context, dc DeviceCode) (credential.Pair, error) {
	interval := dc.interval
	for {
		if err := c.Wait(ctx, interval); err != nil {
			return credential.Pair{}, fault.Wrap(fault.Timeout, err, "the sign-in was given up")
		}
		if !c.Now().Before(dc.Expires) {
			return credential.Pair{}, errCodeRanOut()
		}
		form := url.Values{"grant_type": {deviceGrant}, "device_code": {dc.code.Reveal()}}
		pair, err := c.grant(ctx, form, secret.Text{})
		if err == nil {
			return pair, nil
		}
		longer, err := again(interval, err)
		if err != nil {
			return credential.Pair{}, err
		}
		interval = longer
	}
}

// again says after which interval to ask again, or returns the error that ends
// the polling. A server that does not answer is asked less and less often.
func again(interval time.Duration, err error) (time.Duration, error) {
	var r *refusal
	if !errors.As(err, &r) {
		if fault.Is(err, fault.Unavailable) {
			return min(2*interval, maxInterval), nil
		}
		return 0, err
	}
	switch r.Code {
	case "authorization_pending":
		return interval, nil
	case "slow_down":
		return interval + slowDown, nil
	case "access_denied":
		return 0, fault.New(fault.Denied, "the sign-in was denied")
	case "expired_token", "invalid_grant":
		return 0, errCodeRanOut()
	case "temporarily_unavailable", "server_error":
		return min(2*interval, maxInterval), nil
	}
	return 0, err
}

func errCodeRanOut() error {
	return fault.New(fault.Timeout, "the code ran out before it was confirmed")
}
