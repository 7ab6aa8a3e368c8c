package console

// Exported for the tests alone.
var (
	Local       = local
	Relative    = relative
	Dollars     = dollars
	Number      = number
	BrowserName = browserName
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
