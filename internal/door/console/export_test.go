package console

import "github.com/gatehouse-dev/gatehouse/internal/audit"

// Exported for the tests alone.
var (
	Local     = local
	Relative  = relative
	Dollars   = dollars
	Number    = number
	MarkOf    = markOf
	InkOn     = inkOn
	Luminance = luminance
)

// PermissionRow is a row of the table on the page of roles.
type PermissionRow = matrixRow

// PermissionRows are all of them.
func PermissionRows() []PermissionRow {
	var rows []PermissionRow
	_, areas := permissionMatrix()
	for _, a := range areas {
		rows = append(rows, a.Rows...)
	}
	return rows
}

// Did is how an event is told.
var Did = did

// Told reports whether a type has a sentence of its own.
func Told(t audit.Type) bool { return tellings[t] != nil }
