package console

import (
	"encoding/hex"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/gatehouse-dev/gatehouse/internal/activity"
	"github.com/gatehouse-dev/gatehouse/internal/id"
)

// entryPage is one entry with all that is kept of it.
type entryPage struct {
	activityRow
	Type, Kind        string
	Actor, Target     string
	TargetTo          string
	Changes, Details  []change
	Leaf, Hash        string
	Position, Size    string
	Sound, Erased     bool
	Everybodys        bool
	Affects           []string
	SameActor, SameOf string // the record, narrowed to the same
}

func (c *Console) activityEntry(v *visit) error {
	p, err := c.cfg.Record.Get(v.r.Context(), v.who, v.who.Organization, id.Activity(v.r.PathValue("id")))
	if err != nil {
		return err
	}
	row := c.activityRow(p.Entry, v.who.Rights)
	page := entryPage{activityRow: row, Type: string(p.Type), Kind: words(string(p.ActorKind)), Actor: p.Actor, Target: p.Target,
		Changes: changes(p.Detail), Details: details(p), Leaf: string(p.Leaf), Hash: hex.EncodeToString(p.Hash[:]),
		Position: number(p.Position), Size: number(p.Size), Sound: p.Sound, Erased: p.Erased, Affects: p.Affects}
	page.TargetTo, _ = c.placeOf(p.Target, v.who.Rights)
	s, _ := c.readSieve(v.who, v.r.URL, nil)
	if page.Everybodys = s.All; s.All {
		record := &url.URL{Path: "/activity"}
		page.SameActor, page.SameOf = with(record, "who", p.Actor), with(record, "of", p.Target)
	}
	return v.show(http.StatusOK, "activity-entry", view{Title: "Entry " + page.Position, Lead: sentence(row.sentence()), Body: page})
}

// details are what is kept beside the changes.
func details(p activity.Place) (all []change) {
	for _, key := range slices.Sorted(maps.Keys(p.Detail)) {
		if strings.HasSuffix(key, "_before") || strings.HasSuffix(key, "_after") {
			continue
		}
		all = append(all, change{What: title(words(key)), After: p.Detail[key]})
	}
	return all
}
