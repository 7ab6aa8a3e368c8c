package upstream

import (
	"context"
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/gatehouse-dev/gatehouse/internal/access"
	"github.com/gatehouse-dev/gatehouse/internal/audit"
	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
)

// Change is what is asked when an upstream is changed. Its provider stays, and its
// name: by that the ledger and the answers of the past say which it was.
type Change struct {
	BaseURL    *string     // nil: as it is
	Credential secret.Text // empty: as it is, while it goes where it went
	Settings   *Settings   // all of them; nil: as they are
	Version    int64       // that was read; 0: whichever there is
}

// Change gives an upstream other settings or another credential, which the next
// request meets. Its place in the order stays.
func (s *Service) Change(ctx context.Context, who caller.Caller, o id.Organization, u id.Upstream, in Change) (Upstream, error) {
	if err := access.Check(who, caller.ManageUpstreams, o); err != nil {
		return Upstream{}, err
	}
	was, err := s.find(ctx, o, u)
	if err != nil {
		return Upstream{}, err
	}
	if in.Version != 0 && in.Version != was.Version {
		return Upstream{}, Changed()
	}
	is, err := s.with(was, in)
	if err != nil {
		return Upstream{}, err
	}
	changed := differences(was, is)
	if len(changed) > 0 {
		e := audit.New(who, s.Now(), audit.UpstreamChanged, string(u), audit.Detail{"name": is.Name, "changed": strings.Join(changed, ", ")}).In(o)
		if err := s.Store.Change(ctx, is, e); err != nil {
			return Upstream{}, err
		}
		is.Version++
	}
	is.Credential = secret.Text{}
	return is, nil
}

// Changed is the error of somebody who changes what another has changed meanwhile.
func Changed() error {
	return fault.New(fault.Conflict, "somebody has changed this upstream meanwhile").WithHint("look at it again, and then change it")
}

// with is the upstream after the change.
func (s *Service) with(was Upstream, in Change) (Upstream, error) {
	is := was
	if in.BaseURL != nil {
		is.BaseURL = trimURL(*in.BaseURL)
	}
	if in.Settings != nil {
		is.Settings = *in.Settings
	}
	if !in.Credential.Empty() {
		is.Credential = in.Credential
	}
	if err := s.admit(&is); err != nil {
		return Upstream{}, err
	}
	if in.Credential.Empty() && !is.Credential.Empty() && whither(was) != whither(is) {
		// Whoever may change where requests go would otherwise learn a secret that
		// nobody shows them.
		return Upstream{}, fault.New(fault.Invalid, "what was stored is not sent elsewhere: enter the credential again").At("credential")
	}
	return is, nil
}

// whither is what decides who hears a credential, and as what.
func whither(u Upstream) [6]string {
	in := u.Settings
	return [...]string{u.BaseURL, string(in.Way), in.AccessKeyID, in.Resource, in.Tenant, in.Client}
}

// differences names what is not as it was, never with a value of it.
func differences(was, is Upstream) []string {
	before, after := settingsByName(was.Settings), settingsByName(is.Settings)
	if was.BaseURL != is.BaseURL {
		before["base_url"] = was.BaseURL
	}
	if was.Credential.Reveal() != is.Credential.Reveal() {
		before["credential"] = true
	}
	var changed []string
	for _, name := range slices.Sorted(maps.Keys(union(before, after))) {
		if !reflect.DeepEqual(before[name], after[name]) {
			changed = append(changed, name)
		}
	}
	return changed
}

func union(a, b map[string]any) map[string]any {
	all := maps.Clone(a)
	maps.Copy(all, b)
	return all
}

// settingsByName are the settings that there are, by their names on the wire.
func settingsByName(in Settings) map[string]any {
	text, err := json.Marshal(in)
	if err != nil {
		panic(err) // strings, numbers and a map of strings
	}
	all := map[string]any{}
	if err := json.Unmarshal(text, &all); err != nil {
		panic(err) // it was written just now
	}
	return all
}
