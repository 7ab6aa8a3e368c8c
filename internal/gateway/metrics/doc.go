// Package metrics counts the gateway's exchanges for Prometheus.
//
//	gatehouse_requests_total{operation,model,status,ending}
//	gatehouse_request_duration_seconds{operation,stream}
//	gatehouse_first_byte_seconds{operation,stream}
//	gatehouse_open_streams
//
// Observing is on the way of every request, so the series of a request is found
// with one look into a map and no text is put together. Clients choose the names
// of models: only the first few get a series of their own, the rest share one.
package metrics
