// Command bench measures what the gateway costs beside a bare
// httputil.ReverseProxy, which checks nothing and records nothing.
//
//	go run ./bench [-rounds 5] [-requests 1500] [-streams 1000] [-profile FILE]
//
// The upstream, each proxy and the load are processes of their own on loopback.
// CPU is what the kernel says a proxy's threads ran, divided by the requests it
// served; rounds of the two alternate, and the median is shown. The gateway side
// is the real server if it has been built or can be, with authentication, limits
// and ledger on.
package main
