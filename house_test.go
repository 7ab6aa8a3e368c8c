// Package gatehouse_test holds the house to its rules: which way imports go,
// what every package has to say of itself, and who may do what.
package gatehouse_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

const module = "github.com/gatehouse-dev/gatehouse/"

// floors are the server's packages by height: a package imports what is below
// it. Members of a floor know each other only by the list of edges.
var floors = []struct {
	name     string
	packages []string
}{
	{"nouns", []string{
		"internal/atomicfile",
		"internal/caller",
		"internal/checkup",
		"internal/fault",
		"internal/id",
		"internal/limit",
		"internal/secret",
		"internal/useragent",
	}},
	{"judgement", []string{
		"internal/totp",
		"internal/access",
		"internal/audit",
		"internal/catalogue",
		"internal/feed",
		"internal/letter",
		"internal/password",
		"internal/roster",
		"internal/price",
	}},
	{"rooms", []string{
		"internal/activity",
		"internal/serviceaccount",
		"internal/workspace",
		"internal/account",
		"internal/apikey",
		"internal/bearer",
		"internal/cloudaccess",
		"internal/gateway",
		"internal/gateway/breaker",
		"internal/gateway/dialect",
		"internal/gateway/eventstream",
		"internal/gateway/jsonscan",
		"internal/gateway/quota",
		"internal/gateway/tap",
		"internal/invite",
		"internal/jwks",
		"internal/oauth",
		"internal/onboarding",
		"internal/org",
		"internal/outbox",
		"internal/session",
		"internal/upstream",
		"internal/usage",
	}},
	{"outside", []string{
		"internal/dial",
		"internal/kms",
		"internal/mail",
		"internal/store",
		"internal/upstream/anthropic",
		"internal/upstream/anthropicauth",
		"internal/upstream/anthropicaws",
		"internal/upstream/awsauth",
		"internal/upstream/azureauth",
		"internal/upstream/bedrock",
		"internal/upstream/direct",
		"internal/upstream/foundry",
		"internal/upstream/googleauth",
		"internal/upstream/lease",
		"internal/upstream/mantle",
		"internal/upstream/origin",
		"internal/upstream/simulated",
		"internal/upstream/vertex",
	}},
	{"doors", []string{
		"api",
		"internal/door/admin",
		"internal/door/console",
		"internal/door/envelope",
		"internal/door/gateway",
		"internal/door/oauth",
		"internal/door/route",
		"internal/door/setup",
	}},
	{"wiring", []string{
		"internal/server",
	}},
	{"commands", []string{
		"cmd/gatehoused",
	}},
}

// edges are the sideways imports on a floor, each with its reason.
var edges = map[string]string{
	"internal/invite -> internal/account":                           "who accepts is signed in",
	"internal/invite -> internal/org":                               "who accepts becomes a member",
	"internal/caller -> internal/id":                                "a caller is known by ids",
	"internal/secret -> internal/id":                                "credentials are written with the digits of ids",
	"internal/feed -> internal/audit":                               "the feed is the record, read on",
	"internal/account -> internal/org":                              "people sign in as members",
	"internal/apikey -> internal/org":                               "a key can do what its member can",
	"internal/session -> internal/org":                              "a session can do what its member can",
	"internal/apikey -> internal/workspace":                         "a key is in a workspace, and stops with it",
	"internal/session -> internal/workspace":                        "sign-ins are in the workspace of Claude Code",
	"internal/workspace -> internal/org":                            "its texts are kept by the same rule",
	"internal/serviceaccount -> internal/org":                       "its texts are kept by the same rule",
	"internal/apikey -> internal/bearer":                            "keys are a source of grants",
	"internal/session -> internal/bearer":                           "access tokens are a source of grants",
	"internal/cloudaccess -> internal/jwks":                         "identity tokens are signed",
	"internal/session -> internal/jwks":                             "access tokens are signed",
	"internal/oauth -> internal/session":                            "an approved device becomes a session",
	"internal/onboarding -> internal/oauth":                         "codes that people type are made in one place",
	"internal/onboarding -> internal/org":                           "members are who is led",
	"internal/gateway -> internal/bearer":                           "who asks, and whether they still may in the middle of a stream",
	"internal/gateway -> internal/usage":                            "what is reserved and settled",
	"internal/gateway -> internal/gateway/breaker":                  "its own part",
	"internal/gateway -> internal/gateway/jsonscan":                 "its own part",
	"internal/gateway -> internal/gateway/quota":                    "its own part",
	"internal/gateway -> internal/gateway/tap":                      "its own part",
	"internal/gateway/tap -> internal/gateway/jsonscan":             "usage is read with the same eyes as requests",
	"internal/store -> internal/kms":                                "columns are sealed where they are written",
	"internal/upstream/anthropic -> internal/upstream/direct":       "headers of its own",
	"internal/catalogue -> internal/price":                          "a model is named by one rule",
	"internal/gateway/dialect -> internal/gateway/eventstream":      "Bedrock's streams are frames",
	"internal/gateway/dialect -> internal/gateway/jsonscan":         "bodies are spliced where they are found",
	"internal/upstream/anthropic -> internal/upstream/lease":        "how its credential stands",
	"internal/upstream/anthropic -> internal/upstream/origin":       "where requests go",
	"internal/upstream/anthropicauth -> internal/upstream/lease":    "it is a credential of an origin",
	"internal/upstream/anthropicauth -> internal/upstream/origin":   "it is a credential of an origin",
	"internal/upstream/anthropicaws -> internal/upstream/anthropic": "it speaks the same format",
	"internal/upstream/anthropicaws -> internal/upstream/awsauth":   "what says that a credential's time is over",
	"internal/upstream/anthropicaws -> internal/upstream/direct":    "headers of its own",
	"internal/upstream/awsauth -> internal/upstream/direct":         "it is a credential of an origin",
	"internal/upstream/awsauth -> internal/upstream/lease":          "it is a credential of an origin",
	"internal/upstream/awsauth -> internal/upstream/origin":         "it is a credential of an origin",
	"internal/upstream/azureauth -> internal/upstream/lease":        "it is a credential of an origin",
	"internal/upstream/azureauth -> internal/upstream/origin":       "it is a credential of an origin",
	"internal/upstream/bedrock -> internal/upstream/awsauth":        "what says that a credential's time is over",
	"internal/upstream/bedrock -> internal/upstream/lease":          "how its credential stands",
	"internal/upstream/bedrock -> internal/upstream/origin":         "where requests go",
	"internal/upstream/foundry -> internal/upstream/anthropic":      "it speaks the same format",
	"internal/upstream/foundry -> internal/upstream/direct":         "headers of its own",
	"internal/upstream/googleauth -> internal/upstream/lease":       "it is a credential of an origin",
	"internal/upstream/googleauth -> internal/upstream/origin":      "it is a credential of an origin",
	"internal/upstream/mantle -> internal/upstream/anthropic":       "it speaks the same format",
	"internal/upstream/mantle -> internal/upstream/awsauth":         "what says that a credential's time is over",
	"internal/upstream/origin -> internal/upstream/direct":          "its connections",
	"internal/upstream/origin -> internal/upstream/lease":           "how a credential stands",
	"internal/upstream/vertex -> internal/upstream/direct":          "headers of its own",
	"internal/upstream/vertex -> internal/upstream/lease":           "how its credential stands",
	"internal/upstream/vertex -> internal/upstream/origin":          "where requests go",
	"internal/door/admin -> api":                                    "the wire's types",
	"internal/door/admin -> internal/door/envelope":                 "errors of the Anthropic form",
	"internal/door/admin -> internal/door/route":                    "how doors say what they serve",
	"internal/door/console -> internal/door/envelope":               "the same statuses for the same faults",
	"internal/door/gateway -> internal/door/envelope":               "errors of the Anthropic form",
	"internal/door/setup -> internal/door/envelope":                 "errors of the Anthropic form",
	"internal/door/setup -> internal/door/route":                    "how doors say what they serve",
	"internal/door/oauth -> internal/door/route":                    "how doors say what they serve",
}

// members is the member's side. It knows nouns and itself, and no room.
var members = []string{
	"client",
	"cmd/gatehouse",
	"internal/agent",
	"internal/binding",
	"internal/claudecode",
	"internal/credential",
	"internal/diff",
	"internal/doctor",
	"internal/editor",
	"internal/helper",
	"internal/inspector",
	"internal/jsontext",
	"internal/keystore",
	"internal/keystore/choice",
	"internal/keystore/file",
	"internal/keystore/keychain",
	"internal/keystore/keystoretest",
	"internal/keystore/lockfile",
	"internal/keystore/sealed",
	"internal/keystore/secretservice",
	"internal/keystore/vault",
	"internal/keystore/wincred",
	"internal/launch",
	"internal/login",
	"internal/manual",
	"internal/patience",
	"internal/precedence",
	"internal/qrcode",
	"internal/privateproxy",
	"internal/recipe",
	"internal/redact",
	"internal/refresh",
	"internal/screenlock",
	"internal/sdkprofile",
	"internal/settingsfile",
	"internal/source",
	"internal/source/aws",
	"internal/source/azure",
	"internal/source/exchange",
	"internal/source/google",
	"internal/source/sdk",
	"internal/subprocess",
}

// kits serve tests and may import anything. bench and what is under it are programs of their own.
func isKit(pkg string) bool {
	return strings.HasPrefix(pkg, "internal/testkit/") || strings.HasPrefix(pkg, "test/") || pkg == "bench" || strings.HasPrefix(pkg, "bench/") || strings.HasSuffix(pkg, "test")
}

// mayServe are the packages that may speak HTTP.
func mayServe(pkg string) bool {
	for _, p := range []string{"internal/door/", "internal/gateway", "internal/upstream/", "internal/login", "internal/privateproxy", "internal/server", "internal/source", "cmd/gatehouse", "client"} {
		if strings.HasPrefix(pkg, p) {
			return pkg != "cmd/gatehoused"
		}
	}
	return false
}

// source is one package's files.
type source struct {
	name    string
	files   map[string]*ast.File // :: file name → syntax, tests included
	imports []string             // of files that are no tests
}

func sources(t *testing.T) []source {
	t.Helper()
	all, err := parsed()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// parsed is the whole module's syntax. Every test reads it, and none changes it.
var parsed = sync.OnceValues(func() ([]source, error) {
	byDir := map[string]*source{}
	set := token.NewFileSet()
	err := filepath.WalkDir(".", func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == "node_modules" || d.Name() == "testdata" || (strings.HasPrefix(d.Name(), ".") && file != ".")) {
			return fs.SkipDir
		}
		if !strings.HasSuffix(file, ".go") {
			return nil
		}
		syntax, err := parser.ParseFile(set, file, nil, parser.ParseComments)
		if err != nil {
			return err
		}
		dir := filepath.ToSlash(filepath.Dir(file))
		if byDir[dir] == nil {
			byDir[dir] = &source{name: dir, files: map[string]*ast.File{}}
		}
		byDir[dir].add(path.Base(filepath.ToSlash(file)), syntax)
		return nil
	})
	if err != nil {
		return nil, err
	}
	var all []source
	for dir, s := range byDir {
		if dir != "." {
			all = append(all, *s)
		}
	}
	slices.SortFunc(all, func(a, b source) int { return strings.Compare(a.name, b.name) })
	return all, nil
})

func (s *source) add(name string, syntax *ast.File) {
	s.files[name] = syntax
	if strings.HasSuffix(name, "_test.go") {
		return
	}
	for _, i := range syntax.Imports {
		to := strings.Trim(i.Path.Value, `"`)
		if !slices.Contains(s.imports, to) {
			s.imports = append(s.imports, to)
		}
	}
}

func floorOf(pkg string) int {
	for i, f := range floors {
		if slices.Contains(f.packages, pkg) {
			return i
		}
	}
	return -1
}

func TestImportsGoDown(t *testing.T) {
	used := map[string]bool{}
	for _, s := range sources(t) {
		if isKit(s.name) || slices.Contains(members, s.name) {
			continue
		}
		floor := floorOf(s.name)
		if floor < 0 {
			t.Errorf("%s stands on no floor: give it a place in this file", s.name)
			continue
		}
		for _, to := range s.imports {
			other, ours := strings.CutPrefix(to, module)
			if !ours {
				continue
			}
			edge := s.name + " -> " + other
			switch below := floorOf(other); {
			case isKit(other):
				t.Errorf("%s imports the test kit %s", s.name, other)
			case below > floor || below < 0:
				t.Errorf("%s (%s) imports %s, which is not below it", s.name, floors[floor].name, other)
			case below == floor && edges[edge] == "":
				t.Errorf("%s goes sideways: give the edge a reason in this file, or turn it round", edge)
			case below == floor:
				used[edge] = true
			}
		}
	}
	for edge := range edges {
		if !used[edge] {
			t.Errorf("the edge %s is listed and not there", edge)
		}
	}
}

func TestMembersSideKnowsNoRoom(t *testing.T) {
	for _, s := range sources(t) {
		if !slices.Contains(members, s.name) {
			continue
		}
		for _, to := range s.imports {
			other, ours := strings.CutPrefix(to, module)
			if ours && !slices.Contains(members, other) && floorOf(other) != 0 {
				t.Errorf("%s imports %s", s.name, other)
			}
			if strings.Contains(to, "aws-sdk") || strings.Contains(to, "cloud.google.com") || strings.Contains(to, "azure-sdk") {
				t.Errorf("%s links a cloud's SDK: %s", s.name, to)
			}
		}
	}
}

func TestNoPackageHoldsASocketAndADatabase(t *testing.T) {
	for _, s := range sources(t) {
		serves, stores := slices.Contains(s.imports, "net/http"), slices.Contains(s.imports, "database/sql")
		if stores && s.name != "internal/store" && s.name != "internal/testkit/scale" {
			t.Errorf("%s imports database/sql: only internal/store may, and the kit that fills its tables", s.name)
		}
		if serves && !isKit(s.name) && !mayServe(s.name) {
			t.Errorf("%s imports net/http", s.name)
		}
	}
}

func TestEveryPackageIntroducesItself(t *testing.T) {
	for _, s := range sources(t) {
		if onlyTests(s) {
			continue
		}
		doc := s.files["doc.go"]
		if doc == nil || doc.Doc == nil {
			t.Errorf("%s has no doc.go that says what it is", s.name)
			continue
		}
		for name, f := range s.files {
			if name != "doc.go" && f.Doc != nil && f.Name.Name == doc.Name.Name {
				t.Errorf("%s is introduced twice: in doc.go and %s", s.name, name)
			}
		}
	}
}

func onlyTests(s source) bool {
	for name := range s.files {
		if !strings.HasSuffix(name, "_test.go") {
			return false
		}
	}
	return true
}

// reserved are calls that belong to commands alone.
var reserved = []string{"os.Exit", "os.Getenv", "os.LookupEnv", "os.Environ", "os.Stdout", "os.Stdin", "fmt.Print", "fmt.Println", "fmt.Printf", "log.Fatal", "log.Fatalf"}

func TestOnlyCommandsTouchTheProcess(t *testing.T) {
	for _, s := range sources(t) {
		if strings.HasPrefix(s.name, "cmd/") || isKit(s.name) {
			continue
		}
		for name, f := range s.files {
			if strings.HasSuffix(name, "_test.go") {
				continue
			}
			ast.Inspect(f, func(n ast.Node) bool {
				if sel := selector(n); slices.Contains(reserved, sel) {
					t.Errorf("%s/%s uses %s", s.name, name, sel)
				}
				return true
			})
		}
	}
}

func selector(n ast.Node) string {
	sel, ok := n.(*ast.SelectorExpr)
	if !ok {
		return ""
	}
	x, ok := sel.X.(*ast.Ident)
	if !ok {
		return ""
	}
	return x.Name + "." + sel.Sel.Name
}

func TestTestsDoNotSleep(t *testing.T) {
	for _, s := range sources(t) {
		for name, f := range s.files {
			if !strings.HasSuffix(name, "_test.go") {
				continue
			}
			ast.Inspect(f, func(n ast.Node) bool {
				if selector(n) == "time.Sleep" {
					t.Errorf("%s/%s sleeps: use a clock, a channel or testing/synctest", s.name, name)
				}
				return true
			})
		}
	}
}

// undecided are the methods of rooms that take a caller and do not begin with a
// decision, each with its reason.
var undecided = map[string]string{
	"internal/account.Memberships": "one's own, by the account of the session",
	"internal/account.Choose":      "one's own, by the account of the session",
	"internal/account.SignOut":     "one's own session, which is presented",
	"internal/apikey.Update":       "begins with Get, which decides",
	"internal/apikey.Recheck":      "makes the caller that others decide on",
	"internal/session.Recheck":     "makes the caller that others decide on",
	"internal/oauth.Decide":        "begins with Look, which decides",
	"internal/jwks.RotateIfOld":    "decides after it has looked at the time",
}

// TestRoomsDecideFirst wants every exported method of a room's Service that
// takes a caller to ask package access in its first statement.
func TestRoomsDecideFirst(t *testing.T) {
	excused := map[string]bool{}
	for _, s := range sources(t) {
		if floorOf(s.name) < 0 || floors[floorOf(s.name)].name != "rooms" || s.name == "internal/gateway" || s.name == "internal/bearer" {
			continue
		}
		for name, f := range s.files {
			if strings.HasSuffix(name, "_test.go") {
				continue
			}
			for _, d := range f.Decls {
				m, ok := d.(*ast.FuncDecl)
				if !ok || m.Recv == nil || !m.Name.IsExported() || !takesCaller(m) || isInterfaceFake(m) {
					continue
				}
				key := s.name + "." + m.Name.Name
				if undecided[key] != "" {
					excused[key] = true
				} else if len(m.Body.List) == 0 || !asksAccess(m.Body.List[0]) {
					t.Errorf("%s does not begin with a decision of package access", key)
				}
			}
		}
	}
	for key := range undecided {
		if !excused[key] {
			t.Errorf("%s is excused and not there", key)
		}
	}
}

func takesCaller(m *ast.FuncDecl) bool {
	for _, p := range m.Type.Params.List {
		if selector(p.Type) == "caller.Caller" {
			return true
		}
	}
	return false
}

func isInterfaceFake(m *ast.FuncDecl) bool { return m.Body == nil }

func asksAccess(first ast.Stmt) bool {
	asks := false
	ast.Inspect(first, func(n ast.Node) bool {
		if strings.HasPrefix(selector(n), "access.Check") {
			asks = true
		}
		return true
	})
	return asks
}

// TestNothingNamesAnotherPlace looks for what belongs to one machine or one
// workplace and to no project.
func TestNothingNamesAnotherPlace(t *testing.T) {
	forbidden := []string{"/ro" + "ot/", "/wo" + "rk/", `"resolved": ` + `"http`}
	err := filepath.WalkDir(".", func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == "node_modules" || d.Name() == ".git" || d.Name() == "bin" || d.Name() == ".cache") {
			return fs.SkipDir
		}
		if d.IsDir() || !slices.Contains([]string{".go", ".md", ".sh", ".json", ".yaml", ".txtar", ".html", ".css", ".js"}, filepath.Ext(file)) {
			return nil
		}
		text, err := os.ReadFile(file)
		for _, f := range forbidden {
			if strings.Contains(string(text), f) {
				t.Errorf("%s contains %q", file, f)
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
