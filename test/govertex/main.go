package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/anthropics/anthropic-sdk-go"
	"github.com/anthropics/anthropic-sdk-go/option"
	"github.com/anthropics/anthropic-sdk-go/vertex"
	"golang.org/x/oauth2"
	"golang.org/x/oauth2/google"
)

type cell struct{ URL, Key, Model string }

// answer is what came of one cell.
type answer struct {
	Whole, Streamed               string
	Stop, StreamedStop            string
	Input, Output                 int64
	StreamedInput, StreamedOutput int64
	Deltas                        int
	Refused                       int // the status for another key
	Error                         string
}

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	var cells []cell
	if err := json.NewDecoder(os.Stdin).Decode(&cells); err != nil {
		fmt.Fprintln(os.Stderr, "reading what to ask:", err)
		os.Exit(2)
	}
	answers := make([]answer, len(cells))
	for i, c := range cells {
		answers[i] = ask(ctx, c)
	}
	if err := json.NewEncoder(os.Stdout).Encode(answers); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func client(ctx context.Context, at, key string) anthropic.Client {
	credentials := &google.Credentials{TokenSource: oauth2.StaticTokenSource(&oauth2.Token{AccessToken: key})}
	return anthropic.NewClient(vertex.WithCredentials(ctx, "europe-west1", "any-project", credentials), option.WithBaseURL(at), option.WithMaxRetries(0))
}

func ask(ctx context.Context, c cell) (a answer) {
	question := anthropic.MessageNewParams{Model: anthropic.Model(c.Model), MaxTokens: 7, Messages: []anthropic.MessageParam{anthropic.NewUserMessage(anthropic.NewTextBlock("hi"))}}
	asks := client(ctx, c.URL, c.Key)
	whole, err := asks.Messages.New(ctx, question)
	if err != nil {
		a.Error = err.Error()
		return a
	}
	a.Whole, a.Stop, a.Input, a.Output = text(whole), string(whole.StopReason), whole.Usage.InputTokens, whole.Usage.OutputTokens
	stream := asks.Messages.NewStreaming(ctx, question)
	var put anthropic.Message
	for stream.Next() {
		if stream.Current().Type == "content_block_delta" {
			a.Deltas++
		}
		if err := put.Accumulate(stream.Current()); err != nil {
			a.Error = err.Error()
			return a
		}
	}
	if err := stream.Err(); err != nil {
		a.Error = err.Error()
		return a
	}
	a.Streamed, a.StreamedStop, a.StreamedInput, a.StreamedOutput = text(&put), string(put.StopReason), put.Usage.InputTokens, put.Usage.OutputTokens
	stranger := client(ctx, c.URL, "another")
	_, err = stranger.Messages.New(ctx, question)
	if refused, ok := errors.AsType[*anthropic.Error](err); ok {
		a.Refused = refused.StatusCode
	}
	return a
}

func text(m *anthropic.Message) (all string) {
	for _, block := range m.Content {
		all += block.Text
	}
	return all
}
