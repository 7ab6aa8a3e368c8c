package dialect

import (
	"encoding/base64"
	"encoding/json"

	"github.com/gatehouse-dev/gatehouse/internal/catalogue"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
)

// CountFromVertex makes a body of count_tokens from one of Vertex, in which the
// model is named as it is called there.
func CountFromVertex(body []byte) (messages []byte, betas []string, err error) {
	var asked struct{ Model string }
	if json.Unmarshal(body, &asked) != nil || asked.Model == "" {
		return nil, nil, fault.New(fault.Invalid, "a model is needed").At("model")
	}
	return FromCloud(body, catalogue.Canonical(asked.Model), false)
}

// CountFromBedrock makes a body of count_tokens from one of Bedrock's CountTokens,
// which holds a body of InvokeModel in base64.
func CountFromBedrock(body []byte, model string) (messages []byte, betas []string, err error) {
	var asked struct {
		Input struct {
			InvokeModel struct {
				Body []byte `json:"body"`
			} `json:"invokeModel"`
		} `json:"input"`
	}
	if json.Unmarshal(body, &asked) != nil || len(asked.Input.InvokeModel.Body) == 0 {
		return nil, nil, fault.New(fault.Invalid, "a body of InvokeModel in base64 is needed").At("input.invokeModel.body")
	}
	messages, betas, err = FromCloud(asked.Input.InvokeModel.Body, model, false)
	if err != nil {
		return nil, nil, err
	}
	// The API refuses what has no meaning when nothing is answered.
	messages, err = splice(nil, messages, Drop{"max_tokens"}, nil)
	return messages, betas, err
}

// CountForBedrock is a number of tokens as Bedrock says it.
func CountForBedrock(document []byte) []byte {
	var counted struct {
		InputTokens int64 `json:"input_tokens"`
	}
	_ = json.Unmarshal(document, &counted) // an upstream's answer with status 200
	out, _ := json.Marshal(map[string]int64{"inputTokens": counted.InputTokens})
	return out
}

// CountToBedrock is a body of Bedrock's CountTokens for one of InvokeModel.
func CountToBedrock(body []byte) []byte {
	out := []byte(`{"input":{"invokeModel":{"body":"`)
	out = base64.StdEncoding.AppendEncode(out, body)
	return append(out, `"}}}`...)
}
