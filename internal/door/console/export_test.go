package console

// Exported for the tests alone.
var (
	Local       = local
	Relative    = relative
	Dollars     = dollars
	Number      = number
	BrowserName = browserName
)
