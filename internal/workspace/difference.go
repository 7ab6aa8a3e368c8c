package workspace

import (
	"encoding/json"
	"strconv"
	"strings"

	"github.com/gatehouse-dev/gatehouse/internal/audit"
)

// difference is what a change was, for the record: each field that differs,
// before and after.
func (w Workspace) difference(is Workspace) audit.Detail {
	d := audit.Detail{"name": is.Name}
	note := func(field, before, after string) {
		if before != after {
			d[field+"_before"], d[field+"_after"] = before, after
		}
	}
	note("name", w.Name, is.Name)
	note("color", w.Color, is.Color)
	note("models", orAll(w.Models), orAll(is.Models))
	note("tags", written(w.Tags), written(is.Tags))
	note("requests_per_minute", orServers(w.Limits.PerMinute), orServers(is.Limits.PerMinute))
	note("concurrent_requests", orServers(w.Limits.Concurrent), orServers(is.Limits.Concurrent))
	return d
}

func orAll(models []string) string {
	if len(models) == 0 {
		return "all"
	}
	return strings.Join(models, " ")
}

func orServers(n int) string {
	if n == 0 {
		return "the server's"
	}
	return strconv.Itoa(n)
}

func written(tags map[string]string) string {
	if len(tags) == 0 {
		return "none"
	}
	text, err := json.Marshal(tags)
	if err != nil {
		return "unreadable"
	}
	return string(text)
}
