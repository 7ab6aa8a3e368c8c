package e2e_test

import (
	"bytes"
	"context"
	"encoding/json"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/anthropics/anthropic-sdk-go"
	"github.com/anthropics/anthropic-sdk-go/config"
	"github.com/anthropics/anthropic-sdk-go/option"
	"github.com/gatehouse-dev/gatehouse/internal/testkit/gatehoused"
	"github.com/gatehouse-dev/gatehouse/internal/testkit/repository"
)

func goSDKWithAKey(t *testing.T, demo *gatehoused.Demo) {
	useGoSDK(t, option.WithoutEnvironmentDefaults(), option.WithBaseURL(demo.URL), option.WithAPIKey(demo.Member.APIKey))
}

func goSDKWithTheProfile(t *testing.T, demo *gatehoused.Demo) {
	profile, err := config.LoadProfile(filepath.Join(signedIn(t, demo), ".config", "anthropic"), "gatehouse")
	if err != nil {
		t.Fatal(err)
	}
	useGoSDK(t, option.WithoutEnvironmentDefaults(), option.WithConfig(profile))
}

func useGoSDK(t *testing.T, options ...option.RequestOption) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	client := anthropic.NewClient(append(options, option.WithMaxRetries(0))...)
	question := anthropic.MessageNewParams{Model: model, MaxTokens: 64,
		Messages: []anthropic.MessageParam{anthropic.NewUserMessage(anthropic.NewTextBlock("hi"))}}
	whole, err := client.Messages.New(ctx, question)
	if err != nil {
		t.Fatalf("a message: %v", err)
	}
	var streamed anthropic.Message
	stream := client.Messages.NewStreaming(ctx, question)
	for stream.Next() {
		if err := streamed.Accumulate(stream.Current()); err != nil {
			t.Fatal(err)
		}
	}
	if err := stream.Err(); err != nil {
		t.Fatalf("a stream: %v", err)
	}
	for name, got := range map[string]*anthropic.Message{"whole": whole, "streamed": &streamed} {
		if got.Content[0].Text == "" || got.Usage.InputTokens == 0 || got.Usage.OutputTokens == 0 || got.StopReason == "" {
			t.Errorf("%s: %s", name, got.RawJSON())
		}
	}
	if whole.Content[0].Text != streamed.Content[0].Text {
		t.Errorf("whole %q, streamed %q", whole.Content[0].Text, streamed.Content[0].Text)
	}
	counted, err := client.Messages.CountTokens(ctx, anthropic.MessageCountTokensParams{Model: model, Messages: question.Messages})
	if err != nil || counted.InputTokens == 0 {
		t.Errorf("count_tokens: %v, %v", counted, err)
	}
	models, err := client.Models.List(ctx, anthropic.ModelListParams{})
	if err != nil || len(models.Data) == 0 {
		t.Fatalf("models: %v, %v", models, err)
	}
	one, err := client.Models.Get(ctx, models.Data[0].ID, anthropic.ModelGetParams{})
	if err != nil || one.ID != models.Data[0].ID {
		t.Errorf("one model: %v, %v", one, err)
	}
}

func nodeSDKWithAKey(t *testing.T, demo *gatehoused.Demo) {
	useNodeSDK(t, t.TempDir(), map[string]string{"ANTHROPIC_BASE_URL": demo.URL, "ANTHROPIC_API_KEY": demo.Member.APIKey})
}

func nodeSDKWithTheProfile(t *testing.T, demo *gatehoused.Demo) {
	useNodeSDK(t, signedIn(t, demo), map[string]string{"ANTHROPIC_PROFILE": "gatehouse"})
}

func useNodeSDK(t *testing.T, home string, env map[string]string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "node", filepath.Join(repository.Root(t), "test", "node", "ask.mjs"), model)
	cmd.Dir, cmd.Env = home, gatehoused.Environment(home, env)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	type usage struct {
		Input  int `json:"input_tokens"`
		Output int `json:"output_tokens"`
	}
	var got struct {
		Text, StreamedText, One, RequestID string
		Usage, StreamedUsage               usage
		Counted                            int
		Models                             []string
		Error                              *struct{ Message string }
	}
	if parsed := json.Unmarshal(stdout.Bytes(), &got); err != nil || parsed != nil || got.Error != nil {
		t.Fatalf("the SDK: %v, %v\nstdout: %s\nstderr: %s", err, parsed, &stdout, &stderr)
	}
	if got.Text == "" || got.Text != got.StreamedText || got.Usage.Input == 0 || got.Usage.Output == 0 ||
		got.Usage.Output != got.StreamedUsage.Output || got.Counted == 0 || len(got.Models) == 0 || got.One != got.Models[0] {
		t.Errorf("the SDK got %s", &stdout)
	}
	if !strings.HasPrefix(got.RequestID, "req_") {
		t.Errorf("request-id %q", got.RequestID)
	}
}
