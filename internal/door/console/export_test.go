package console

// Local is exported for the tests alone.
var Local = local
