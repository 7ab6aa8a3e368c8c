package jsonscan

import (
	"fmt"
	"strings"
	"testing"
)

// claudeBody resembles a request of Claude Code: a long prompt full of escapes,
// then many small tool schemas.
func claudeBody(size int) []byte {
	var b strings.Builder
	b.WriteString(`{"model":"claude-sonnet-5","system":[{"type":"text","text":"`)
	for b.Len() < size*3/4 {
		b.WriteString(`You are an agent. Use the tools below, and prefer reading to guessing.\nBe brief; say \"done\" when done.\n\n`)
	}
	b.WriteString(`"}],"tools":[`)
	for i := 0; b.Len() < size-100; i++ {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"name":"tool_%d","description":"Reads a file from the disk.","input_schema":{"type":"object","properties":{"path":{"type":"string"},"limit":{"type":"integer","minimum":1}},"required":["path"]}}`, i)
	}
	b.WriteString(`],"messages":[{"role":"user","content":"hi"}],"max_tokens":32000,"stream":true}`)
	return []byte(b.String())
}

func BenchmarkReadRequest(b *testing.B) {
	for _, size := range []int{2 << 10, 76 << 10, 1 << 20} {
		b.Run(fmt.Sprintf("%dKB", size>>10), func(b *testing.B) {
			body := claudeBody(size)
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := ReadRequest(body); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
