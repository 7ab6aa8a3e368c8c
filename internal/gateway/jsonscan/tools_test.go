package jsonscan

import (
	"encoding/json"
	"slices"
	"testing"
)

// FuzzToolModels holds what is found to what encoding/json reads, which ignores case as
// lenient readers do: no reader must see a model that we do not.
func FuzzToolModels(f *testing.F) {
	for _, seed := range []string{
		`{"model":"m","tools":[]}`,
		`{"model":"m","tools":[{"name":"x"},{"type":"advisor_20260301","model":"claude-b"}]}`,
		`{"model":"m","TOOLS": [ {"\u006dodel" : "a" } , {"Model":"b","model":"c"} ] }`,
		`{"model":"m","tools":[{"model":7}],"tools":[{"model":"d"}]}`,
		`{"model":"m","tools":{"model":"x"}}`,
		`{"model":"m","tools":[[{"model":"x"}],null,1,"model"]}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		if _, err := ReadRequest(body); err != nil {
			return
		}
		found, err := ToolModels(body)
		if err != nil {
			return // it is refused
		}
		var read struct{ Tools []struct{ Model string } }
		if json.Unmarshal(body, &read) != nil {
			return
		}
		for _, tool := range read.Tools {
			if tool.Model != "" && !slices.Contains(found, tool.Model) {
				t.Errorf("of %q %q is not found among %q", body, tool.Model, found)
			}
		}
	})
}
