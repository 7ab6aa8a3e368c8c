package gateway_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	sdk "github.com/anthropics/anthropic-sdk-go"
	sdkbedrock "github.com/anthropics/anthropic-sdk-go/bedrock"
	sdkoption "github.com/anthropics/anthropic-sdk-go/option"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/smithy-go/auth/bearer"
	"github.com/gatehouse-dev/gatehouse/internal/gateway"
	"github.com/gatehouse-dev/gatehouse/internal/testkit/cloud"
	"github.com/gatehouse-dev/gatehouse/internal/testkit/repository"
	testupstream "github.com/gatehouse-dev/gatehouse/internal/testkit/upstream"
)

// cell is one client at one upstream.
type cell struct {
	Format string `json:"format"`
	URL    string `json:"url"`
	Key    string `json:"key"`
	Model  string `json:"model"`

	upstream string
}

// inFormat is what the model is called by clients of a format.
var inFormat = map[string]string{"messages": dated, "foundry": dated, "bedrock": "eu.anthropic." + dated + "-v1:0", "vertex": "claude-haiku-4-5@20251001"}

// TestTheCloudsOwnSDKs is the table of formats and upstreams with the official SDKs as
// clients: all that they have of ours is an address and a credential.
func TestTheCloudsOwnSDKs(t *testing.T) {
	t.Parallel()
	var cells []cell
	for name, up := range clouds(t, cloud.New(t)) {
		f := newFront(t)
		f.route = &gateway.Route{Upstreams: []gateway.Upstream{up}}
		for format, model := range inFormat {
			cells = append(cells, cell{format, f.url, key, model, name})
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	checkCells(t, cells, exec.CommandContext(ctx, "node", filepath.Join(repository.Root(t), "test", "node", "clouds.mjs")))
}

// checkCells has a program ask what the cells say, and checks what it got in each.
func checkCells(t *testing.T, cells []cell, cmd *exec.Cmd) {
	t.Helper()
	asked, err := json.Marshal(cells)
	if err != nil {
		t.Fatal(err)
	}
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir()}
	cmd.Stdin = bytes.NewReader(asked)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	var got []struct {
		Whole, Stop, Streamed, StreamedStop, Error                    string
		Input, Output, Deltas, StreamedInput, StreamedOutput, Refused int
	}
	if err != nil || json.Unmarshal(out, &got) != nil || len(got) != len(cells) {
		t.Fatalf("the SDKs: %v\n%s\n%s", err, out, stderr.String())
	}
	const want = "word1 word2 word3 word4 word5 word6 word7 "
	for i, g := range got {
		if g.Error != "" || g.Whole != want || g.Streamed != want || g.Input == 0 || g.StreamedInput == 0 || g.Output != 7 || g.StreamedOutput != 7 || g.Deltas != 7 ||
			g.Stop != "end_turn" || g.StreamedStop != "end_turn" || g.Refused != 401 {
			t.Errorf("%s by %s: %+v", cells[i].Format, cells[i].upstream, g)
		}
	}
}

// TestGoSDKForVertex is the Go SDK in its Vertex mode, a program of its own module.
func TestGoSDKForVertex(t *testing.T) {
	t.Parallel()
	program := filepath.Join(t.TempDir(), "govertex")
	// Built with the flags of the tests, it takes the SDK as they have compiled it.
	flags := strings.FieldsFunc(os.Getenv("GATEHOUSE_BUILD_FLAGS"), func(r rune) bool { return r == '\n' })
	build := exec.CommandContext(t.Context(), "go", append(append([]string{"build"}, flags...), "-o", program, ".")...)
	build.Dir = filepath.Join(repository.Root(t), "test", "govertex")
	if said, err := build.CombinedOutput(); err != nil {
		t.Fatalf("building the program: %v\n%s", err, said)
	}
	var cells []cell
	for name, up := range clouds(t, cloud.New(t)) {
		f := newFront(t)
		f.route = &gateway.Route{Upstreams: []gateway.Upstream{up}}
		cells = append(cells, cell{"vertex", f.url, key, inFormat["vertex"], name})
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	checkCells(t, cells, exec.CommandContext(ctx, program))
}

// TestGoSDKForBedrock is the Go SDK in its Bedrock mode, whose frames it reads itself.
func TestGoSDKForBedrock(t *testing.T) {
	t.Parallel()
	s := cloud.New(t)
	for name, up := range clouds(t, s) {
		f := newFront(t)
		f.route = &gateway.Route{Upstreams: []gateway.Upstream{up}}
		client := sdk.NewClient(sdkbedrock.WithConfig(aws.Config{Region: cloud.Region, BearerAuthTokenProvider: presented(key)}),
			sdkoption.WithBaseURL(f.url), sdkoption.WithMaxRetries(0))
		question := sdk.MessageNewParams{Model: sdk.Model(inFormat["bedrock"]), MaxTokens: 7, Messages: []sdk.MessageParam{sdk.NewUserMessage(sdk.NewTextBlock("hi"))}}
		whole, err := client.Messages.New(t.Context(), question)
		if err != nil || len(whole.Content) != 1 || whole.Usage.OutputTokens != 7 {
			t.Fatalf("by %s: %+v, %v", name, whole, err)
		}
		rest := make(chan struct{}) // what follows the first event is sent when that has arrived
		s.Model.Always(testupstream.Plan{Step: rest})
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		stream := client.Messages.NewStreaming(ctx, question)
		var put sdk.Message
		for first := true; stream.Next(); first = false {
			if first {
				close(rest)
				s.Model.Always(testupstream.Plan{})
			}
			if err := put.Accumulate(stream.Current()); err != nil {
				t.Fatal(err)
			}
		}
		if err := stream.Err(); err != nil || len(put.Content) != 1 || put.Content[0].Text != whole.Content[0].Text || put.Usage.OutputTokens != 7 || put.StopReason != whole.StopReason || put.Usage.InputTokens == 0 || whole.Usage.InputTokens == 0 {
			t.Errorf("by %s, streamed: %.300q, %v", name, fmt.Sprint(put.StopReason, put.Usage.InputTokens, put.Usage.OutputTokens, put.Content), err)
		}
	}
}

// presented is a bearer key as AWS's SDK asks for one.
type presented string

func (p presented) RetrieveBearerToken(context.Context) (bearer.Token, error) {
	return bearer.Token{Value: string(p)}, nil
}
