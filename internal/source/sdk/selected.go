package sdk

import (
	"errors"
	"io/fs"

	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
	"github.com/gatehouse-dev/gatehouse/internal/source"
)

// Selected is the profile that a program takes here.
type Selected struct {
	Name      string
	Named     bool // by ANTHROPIC_PROFILE
	Federates bool // an identity token is exchanged
	File      string
	Base      string      // where it leads, "" if it does not say
	Access    secret.Text // of a person's; empty if it cannot be read
	About     source.About
}

// Select looks for the profile. It
// fails with NotFound if there is none, and with Invalid for one that the SDKs
// pass over. One that they stop at is returned, with its Problem.
func (p Profile) Select() (s Selected, err error) {
	s.Named = p.Machine.Getenv("ANTHROPIC_PROFILE") != ""
	l, err := p.load()
	s.Name, s.File, s.Base = l.name, l.path, l.BaseURL
	if err != nil {
		return s, err
	}
	s.Federates, s.About = l.Authentication.Type == federation, l.about()
	if s.Federates {
		return s, nil
	}
	pair, err := l.pair()
	if errors.Is(err, fs.ErrNotExist) { // signed out: the next is asked
		return s, err
	}
	s.Access, s.About.Expires = pair.Access, pair.Expires
	if err != nil {
		s.About.Problem = fault.Message(err)
	}
	return s, nil
}
