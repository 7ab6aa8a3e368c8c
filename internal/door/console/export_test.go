package console

import "github.com/gatehouse-dev/gatehouse/internal/audit"

// Exported for the tests alone.
var (
	Local    = local
	Relative = relative
	Dollars  = dollars
	Number   = number
)

// Did is how an event is told.
var Did = did

// Told reports whether a type has a sentence of its own.
func Told(t audit.Type) bool { return tellings[t] != nil }
