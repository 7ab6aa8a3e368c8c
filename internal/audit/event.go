package audit

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/id"
)

// Type names what happened, as noun and past tense: "api_key.created".
type Type string

// Event is one thing that happened. Index, and the place in the log that goes
// with it, are given by the store.
type Event struct {
	ID           id.Activity
	Organization id.Organization // empty: it concerns the whole server
	At           time.Time
	Type         Type
	Actor        string // the principal's id
	ActorKind    caller.Kind
	Via          caller.Way
	Target       string   // the id of what was acted on
	Affects      []string // ids of what credentials may depend on and must be asked for again
	Detail       Detail
}

// Detail is the part of an event that is about people and can be erased. Values
// are strings so that its encoding is one and the same forever.
type Detail map[string]string

// Changed notes what a field was and is, if that differs.
func (d Detail) Changed(field, was, is string) {
	if was != is {
		d[field+"_before"], d[field+"_after"] = was, is
	}
}

// New makes the event of an act by who. The address is noted in the detail.
func New(who caller.Caller, at time.Time, what Type, target string, detail Detail) Event {
	d := Detail{}
	for k, v := range detail {
		if v != "" {
			d[k] = v
		}
	}
	if who.Address != "" {
		d["address"] = who.Address
	}
	if who.Email != "" {
		d["by"] = who.Email
	}
	return Event{ID: id.NewActivity(), Organization: who.Organization, At: at, Type: what,
		Actor: who.Principal(), ActorKind: who.Kind, Via: who.Way, Target: target, Detail: d}
}

// In returns a copy that belongs to another organization than the actor's.
func (e Event) In(org id.Organization) Event { e.Organization = org; return e }

// Affecting returns a copy that names what credentials must be asked for again.
func (e Event) Affecting(ids ...string) Event { e.Affects = ids; return e }

// leaf is the fixed part of an event, in the order in which it is encoded.
type leaf struct {
	Index        int64    `json:"index"`
	ID           string   `json:"id"`
	Organization string   `json:"organization_id"`
	At           int64    `json:"at"` // microseconds since 1970, UTC
	Type         string   `json:"type"`
	Actor        string   `json:"actor"`
	ActorKind    string   `json:"actor_kind"`
	Via          string   `json:"via"`
	Target       string   `json:"target"`
	Affects      []string `json:"affects"`
	Detail       string   `json:"detail_sha256"`
}

// Entry is an event as it is stored.
type Entry struct {
	Index   int64
	Columns Columns
	Leaf    []byte // the JSON that the log's hash is over
	Detail  []byte // the JSON of the detail; nil once erased
	Salt    []byte
}

// Columns repeat parts of the leaf, for what searches the record and what
// follows it. They prove nothing by themselves.
type Columns struct {
	ID           string
	Organization string
	At           int64 // microseconds since 1970, UTC
	Type         string
	Actor        string
	Target       string
	Affects      string // a JSON list
}

// Seal makes the stored form of the event at a place in the log.
func (e Event) Seal(index int64) (Entry, error) {
	detail, err := json.Marshal(e.Detail) // map keys are sorted
	if err != nil {
		return Entry{}, fmt.Errorf("encoding the detail of %s: %w", e.ID, err)
	}
	salt := make([]byte, 16)
	rand.Read(salt)
	l := leaf{index, string(e.ID), string(e.Organization), e.At.UnixMicro(), string(e.Type),
		e.Actor, string(e.ActorKind), string(e.Via), e.Target, e.Affects, detailHash(salt, detail)}
	l.clean()
	fixed, err := json.Marshal(l)
	if err != nil {
		return Entry{}, fmt.Errorf("encoding %s: %w", e.ID, err)
	}
	columns, err := l.columns()
	return Entry{Index: index, Columns: columns, Leaf: fixed, Detail: detail, Salt: salt}, err
}

// clean makes the leaf read back as what it was made from: JSON has no bytes
// that are not UTF-8, and tells none from an empty list.
func (l *leaf) clean() {
	for _, s := range []*string{&l.ID, &l.Organization, &l.Type, &l.Actor, &l.ActorKind, &l.Via, &l.Target} {
		*s = strings.ToValidUTF8(*s, "\ufffd")
	}
	affects := make([]string, len(l.Affects))
	for i, s := range l.Affects {
		affects[i] = strings.ToValidUTF8(s, "\ufffd")
	}
	l.Affects = affects
}

func (l *leaf) columns() (Columns, error) {
	affects, err := json.Marshal(l.Affects)
	if err != nil {
		return Columns{}, fmt.Errorf("encoding what %s affects: %w", l.ID, err)
	}
	return Columns{l.ID, l.Organization, l.At, l.Type, l.Actor, l.Target, string(affects)}, nil
}

// differs names the first column that is not what the leaf says, or is empty.
func (c Columns) differs(l leaf) string {
	var affects []string
	readable := json.Unmarshal([]byte(c.Affects), &affects) == nil
	for _, same := range []struct {
		column string
		holds  bool
	}{{"id", c.ID == l.ID}, {"organization_id", c.Organization == l.Organization}, {"at", c.At == l.At}, {"type", c.Type == l.Type},
		{"actor", c.Actor == l.Actor}, {"target", c.Target == l.Target}, {"affects", readable && slices.Equal(affects, l.Affects)}} {
		if !same.holds {
			return same.column
		}
	}
	return ""
}

// Open reads an entry back, with an empty detail if that was erased. It fails
// if the detail is not the one that the leaf was made with. It reads nothing
// from the columns, and does not compare them.
func (n Entry) Open() (Event, error) {
	e, _, err := n.open()
	return e, err
}

func (n Entry) open() (Event, leaf, error) {
	var l leaf
	if err := json.Unmarshal(n.Leaf, &l); err != nil {
		return Event{}, l, fmt.Errorf("entry %d: its leaf is not readable: %w", n.Index, err)
	}
	if l.Index != n.Index {
		return Event{}, l, fmt.Errorf("entry %d: its leaf belongs to entry %d", n.Index, l.Index)
	}
	e := Event{ID: id.Activity(l.ID), Organization: id.Organization(l.Organization), At: time.UnixMicro(l.At).UTC(), Type: Type(l.Type),
		Actor: l.Actor, ActorKind: caller.Kind(l.ActorKind), Via: caller.Way(l.Via), Target: l.Target, Affects: l.Affects}
	if n.Detail == nil {
		return e, l, nil
	}
	if detailHash(n.Salt, n.Detail) != l.Detail {
		return Event{}, l, fmt.Errorf("entry %d: its detail was changed", n.Index)
	}
	if err := json.Unmarshal(n.Detail, &e.Detail); err != nil {
		return Event{}, l, fmt.Errorf("entry %d: its detail is not readable: %w", n.Index, err)
	}
	return e, l, nil
}

func detailHash(salt, detail []byte) string {
	h := sha256.New()
	h.Write(salt)
	h.Write(detail)
	return hex.EncodeToString(h.Sum(nil))
}
