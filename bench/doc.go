// Command bench measures what the gateway costs beside a bare
// httputil.ReverseProxy, which checks nothing and records nothing.
//
//	go run ./bench [-rounds 15] [-requests 400] [-streams 1000] [-failover 100000] [-only clouds] [-profile FILE]
//
// The upstream, each proxy and the load are processes of their own on loopback.
// CPU is what the kernel says a proxy's threads ran, divided by the requests it
// served; rounds of the two alternate, and medians are shown. The gateway side is
// the real server, built here, with authentication, limits, ledger and record on.
package main
