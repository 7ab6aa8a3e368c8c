package dial

import (
	"context"
	"encoding/binary"
	"errors"
	"net"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/gatehouse-dev/gatehouse/internal/fault"
)

func TestAddresses(t *testing.T) {
	t.Parallel()
	const open, private, shut = "open", "private", "shut"
	for address, want := range map[string]string{
		"1.1.1.1": open, "160.79.104.10": open, "2607:6bc0::10": open, "172.15.255.255": open, "172.32.0.0": open, "100.128.0.0": open, "11.0.0.0": open,
		"127.0.0.1": private, "127.255.255.254": private, "::1": private, "10.0.0.1": private, "172.16.0.1": private, "172.31.255.255": private,
		"192.168.255.255": private, "fc00::1": private, "fdff::1": private, "100.64.0.1": private, "198.18.0.1": private,
		"169.254.169.254": shut, "169.254.0.1": shut, "fe80::1": shut, "fe80::1%eth0": shut, "fd00:ec2::254": shut, "fd20:ce::254": shut,
		"100.100.100.200": shut, "168.63.129.16": shut, "192.0.0.192": shut, "0.0.0.0": shut, "0.1.2.3": shut, "::": shut, "224.0.0.1": shut,
		"239.1.1.1": shut, "ff02::1": shut, "255.255.255.255": shut, "240.0.0.1": shut, "fec0::1": shut,
		// Addresses inside others are what is inside.
		"::ffff:127.0.0.1": private, "::ffff:10.0.0.1": private, "::ffff:169.254.169.254": shut, "::ffff:0.0.0.0": shut, "::ffff:1.1.1.1": open,
		"::ffff:169.254.169.254%eth0": shut, "::127.0.0.1": shut, "2002:7f00:1::": shut, "2001::1": shut, "64:ff9b:1::7f00:1": shut,
		"64:ff9b::127.0.0.1": private, "64:ff9b::169.254.169.254": shut, "64:ff9b::1.1.1.1": open,
	} {
		got := shut
		switch a := netip.MustParseAddr(address); {
		case Guard{}.allows(a):
			got = open
		case Guard{Local: true}.allows(a):
			got = private
		}
		if got != want {
			t.Errorf("%s is %s, want %s", address, got, want)
		}
		if err := (Guard{}).CheckHost(address); (err == nil) != (want == open) {
			t.Errorf("as a host, %s: %v", address, err)
		}
	}
	if (Guard{Local: true}).allows(netip.Addr{}) {
		t.Error("no address at all is allowed")
	}
}

func TestHosts(t *testing.T) {
	t.Parallel()
	for host, ok := range map[string]bool{
		"api.anthropic.com": true, "api.anthropic.com.": true, "gate.internal": true, "h": true, "1.example.com": true,
		"": false, "127.1": false, "2130706433": false, "0x7f000001": false, "0x7f.1": false, "017700000001": false, "127.0.0.1.": false,
		"localhost": false, "LOCALHOST.": false, "a.localhost": false,
	} {
		if err := (Guard{}).CheckHost(host); (err == nil) != ok {
			t.Errorf("%q: %v", host, err)
		}
	}
	if err := (Guard{Local: true}).CheckHost("localhost"); err != nil {
		t.Errorf("localhost, allowed: %v", err)
	}
}

// names is a resolver whose every name has these IPv4 addresses, in turn if it
// is asked again. It counts how often it is asked.
func names(t *testing.T, asked *atomic.Int32, turns ...[]string) *net.Resolver {
	t.Helper()
	server, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	go func() {
		for packet := make([]byte, 1500); ; {
			n, from, err := server.ReadFrom(packet)
			if err != nil {
				return
			}
			_, _ = server.WriteTo(reply(packet[:n], asked, turns), from)
		}
	}()
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "udp", server.LocalAddr().String())
	}}
}

// reply answers a question of the DNS (RFC 1035, section 4.1).
func reply(question []byte, asked *atomic.Int32, turns [][]string) []byte {
	end := 12
	for question[end] != 0 {
		end += 1 + int(question[end])
	}
	end += 5
	answer := append([]byte(nil), question[:end]...)
	binary.BigEndian.PutUint16(answer[2:], 0x8180)
	clear(answer[6:12])
	if binary.BigEndian.Uint16(question[end-4:]) != 1 { // of another type than A
		return answer
	}
	turn := turns[min(int(asked.Add(1)), len(turns))-1]
	binary.BigEndian.PutUint16(answer[6:], uint16(len(turn)))
	for _, address := range turn {
		a := netip.MustParseAddr(address).As4()
		answer = append(answer, 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4)
		answer = append(answer, a[:]...)
	}
	return answer
}

// listening counts connections to this machine.
func listening(t *testing.T) (port string, came <-chan struct{}) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	all := make(chan struct{}, 100)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			c.Close()
			all <- struct{}{}
		}
	}()
	_, port, _ = net.SplitHostPort(l.Addr().String())
	return port, all
}

func wantRefused(t *testing.T, err error) {
	t.Helper()
	f, ok := errors.AsType[*fault.Error](err)
	if !ok || f.Kind != fault.Unavailable || f.Hint == "" || strings.Contains(f.Message, "127.") {
		t.Errorf("got %v", err)
	}
}

// TestNamesAreJudgedByTheirAddresses connects by names that stand for this
// machine.
func TestNamesAreJudgedByTheirAddresses(t *testing.T) {
	t.Parallel()
	port, came := listening(t)
	var asked atomic.Int32
	evil := names(t, &asked, []string{"127.0.0.1"})
	for name, g := range map[string]Guard{"evil.test:": {Resolver: evil}, "localhost:": {}, "127.0.0.1:": {}, "[::ffff:127.0.0.1]:": {}} {
		c, err := g.DialContext(t.Context(), "tcp", name+port)
		if err == nil {
			c.Close()
		}
		wantRefused(t, err)
	}
	select {
	case <-came:
		t.Error("it was connected all the same")
	default:
	}
	for name, g := range map[string]Guard{"evil.test:": {Local: true, Resolver: evil}, "127.0.0.1:": {Local: true}} {
		c, err := g.DialContext(t.Context(), "tcp", name+port)
		if err != nil {
			t.Fatalf("%s, allowed: %v", name, err)
		}
		c.Close()
		<-came
	}
}

// TestNamesAreLookedUpOnce has a name change its address between look-ups: what
// was judged is what is connected to.
func TestNamesAreLookedUpOnce(t *testing.T) {
	t.Parallel()
	port, came := listening(t)
	var asked atomic.Int32
	g := Guard{Local: true, Resolver: names(t, &asked, []string{"169.254.169.254", "127.0.0.1"}, []string{"0.0.0.0"})}
	c, err := g.DialContext(t.Context(), "tcp", "rebound.test:"+port)
	if err != nil {
		t.Fatal(err)
	}
	c.Close()
	<-came
	if asked.Load() != 1 {
		t.Errorf("the name was looked up %d times", asked.Load())
	}
	_, err = g.DialContext(t.Context(), "tcp", "rebound.test:"+port)
	wantRefused(t, err)
}

func TestOnlyTCP(t *testing.T) {
	t.Parallel()
	for network, address := range map[string]string{"udp": "1.1.1.1:53", "unix": t.TempDir() + "/socket"} {
		c, err := Guard{Local: true}.DialContext(t.Context(), network, address)
		if err == nil {
			c.Close()
		}
		wantRefused(t, err)
	}
}
