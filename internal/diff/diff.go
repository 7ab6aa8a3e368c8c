package diff

import (
	"fmt"
	"strings"
)

const (
	context = 3
	// Cells of the table that finds what two middles have in common.
	maxCells = 4 << 20
)

// step is one line of an edit: kept (' '), taken out ('-') or put in ('+').
type step struct {
	kind byte
	a, b int // the line's index in each text; of the side it is on
}

// Unified returns the diff from a to b, with name in its header; "" if they are
// the same. show is what stands for a line: it may hide what is secret. A nil
// show shows lines as they are.
func Unified(name, a, b string, show func(line string) string) string {
	if a == b {
		return ""
	}
	if show == nil {
		show = func(line string) string { return line }
	}
	old, now := lines(a), lines(b)
	steps := edit(old, now)
	var out strings.Builder
	fmt.Fprintf(&out, "--- %s\n+++ %s\n", name, name)
	for _, h := range hunks(steps) {
		part := steps[h[0]:h[1]]
		fmt.Fprintf(&out, "@@ -%s +%s @@\n", span(part, '+', part[0].a), span(part, '-', part[0].b))
		for _, s := range part {
			line := ""
			if s.kind == '+' {
				line = now[s.b]
			} else {
				line = old[s.a]
			}
			text, ended := strings.CutSuffix(line, "\n")
			out.WriteByte(s.kind)
			out.WriteString(show(strings.TrimSuffix(text, "\r")))
			out.WriteByte('\n')
			if !ended {
				out.WriteString("\\ No newline at end of file\n")
			}
		}
	}
	return out.String()
}

func lines(s string) []string {
	list := strings.SplitAfter(s, "\n")
	if list[len(list)-1] == "" {
		list = list[:len(list)-1]
	}
	return list
}

// span is "start,count" of one side of a hunk; not is the kind of the other side.
func span(part []step, not byte, start int) string {
	count := 0
	for _, s := range part {
		if s.kind != not {
			count++
		}
	}
	if count > 0 {
		start++
	}
	if count == 1 {
		return fmt.Sprint(start)
	}
	return fmt.Sprintf("%d,%d", start, count)
}

// hunks are the ranges of steps that hold changes and their context.
func hunks(steps []step) [][2]int {
	var list [][2]int
	for i, s := range steps {
		if s.kind == ' ' {
			continue
		}
		from, to := max(i-context, 0), min(i+1+context, len(steps))
		if n := len(list); n > 0 && from <= list[n-1][1] {
			list[n-1][1] = to
		} else {
			list = append(list, [2]int{from, to})
		}
	}
	return list
}

// edit is the shortest way from old to now, by lines.
func edit(old, now []string) []step {
	head := 0
	for head < len(old) && head < len(now) && old[head] == now[head] {
		head++
	}
	tail := 0
	for tail < len(old)-head && tail < len(now)-head && old[len(old)-1-tail] == now[len(now)-1-tail] {
		tail++
	}
	var steps []step
	for i := range head {
		steps = append(steps, step{' ', i, i})
	}
	steps = append(steps, middle(old[head:len(old)-tail], now[head:len(now)-tail], head)...)
	for i := tail; i > 0; i-- {
		steps = append(steps, step{' ', len(old) - i, len(now) - i})
	}
	return steps
}

// middle compares what differs at both ends. Both texts begin at line offset.
func middle(old, now []string, offset int) []step {
	width := len(now) + 1
	var common []int32 // how many lines old[i:] and now[j:] have in common, at i*width+j
	if (len(old)+1)*width <= maxCells {
		common = make([]int32, (len(old)+1)*width)
		for i := len(old) - 1; i >= 0; i-- {
			for j := len(now) - 1; j >= 0; j-- {
				if old[i] == now[j] {
					common[i*width+j] = common[(i+1)*width+j+1] + 1
				} else {
					common[i*width+j] = max(common[(i+1)*width+j], common[i*width+j+1])
				}
			}
		}
	}
	var steps []step
	i, j := 0, 0
	for i < len(old) || j < len(now) {
		switch {
		case common != nil && i < len(old) && j < len(now) && old[i] == now[j]:
			steps = append(steps, step{' ', offset + i, offset + j})
			i, j = i+1, j+1
		case i < len(old) && (j == len(now) || common == nil || common[(i+1)*width+j] >= common[i*width+j+1]):
			steps = append(steps, step{'-', offset + i, offset + j})
			i++
		default:
			steps = append(steps, step{'+', offset + i, offset + j})
			j++
		}
	}
	return steps
}
