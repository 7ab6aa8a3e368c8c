package claude

import (
	"encoding/json"
	"testing"

	"github.com/gatehouse-dev/gatehouse/internal/testkit/terminal"
)

// GatewayOnly is the managed settings document that makes the client's own
// sign-in go to a gateway.
func GatewayOnly(url string) string {
	document, _ := json.Marshal(map[string]string{
		"forceLoginMethod": "gateway", "forceLoginGatewayUrl": url, "parentSettingsBehavior": "merge",
	})
	return string(document)
}

// SignIn takes the client on a screen through its own sign-in: it types
// `/login`, connects to the gateway of the managed settings, trusts it, hands
// the user code on the screen to approve, and waits until the client says that
// it is connected and its prompt is back.
func SignIn(t testing.TB, x *terminal.Terminal, approve func(userCode string)) {
	t.Helper()
	x.Expect(`Run /login`)
	x.Type("/login")
	x.Expect(`❯ /login`)
	x.TypeUntil(terminal.Enter, `Cloud gateway`)
	x.TypeUntil(terminal.Enter, `1\. Yes`)
	code := x.TypeUntil("1", `\b([B-DF-HJ-NP-TV-XZ]{4}-[B-DF-HJ-NP-TV-XZ]{4})\b`)[1]
	approve(code)
	x.Expect(`Press Enter to continue`)
	x.TypeUntil(terminal.Enter, `\? for shortcuts`)
}
