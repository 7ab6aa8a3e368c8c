package route

import "net/http"

// Route is one pattern of a door.
type Route struct {
	Pattern string // as http.ServeMux understands it
	Open    bool   // a request without a credential is served
	Handler http.Handler
}
