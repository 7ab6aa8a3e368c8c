package simulated

import (
	"bytes"
	"crypto/sha256"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/price"
)

// reply is what the model answers.
type reply struct {
	id           string
	model        string
	text         string
	tool         string // called instead of saying the text
	stopReason   string
	stopSequence string
	usage        price.Tokens
}

const filler = "Nobody thought of these words, they only take the place of some, so that there is something to stream and to count. "

// toolTokens is what calling a tool costs.
const toolTokens = 12

// say makes the reply to a request. The same request with the same id gets the
// same reply.
func say(r *request, d directive, from id.Request) *reply {
	out := &reply{model: r.model, stopReason: "end_turn", usage: r.input(), tool: d.tool}
	switch {
	case d.tool != "":
		out.stopReason, out.usage.Output = "tool_use", toolTokens
	case d.words > 0:
		out.text = words(d.words)
	default:
		out.text = greeting(r)
	}
	out.id = messageID(from, r)
	if d.tool != "" {
		return out
	}
	out.stop(r.stops)
	out.usage.Output = max(tokens(len(out.text)), 1)
	if out.usage.Output > r.maxTokens {
		out.text = whole(out.text[:r.maxTokens*4])
		out.usage.Output, out.stopReason, out.stopSequence = r.maxTokens, "max_tokens", ""
	}
	return out
}

func greeting(r *request) string {
	var b strings.Builder
	b.WriteString("This is the simulated model of Gatehouse: no model was asked, and nothing left this machine. ")
	if echo := firstWords(r.lastUser); echo != "" {
		b.WriteString("You wrote: “" + echo + "”. ")
	}
	b.WriteString("Your request named " + r.model + " and came with " + count(r.messages, "message") + " and " + count(r.tools, "tool") + ".")
	return b.String()
}

func count(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	return strconv.Itoa(n) + " " + what
}

// words returns exactly n words.
func words(n int) string {
	var b strings.Builder
	all := strings.Fields(filler)
	for i := range n {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(all[i%len(all)])
	}
	return b.String()
}

const (
	echoWords = 12
	echoBytes = 120
)

// firstWords is the beginning of a raw text, on one line.
func firstWords(raw []byte) string {
	short := raw
	if most := 4 * echoBytes; len(short) > most {
		short = short[:most]
		if i := bytes.LastIndexByte(short, '\\'); i > most-8 {
			short = short[:i] // not in the middle of an escape
			for len(short) > 0 && short[len(short)-1] == '\\' {
				short = short[:len(short)-1]
			}
		}
	}
	text, err := decode(short)
	if err != nil {
		return ""
	}
	all := strings.Fields(strings.ToValidUTF8(text, ""))
	cut := len(all) > echoWords || len(short) < len(raw)
	echo := strings.Join(all[:min(len(all), echoWords)], " ")
	if len(echo) > echoBytes {
		echo, cut = whole(echo[:echoBytes]), true
	}
	if cut && echo != "" {
		echo += " …"
	}
	return echo
}

// whole drops a rune that was cut in two from the end of a text.
func whole(text string) string {
	for len(text) > 0 {
		if r, size := utf8.DecodeLastRuneInString(text); r != utf8.RuneError || size > 1 {
			break
		}
		text = text[:len(text)-1]
	}
	return text
}

// stop ends the text before the first of the stop sequences.
func (p *reply) stop(sequences []string) {
	at := len(p.text)
	for _, sequence := range sequences {
		if i := strings.Index(p.text, sequence); sequence != "" && i >= 0 && i < at {
			at, p.stopReason, p.stopSequence = i, "stop_sequence", sequence
		}
	}
	p.text = p.text[:at]
}

// messageID is derived, so that a repeated request gets a repeated id.
func messageID(from id.Request, r *request) string {
	sum := sha256.Sum256([]byte(string(from) + "\x00" + r.model + "\x00" + strconv.Itoa(r.size[inMessages]) + "\x00" + string(r.lastUser[:min(len(r.lastUser), 256)])))
	return "msg_sim" + id.Base62(sum[:16], 22)
}
