package client_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-dev/gatehouse/client"
)

// The test's own binary is the program that a Command runs, so that it is there
// on every system: "helper WORD" does what the word says.
func TestMain(m *testing.M) {
	if len(os.Args) == 3 && os.Args[1] == "helper" {
		os.Exit(helper(os.Args[2]))
	}
	os.Exit(m.Run())
}

var jwt = "e30." + base64.RawURLEncoding.EncodeToString([]byte(`{"exp":4102444800}`)) + ".c2ln"

func helper(word string) int {
	fmt.Fprintln(os.Stderr, "canary-on-stderr")
	switch word {
	case "signed-out":
		return 3
	case "fails":
		fmt.Println("canary-token")
		return 1
	case "hangs":
		<-time.After(time.Hour)
	case "leaves":
		left := exec.Command(os.Args[0], "helper", "lingers")
		left.Stdout = os.Stdout
		if left.Start() != nil {
			return 1
		}
		fmt.Println("opaque")
	case "lingers":
		<-time.After(5 * time.Second)
	case "floods":
		for {
			fmt.Println(strings.Repeat("canary", 1000))
		}
	case "two":
		fmt.Print("canary\ncanary\n")
	case "blank":
		fmt.Println("canary token")
	case "jwt":
		fmt.Println(jwt)
	case "windows":
		fmt.Print("opaque\r\n")
	case "longest":
		fmt.Print(strings.Repeat("a", 16384) + "\r\n")
	}
	return 0
}

func command(word string) *client.Command {
	return &client.Command{Args: []string{os.Args[0], "helper", word}}
}

func TestCommand(t *testing.T) {
	t.Parallel()
	for word, want := range map[string]string{"jwt": jwt, "windows": "opaque", "leaves": "opaque", "longest": strings.Repeat("a", 16384)} {
		var said bytes.Buffer
		c := command(word)
		c.Stderr = &said
		before := time.Now()
		token, err := c.Token(t.Context())
		if err != nil || token.Reveal() != want || said.String() != "canary-on-stderr\n" {
			t.Errorf("%s: %v, said %q", word, err, said.String())
			continue
		}
		if end := token.Expires(); word == "jwt" && !end.Equal(time.Unix(4102444800, 0)) || word != "jwt" && end.Before(before.Add(5*time.Minute)) {
			t.Errorf("%s ends %s", word, end)
		}
	}
}

func TestCommandRefusesWhatIsNoToken(t *testing.T) {
	t.Parallel()
	for word, want := range map[string]error{
		"signed-out": client.ErrSignedOut, "fails": nil, "hangs": context.DeadlineExceeded,
		"floods": client.ErrNoToken, "two": client.ErrNoToken, "blank": client.ErrNoToken, "nothing": client.ErrNoToken,
	} {
		c := command(word)
		if word == "hangs" {
			c.Timeout = time.Millisecond
		}
		token, err := c.Token(t.Context())
		if err == nil || want != nil && !errors.Is(err, want) || token.Reveal() != "" {
			t.Errorf("%s: %v", word, err)
		}
		if err != nil && strings.Contains(err.Error(), "canary") {
			t.Errorf("%s: the error holds what was printed: %v", word, err)
		}
	}
	if _, err := (&client.Command{Args: []string{"no-such-program-anywhere"}}).Token(t.Context()); err == nil {
		t.Error("a program that is not there gives a token")
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := command("hangs").Token(gone); !errors.Is(err, context.Canceled) {
		t.Errorf("whose caller has gone: %v", err)
	}
}

func TestATokenIsNeverPrinted(t *testing.T) {
	t.Parallel()
	token := client.NewToken("canary-7f3a", time.Time{})
	type open struct{ T client.Token }
	type hidden struct{ t client.Token }
	var out bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		for _, v := range []any{token, &token, open{token}, &hidden{token}, []client.Token{token}} {
			fmt.Fprintf(&out, verb, v)
		}
	}
	slog.New(slog.NewJSONHandler(&out, nil)).Info("x", "t", token, "o", open{token})
	slog.New(slog.NewTextHandler(&out, nil)).Info("x", "t", token, "h", hidden{token})
	b, err := json.Marshal(open{token})
	out.Write(b)
	if got := out.String(); err != nil || strings.Contains(got, "canary") || strings.Contains(got, fmt.Sprintf("%x", "canary")) {
		t.Errorf("%v, the value is in the output: %s", err, got)
	}
	if token.Reveal() != "canary-7f3a" || (client.Token{}).Reveal() != "" {
		t.Error("Reveal does not give the value")
	}
}
