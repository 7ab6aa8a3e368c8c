package main

import (
	"io"
	"net"
	"net/http"
	"time"
)

// proxy starts a proxy that answers CONNECT with a status, and with 200 leads to
// 127.0.0.1, whatever host is asked for. It ends with the server.
func (s *authServer) proxy(status int) (address string) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	server := &http.Server{ReadHeaderTimeout: 5 * time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.set(func() { s.counts["proxied"]++ })
		_, port, err := net.SplitHostPort(r.Host)
		if r.Method != http.MethodConnect || status != http.StatusOK || err != nil {
			w.Header().Set("Proxy-Authenticate", "Basic realm=x")
			w.WriteHeader(status)
			return
		}
		// Taken over before the client hears that it may speak: of what it says then, the
		// server would read a byte.
		here, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		defer here.Close()
		if _, err := io.WriteString(here, "HTTP/1.1 200 OK\r\n\r\n"); err != nil {
			return
		}
		there, err := net.Dial("tcp4", net.JoinHostPort("127.0.0.1", port))
		if err != nil {
			return
		}
		defer there.Close()
		go func() {
			_, _ = io.Copy(there, here)
			_ = there.Close()
		}()
		_, _ = io.Copy(here, there)
	})}
	s.mu.Lock()
	s.closers = append(s.closers, func() { _ = server.Close() })
	s.mu.Unlock()
	go func() { _ = server.Serve(l) }()
	return "http://" + l.Addr().String()
}
