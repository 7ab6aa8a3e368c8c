package main

import (
	"context"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/anthropics/anthropic-sdk-go"
	"github.com/anthropics/anthropic-sdk-go/config"
	"github.com/anthropics/anthropic-sdk-go/option"
	"github.com/gatehouse-dev/gatehouse/internal/credential"
)

// sdk is a client of the official SDK with the profile that login wrote.
func (m *member) sdk() anthropic.Client {
	m.t.Helper()
	cfg, err := config.LoadProfile(filepath.Join(m.home, ".config/anthropic"), "gatehouse")
	if err != nil {
		m.t.Fatal(err)
	}
	transport := &http.Transport{}
	m.t.Cleanup(transport.CloseIdleConnections)
	return anthropic.NewClient(option.WithoutEnvironmentDefaults(), option.WithConfig(cfg), option.WithMaxRetries(0), option.WithHTTPClient(&http.Client{Transport: transport}))
}

func (m *member) ask(client anthropic.Client) {
	m.t.Helper()
	answer, err := client.Messages.New(context.Background(), anthropic.MessageNewParams{Model: "m", MaxTokens: 1,
		Messages: []anthropic.MessageParam{anthropic.NewUserMessage(anthropic.NewTextBlock("hi"))}})
	if err != nil {
		m.t.Errorf("the SDK: %v", err)
		return
	}
	if got := answer.Content[0].Text; got != "hello" {
		m.t.Errorf("the SDK got %q", got)
	}
}

// The SDK takes the profile, sends the token, renews it by itself and writes it
// back; the command goes on from there, and the SDK from what the command wrote.
func TestOfficialSDKSharesTheChain(t *testing.T) {
	m := newMember(t)
	m.login()
	m.ask(m.sdk())
	if got := m.server.count("refresh_token"); got != 0 {
		t.Errorf("the SDK renewed a fresh token %d times", got)
	}
	old := m.expire(-time.Hour)
	m.ask(m.sdk())
	if got := m.server.count("sdk token"); got != 1 {
		t.Fatalf("the SDK renewed %d times", got)
	}
	written, err := m.store.Load(context.Background(), credential.DefaultProfile)
	if err != nil || written.SameChain(old) {
		t.Fatalf("the SDK wrote nothing we can read: %v", err)
	}
	stdout, stderr, code := m.run("token")
	if code != 0 || strings.TrimSpace(stdout) != written.Access.Reveal() {
		t.Fatalf("after the SDK renewed: %d, %s", code, stderr)
	}
	m.expire(-time.Hour)
	if _, stderr, code := m.run("token"); code != 0 {
		t.Fatalf("renewing after the SDK: %d, %s", code, stderr)
	}
	m.ask(m.sdk())
	m.expire(-time.Hour)
	m.ask(m.sdk())
	if got := m.server.count("rotated"); got != 3 {
		t.Errorf("the chain has %d links", got)
	}
	if bad := m.server.count("reuse") + m.server.count("refused"); bad != 0 {
		t.Errorf("%d refusals", bad)
	}
}

// SDKs, which do not know our lock, and commands renew at the same moment: nobody
// is thrown out, and the chain goes on.
func TestSDKAndCommandRenewAtOnce(t *testing.T) {
	m := newMember(t)
	m.login()
	for range 3 {
		m.expire(-time.Hour)
		var all sync.WaitGroup
		for i := range 12 {
			client := m.sdk()
			all.Go(func() {
				if i%2 == 0 {
					m.ask(client)
				} else if _, stderr, code := m.run("token"); code != 0 {
					t.Errorf("the command: %d, %s", code, stderr)
				}
			})
		}
		all.Wait()
	}
	m.expire(-time.Hour)
	if _, stderr, code := m.run("token"); code != 0 {
		t.Errorf("afterwards: %d, %s", code, stderr)
	}
	if bad := m.server.count("reuse") + m.server.count("refused"); bad != 0 {
		t.Errorf("%d refusals", bad)
	}
}
