package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"runtime/pprof"
	"syscall"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run() error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var (
		role  = flag.String("role", "", "what this process is; set by the program itself")
		to    = flag.String("to", "", "the upstream's address, for a proxy")
		kind  = flag.String("kind", "", "the upstreams of a gateway; set by the program itself")
		part  = flag.String("only", "", "clouds: the providers and failing over alone")
		prof  = flag.String("profile", "", "write a CPU profile of the gateway's process to this file")
		plan  plan
		local = flag.Bool("assembled", false, "measure a gateway put together here, not the server's own program")
	)
	flag.IntVar(&plan.rounds, "rounds", 15, "rounds of each proxy")
	flag.IntVar(&plan.requests, "requests", 400, "requests in a round")
	flag.IntVar(&plan.streams, "streams", 1000, "concurrent streams of 2 s")
	flag.IntVar(&plan.failover, "failover", 100_000, "requests of which some fail over")
	flag.Parse()
	if *role != "" {
		ctx = untilParentEnds(ctx)
	}
	switch *role {
	case "upstream":
		return serve(ctx, upstreamHandler(), "")
	case "reverse":
		handler, err := reverseHandler(*to)
		if err != nil {
			return err
		}
		return serve(ctx, handler, "")
	case "gateway":
		handler, err := gatewayHandler(*kind, *to)
		if err != nil {
			return err
		}
		return serve(ctx, handler, *prof)
	}
	if *part == "clouds" {
		return clouds(ctx, plan)
	}
	if err := drive(ctx, plan, *local, *prof); err != nil {
		return err
	}
	return clouds(ctx, plan)
}

// serve answers on a loopback port, which it prints, until the context ends.
func serve(ctx context.Context, handler http.Handler, profile string) error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println("http://" + listener.Addr().String())
	if profile != "" {
		out, err := os.Create(profile)
		if err != nil {
			return err
		}
		defer out.Close()
		if err := pprof.StartCPUProfile(out); err != nil {
			return err
		}
		defer pprof.StopCPUProfile()
	}
	server := &http.Server{Handler: handler}
	go func() {
		<-ctx.Done()
		server.Close()
	}()
	if err := server.Serve(listener); err != http.ErrServerClosed {
		return err
	}
	return nil
}

// untilParentEnds returns a context that ends when whoever started us is gone,
// however it went: it holds the other end of our standard input.
func untilParentEnds(ctx context.Context) context.Context {
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		cancel()
	}()
	return ctx
}
