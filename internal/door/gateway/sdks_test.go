package gateway_test

import (
	"bytes"
	"context"
	"encoding/json"
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
	asked, err := json.Marshal(cells)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "node", filepath.Join(repository.Root(t), "test", "node", "clouds.mjs"))
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir()}
	cmd.Stdin = bytes.NewReader(asked)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	var got []struct {
		Whole, Stop, Streamed, StreamedStop, Error string
		Output, Deltas, StreamedOutput, Refused    int
	}
	if err != nil || json.Unmarshal(out, &got) != nil || len(got) != len(cells) {
		t.Fatalf("the SDKs: %v\n%s\n%s", err, out, stderr.String())
	}
	const want = "word1 word2 word3 word4 word5 word6 word7 "
	for i, g := range got {
		if g.Error != "" || g.Whole != want || g.Streamed != want || g.Output != 7 || g.StreamedOutput != 7 || g.Deltas != 7 || g.Stop != "end_turn" || g.StreamedStop != "end_turn" || g.Refused != 401 {
			t.Errorf("%s by %s: %+v", cells[i].Format, cells[i].upstream, g)
		}
	}
}

// TestGoSDKForBedrock is the Go SDK in its Bedrock mode, whose frames it reads itself.
func TestGoSDKForBedrock(t *testing.T) {
	t.Parallel()
	for name, up := range clouds(t, cloud.New(t)) {
		f := newFront(t)
		f.route = &gateway.Route{Upstreams: []gateway.Upstream{up}}
		client := sdk.NewClient(sdkbedrock.WithConfig(aws.Config{Region: cloud.Region, BearerAuthTokenProvider: presented(key)}),
			sdkoption.WithBaseURL(f.url), sdkoption.WithMaxRetries(0))
		question := sdk.MessageNewParams{Model: sdk.Model(inFormat["bedrock"]), MaxTokens: 7, Messages: []sdk.MessageParam{sdk.NewUserMessage(sdk.NewTextBlock("hi"))}}
		whole, err := client.Messages.New(t.Context(), question)
		if err != nil || len(whole.Content) != 1 || whole.Usage.OutputTokens != 7 {
			t.Fatalf("by %s: %+v, %v", name, whole, err)
		}
		stream := client.Messages.NewStreaming(t.Context(), question)
		var put sdk.Message
		for stream.Next() {
			if err := put.Accumulate(stream.Current()); err != nil {
				t.Fatal(err)
			}
		}
		if err := stream.Err(); err != nil || len(put.Content) != 1 || put.Content[0].Text != whole.Content[0].Text || put.Usage.OutputTokens != 7 {
			t.Errorf("by %s, streamed: %+v, %v", name, put, err)
		}
	}
}

// presented is a bearer key as AWS's SDK asks for one.
type presented string

func (p presented) RetrieveBearerToken(context.Context) (bearer.Token, error) {
	return bearer.Token{Value: string(p)}, nil
}
