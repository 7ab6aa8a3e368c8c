package console

import (
	"fmt"
	"strings"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/audit"
	"github.com/gatehouse-dev/gatehouse/internal/caller"
)

// telling is the rest of a sentence about an event, made from its detail.
type telling = func(audit.Detail) string

// joined puts the sentences of the subjects together. Each type is told of once:
// of two sentences nobody would know which is shown.
func joined(subjects ...map[audit.Type]telling) map[audit.Type]telling {
	all := map[audit.Type]telling{}
	for _, subject := range subjects {
		for what, tell := range subject {
			if all[what] != nil {
				panic("there are two sentences about " + what)
			}
			all[what] = tell
		}
	}
	return all
}

// actor is who did it, as people know them.
func actor(e audit.Event) string {
	if by := e.Detail["by"]; by != "" {
		return by
	}
	switch e.ActorKind {
	case caller.System:
		return "The server"
	case caller.Operator:
		return "Somebody in the server's shell"
	case caller.AdminKey:
		return "The admin key " + e.Actor
	case caller.Service:
		return "The service account " + e.Actor
	}
	if e.Actor == "" {
		return "Somebody"
	}
	return e.Actor
}

// did is what was done, as the rest of a sentence that begins with who.
func did(e audit.Event) string {
	if tell, ok := tellings[e.Type]; ok {
		return tell(e.Detail)
	}
	return generic(e)
}

// generic tells of a type that this program does not know: one of a newer
// program on the same database.
func generic(e audit.Event) string {
	noun, verb, ok := strings.Cut(string(e.Type), ".")
	if !ok {
		noun, verb = "something", string(e.Type)
	}
	about := "the " + words(noun)
	for _, key := range named {
		if e.Detail[key] != "" {
			about += " “" + e.Detail[key] + "”"
			break
		}
	}
	return "did this to " + about + ": " + words(verb)
}

// say fills a sentence with details; a detail that is not there, or was erased,
// is a dash.
func say(format string, details ...string) telling {
	return func(d audit.Detail) string {
		args := make([]any, len(details))
		for i, name := range details {
			args[i] = or(d[name], "—")
		}
		return fmt.Sprintf(format, args...)
	}
}

// sayWith is say with something after it for each pair of a detail that is there
// and a format for it.
func sayWith(format string, details []string, more ...[2]string) telling {
	first := say(format, details...)
	return func(d audit.Detail) string {
		s := first(d)
		for _, m := range more {
			if d[m[0]] != "" {
				s += fmt.Sprintf(m[1], valued(m[0], d[m[0]]))
			}
		}
		return s
	}
}

func or(value, otherwise string) string {
	if value == "" {
		return otherwise
	}
	return value
}

// listed is a list that was kept with spaces.
func listed(models string) string { return strings.Join(strings.Fields(models), ", ") }

func midSentence(name string) string {
	if rest, ok := strings.CutPrefix(name, "The "); ok {
		return "the " + rest
	}
	return name
}

func orUnnamed(name string) string { return or(name, "a device without a name") }

// changed names what differs after a sentence.
func changed(what string) telling {
	return func(d audit.Detail) string { return what + listOf(changedFields(d)) }
}

// changedThing tells of a thing that has a name, which may have been changed.
func changedThing(noun string) telling {
	return func(d audit.Detail) string {
		name := or(or(d["name_after"], d["name"]), "—")
		fields := changedFields(d)
		if len(fields) == 1 && fields[0] == "name" {
			return "renamed the " + noun + " “" + or(d["name_before"], "—") + "” to “" + name + "”"
		}
		return "changed the " + noun + " “" + name + "”" + listOf(fields)
	}
}

// listOf is a list after a colon, or nothing.
func listOf(fields []string) string {
	if len(fields) == 0 {
		return ""
	}
	return ": " + strings.Join(fields, ", ")
}

func midWord(s string) string {
	if s == "" || strings.ToUpper(s) == s {
		return s
	}
	return strings.ToLower(s[:1]) + s[1:]
}

// exactly is a time of a detail as people read it.
func exactly(at string) string {
	if t, err := time.Parse(time.RFC3339, at); err == nil {
		return t.UTC().Format("2 January 2006, 15:04 UTC")
	}
	return at
}
