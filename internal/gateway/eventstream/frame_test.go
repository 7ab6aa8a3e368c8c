package eventstream_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	aws "github.com/aws/aws-sdk-go-v2/aws/protocol/eventstream"
	"github.com/gatehouse-dev/gatehouse/internal/gateway/eventstream"
)

// theirs is a stream as AWS's own encoder writes it.
func theirs(t testing.TB, payloads ...string) []byte {
	t.Helper()
	var out bytes.Buffer
	for _, p := range payloads {
		var h aws.Headers
		h.Set(":event-type", aws.StringValue("chunk"))
		h.Set("a-number", aws.Int32Value(7))
		h.Set("a-flag", aws.BoolValue(true))
		h.Set("bytes", aws.BytesValue{1, 2, 3})
		h.Set("an-id", aws.UUIDValue{})
		h.Set(":message-type", aws.StringValue("event"))
		if err := aws.NewEncoder().Encode(&out, aws.Message{Headers: h, Payload: []byte(p)}); err != nil {
			t.Fatal(err)
		}
	}
	return out.Bytes()
}

func TestReader(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 100<<10)
	stream := theirs(t, "one", "", long, "two")
	for name, from := range map[string]io.Reader{"whole": bytes.NewReader(stream), "byte by byte": iotest.OneByteReader(bytes.NewReader(stream)),
		"with the end": iotest.DataErrReader(bytes.NewReader(stream)), "halves": iotest.HalfReader(bytes.NewReader(stream))} {
		r := eventstream.NewReader(from)
		for _, want := range []string{"one", "", long, "two"} {
			f, err := r.Next()
			if err != nil || string(f.Payload) != want || string(f.Event) != "chunk" || string(f.Kind) != "event" {
				t.Fatalf("%s: %.20q, %q, %v", name, f.Payload, f.Event, err)
			}
		}
		for range 2 {
			if _, err := r.Next(); err != io.EOF {
				t.Errorf("%s: ends with %v", name, err)
			}
		}
	}
}

func sealed(total, headers uint32, rest []byte) []byte {
	b := binary.BigEndian.AppendUint32(nil, total)
	b = binary.BigEndian.AppendUint32(b, headers)
	b = binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b))
	b = append(b, rest...)
	return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b))
}

func TestBadFrames(t *testing.T) {
	t.Parallel()
	good := theirs(t, "payload")
	flipped := func(at int) []byte { b := bytes.Clone(good); b[at] ^= 1; return b }
	for name, tt := range map[string]struct {
		stream []byte
		want   error
	}{
		"cut in the prelude":   {good[:7], io.ErrUnexpectedEOF},
		"cut in the payload":   {good[:len(good)-3], io.ErrUnexpectedEOF},
		"a flipped length":     {flipped(3), eventstream.ErrChecksum},
		"a flipped header":     {flipped(14), eventstream.ErrChecksum},
		"a flipped payload":    {flipped(len(good) - 6), eventstream.ErrChecksum},
		"a flipped sum":        {flipped(len(good) - 1), eventstream.ErrChecksum},
		"a length of 4 GB":     {sealed(0xffffffff, 0, nil), eventstream.ErrLength},
		"shorter than nothing": {sealed(8, 0, nil), eventstream.ErrLength},
		"headers beyond":       {sealed(16, 9, nil), eventstream.ErrLength},
		"giant headers":        {sealed(1<<20, 1<<19, nil), eventstream.ErrLength},
		"headers that wrap":    {sealed(16, 0xfffffff0, nil), eventstream.ErrLength},
		"a name without end":   {sealed(16+3, 3, []byte{200, 'a', 'b'}), eventstream.ErrHeader},
		"no name":              {sealed(16+3, 3, []byte{0, 7, 0}), eventstream.ErrHeader},
		"a value beyond":       {sealed(16+6, 6, []byte{1, 'a', 7, 0, 200, 'x'}), eventstream.ErrHeader},
		"an unknown type":      {sealed(16+3, 3, []byte{1, 'a', 77}), eventstream.ErrHeader},
		"html":                 {[]byte("<!DOCTYPE html><html>"), eventstream.ErrChecksum},
	} {
		r := eventstream.NewReader(bytes.NewReader(tt.stream))
		for range 2 {
			if f, err := r.Next(); !errors.Is(err, tt.want) {
				t.Errorf("%s: %v, %v", name, f, err)
			}
		}
	}
}

// Our frames are read by AWS's decoder.
func TestAppend(t *testing.T) {
	t.Parallel()
	out := eventstream.Append([]byte("before"), []eventstream.Header{{Name: ":event-type", Value: "chunk"}, {Name: "b", Value: ""}}, []byte("payload"))
	m, err := aws.NewDecoder().Decode(bytes.NewReader(out[len("before"):]), nil)
	if err != nil || string(m.Payload) != "payload" || m.Headers.Get(":event-type").String() != "chunk" || m.Headers.Get("b").String() != "" {
		t.Errorf("%v, %v", m, err)
	}
}

// Whatever arrives, we take what AWS's decoder takes, and no more.
func FuzzReader(f *testing.F) {
	f.Add(theirs(f, "one", "two"))
	f.Add(sealed(16+3, 3, []byte{1, 'a', 0}))
	f.Add([]byte{0, 0, 0, 16})
	f.Fuzz(func(t *testing.T, stream []byte) {
		ours, decoder, rest := eventstream.NewReader(bytes.NewReader(stream)), aws.NewDecoder(), bytes.NewReader(stream)
		for {
			got, err := ours.Next()
			want, awsErr := decoder.Decode(rest, nil)
			if err == nil && awsErr != nil {
				t.Fatalf("we take what AWS refuses with %v", awsErr)
			}
			if err != nil {
				return
			}
			if !bytes.Equal(got.Payload, want.Payload) {
				t.Fatalf("%q, AWS reads %q", got.Payload, want.Payload)
			}
		}
	})
}
