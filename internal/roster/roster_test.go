package roster_test

import (
	"fmt"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/roster"
)

// facts are a line as a test states it: "number address (name) role [groups]
// {workspaces}", or "number ! what is wrong".
func facts(l roster.Line) string {
	if l.Problem != "" {
		return fmt.Sprintf("%d ! %s", l.Number, l.Problem)
	}
	text := fmt.Sprintf("%d %s (%s) %s %q %q", l.Number, l.Email, l.Name, l.Role, l.Groups, l.Workspaces)
	if l.Repeats > 0 {
		text += fmt.Sprintf(" as %d", l.Repeats)
	}
	return text
}

func TestPastedLists(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][]string{
		"": nil,
		"ada@x.org, grace@x.org;bob@x.org\ncy@x.org dan@x.org": {`1 ada@x.org ()  [] []`, `2 grace@x.org ()  [] []`, `3 bob@x.org ()  [] []`, `4 cy@x.org ()  [] []`, `5 dan@x.org ()  [] []`},
		`"Lovelace, Ada" <ADA@x.org>, Grace <grace@x.org>`:     {`1 ada@x.org (Lovelace, Ada)  [] []`, `2 grace@x.org (Grace)  [] []`},
		"A <a@x.org> B <b@x.org>\n<c@x.org>":                   {`1 a@x.org (A)  [] []`, `2 b@x.org (B)  [] []`, `3 c@x.org ()  [] []`},
		"ada@x.org nobody":                                     {`1 ada@x.org ()  [] []`, `2 ! "nobody" is not an e-mail address`},
		"ada@x.org\nADA@x.org":                                 {`1 ada@x.org ()  [] []`, `2 ada@x.org ()  [] [] as 1`},
		// Marks around an address that was copied out of a mail program.
		"\u202aada@x.org\u202c; \u200bGrace\u200b <grace@x.org\ufeff>":               {`1 ada@x.org ()  [] []`, `2 grace@x.org (Grace)  [] []`},
		"ada@x.org,Ada,developer\n":                                                  {`1 ada@x.org (Ada) developer [] []`},
		"\ufeffName;E-Mail;Groups\r\nAda;ada@x.org;Platform|Ops\r\n\r\n;;\r\nBo;;\r": {`2 ada@x.org (Ada)  ["Platform" "Ops"] []`, `5 ! the e-mail address is missing`},
		"email\tname\nada@x.org\tAda Lovelace":                                       {`2 ada@x.org (Ada Lovelace)  [] []`},
		// A note over several lines, and a quote that somebody forgot.
		"note,email\n\"one\ntwo\",ada@x.org\n":              {`2 ada@x.org ()  [] []`},
		"email,name\nada@x.org,\"Ada\nbob@x.org,Bob\"\nend": {`2 ada@x.org ("Ada)  [] []`, `3 bob@x.org (Bob")  [] []`, `4 ! "end" is not an e-mail address`},
		"email,name\nada@x.org,J\xfcrgen":                   {`2 ! some of its letters cannot be read: the list is perhaps not in UTF-8`},
		"email,name\nada@x.org,Ada,more":                    {`2 ! it has more fields than there are columns`},
		"email,role\n=cmd|'/c calc'!A0,developer":           {`2 ! "=cmd|'/c calc'!A0" is not an e-mail address`},
	} {
		lines, err := roster.Read(text)
		if err != nil {
			t.Errorf("%q: %v", text, err)
		}
		var got []string
		for _, l := range lines {
			got = append(got, facts(l))
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%q:\n%s\nnot\n%s", text, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
}

func TestListsThatAreNone(t *testing.T) {
	t.Parallel()
	five := strings.Repeat("a@x.org\n", roster.MaxLines)
	for name, text := range map[string]string{
		"UTF-16, little": "\xff\xfea\x00@\x00", "UTF-16, big": "\xfe\xff\x00a\x00@", "UTF-16 without a mark": "a\x00@\x00b\x00",
		"a spreadsheet": "PK\x03\x04and so on", "NULs": strings.Repeat("\x00", 10<<20), "large": strings.Repeat(`"`, 10<<20), "one too many": five + "b@x.org",
	} {
		for _, read := range []func(string) ([]roster.Line, error){roster.Read, roster.ReadTable} {
			if lines, err := read(text); len(lines) > 0 || !fault.Is(err, fault.Invalid) && !fault.Is(err, fault.TooLarge) {
				t.Errorf("%s: %d lines, %v", name, len(lines), err)
			}
		}
	}
	if lines, err := roster.Read(five); err != nil || len(lines) != roster.MaxLines {
		t.Errorf("%d lines, %v", len(lines), err)
	}
}

// TestWhatIsWrongStaysWrong reads lines again as they are offered to be mended:
// what nobody mended must not become somebody.
func TestWhatIsWrongStaysWrong(t *testing.T) {
	t.Parallel()
	many := strings.Repeat("Group;", 40)
	for _, table := range []string{
		"email,groups\nada@x.org,\"" + many + "\"", "email,groups\nada@x.org,\"" + strings.Repeat(strings.Repeat("g", 200)+";", 9) + "\"",
		"email,name\nada@x.org,Ada,surplus", "email\n" + strings.Repeat("a", 240) + "@x.org.and.a.lot.more.that.is.cut.off",
		"email\nada@x.org" + strings.Repeat(" ", 3000) + "x", "boss,email\nboss@x.org,\n", "email,name\nada@x.org,\xff", "name,email\n=1+1,\n", "note,email\nsecret,\n",
	} {
		lines, err := roster.ReadTable(table)
		if err != nil || len(lines) != 1 || lines[0].Problem == "" {
			t.Errorf("%.80q: %v %v", table, lines, err)
			continue
		}
		if l := lines[0]; l.Typed == "" || roster.ReadLine(l.Number, l.Typed).Problem == "" {
			t.Errorf("%.80q is offered as %.80q, which is right", table, l.Typed)
		}
	}
}

// TestHostileListsCostLittle reads long lists, made so that what looks at every
// byte more than a few times would not come to an end.
func TestHostileListsCostLittle(t *testing.T) {
	for name, unit := range map[string]string{
		"quotes": `"`, "doubled quotes": `""`, "commas": ",", "quoted commas": `",",`, "open quotes": "\"a\n", "quotes and lines": "\"\n", "odd quotes": `"""a,`, "even quotes": `""""a,`,
		"line ends": "\n", "returns": "\r", "brackets": "<>", "open brackets": "<", "closed brackets": "> ", "spaces": " ", "tabs": "\t", "ats": "@", "addresses": "a@b ", "backslashes": `"\`,
		"right-to-left marks": "\u202e", "marks of order": "\ufeff", "control characters": "\x01\x7f\u0085", "broken letters": "\xff\xc3", "quoted broken letters": "\"\xff\"\n", "bars": "a|", "formulas": "'=",
	} {
		for _, head := range []string{"", "email,name,groups\na@x.org,\"", "email,groups\na@x.org,"} {
			text := head + strings.Repeat(unit, roster.MaxBytes/32/len(unit))
			for _, read := range []func(string) ([]roster.Line, error){roster.Read, roster.ReadTable} {
				var before, after runtime.MemStats
				runtime.ReadMemStats(&before)
				lines, err := read(text)
				runtime.ReadMemStats(&after)
				if err == nil {
					sound(t, text, lines)
				}
				if used := int(after.TotalAlloc - before.TotalAlloc); used > 300*len(text) {
					t.Errorf("%s after %q take %d bytes for each that is read", name, head, used/len(text))
				}
			}
		}
	}
}

// sound fails the test unless lines are what may come of a text: few, clean, and
// the same when they are written and read again.
func sound(t *testing.T, text string, lines []roster.Line) {
	t.Helper()
	if len(lines) > roster.MaxLines {
		t.Fatalf("%d lines", len(lines))
	}
	last := 0
	for _, l := range lines {
		if l.Number <= last || l.Repeats >= l.Number || l.Repeats < 0 {
			t.Fatalf("line %d after %d repeats %d", l.Number, last, l.Repeats)
		}
		last = l.Number
		if l.Typed == "" || len(l.Typed) > 8000 || len(l.Raw) > 1000 || len(l.Email) > 2*254 || len(l.Groups) > 21 || l.Problem == "" && (len(l.Groups) > 20 || len(l.Email) > 254) {
			t.Fatalf("line %d is out of bounds: %d typed, %d raw, %+v", l.Number, len(l.Typed), len(l.Raw), l)
		}
		for _, s := range append(append([]string{l.Raw, l.Typed, l.Problem, l.Email, l.Name, l.Role}, l.Groups...), l.Workspaces...) {
			if !utf8.ValidString(s) || strings.ContainsFunc(s, func(r rune) bool { return r != ' ' && !unicode.IsPrint(r) && !unicode.IsGraphic(r) }) {
				t.Fatalf("line %d has %q", l.Number, s)
			}
		}
		if strings.IndexByte("=+-@", l.Typed[0]) >= 0 {
			t.Fatalf("line %d is a formula: %q", l.Number, l.Typed)
		}
		again := roster.ReadLine(l.Number, l.Typed)
		if (again.Problem == "") != (l.Problem == "") || l.Problem == "" && !reflect.DeepEqual(again.Person, l.Person) || again.Typed != l.Typed {
			t.Fatalf("of %.200q\n%+v\nis read again as\n%+v", text, l, again)
		}
	}
}

// whole writes all that is right of some lines as a table, and reads that.
func whole(t *testing.T, lines []roster.Line) {
	t.Helper()
	var table strings.Builder
	table.WriteString(roster.Heading + "\r\n")
	var want []roster.Person
	for _, l := range lines {
		if l.Problem == "" {
			want = append(want, l.Person)
			table.WriteString(roster.Write(l.Person) + "\r\n")
		}
	}
	if table.Len() > roster.MaxBytes {
		return
	}
	again, err := roster.ReadTable(table.String())
	if err != nil || len(again) != len(want) {
		t.Fatalf("%d lines were written and %d read: %v\n%s", len(want), len(again), err, table.String())
	}
	for i, l := range again {
		if l.Problem != "" || !reflect.DeepEqual(l.Person, want[i]) {
			t.Fatalf("%+v was written, and %+v read", want[i], l)
		}
	}
}

func seeds(f *testing.F) {
	for _, s := range []string{"ada@x.org", "email,name\nada@x.org,\"Ada\nL\"\n", "A <a@x.org>, \"B, C\" <b@x.org>", "email;groups\na@x.org;\"x;y\"", "'=1,'=2", "\"\"\"a\"@x.org",
		"\u202eada@x.org", "email\n\u212aelvin@x.org", "email,email\na@x.org,b@x.org", "a@x.org,'''=a", ",,,,,,@", "a\\\"@x.org\"b;c", "<a@x.org> <", "name,email\n\xff,\xff@x.org",
		"<>\b", "email,groups,workspaces\na@x.org,\"'; =a\",'=b"} {
		f.Add(s)
	}
}

// FuzzPaste reads pasted text. In a text that is no table nothing with an @ is
// lost: each is in an entry.
func FuzzPaste(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, text string) {
		lines, err := roster.Read(text)
		if err != nil {
			return
		}
		sound(t, text, lines)
		whole(t, lines)
		if strings.TrimFunc(text, func(r rune) bool { return unicode.IsSpace(r) || r == ',' || r == ';' || r == '\ufeff' }) != "" && len(lines) == 0 && !strings.Contains(strings.ToLower(text), "mail") && !strings.Contains(strings.ToLower(text), "address") {
			t.Fatalf("nothing comes of %q", text)
		}
	})
}

// FuzzTable reads tables. A line of the file that has an @ and no quote is a
// person or a fault with its number, whatever stands around it; the heading
// alone is neither.
func FuzzTable(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, text string) {
		lines, err := roster.ReadTable(text)
		if err != nil {
			return
		}
		sound(t, text, lines)
		whole(t, lines)
		known := map[int]bool{}
		for _, l := range lines {
			known[l.Number] = true
		}
		heading := true
		for i, line := range strings.Split(strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(strings.TrimPrefix(text, "\ufeff")), "\n") {
			if strings.Contains(line, "@") && !strings.Contains(line, `"`) && !known[i+1] && !heading {
				t.Fatalf("line %d of %q is lost", i+1, text)
			}
			heading = heading && strings.TrimFunc(line, func(r rune) bool { return unicode.IsSpace(r) || strings.ContainsRune(`,;"`, r) }) == ""
		}
	})
}
