package precedence_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/precedence"
	"github.com/gatehouse-dev/gatehouse/internal/source"
)

// scene is a machine with some sources. @B in a text stands for the address of
// the stand-in server, @HOME for the home folder.
type scene struct {
	name string
	env  map[string]string
	// settings are the members of settings files, by their place.
	settings map[string]map[string]any // user, project, local, managed, drop-in
	raw      string                    // the user's settings file, byte by byte
	files    map[string]string         // below the home folder
	modes    map[string]os.FileMode
	state    map[string]any // of .claude.json
	live     bool           // Claude Code is run for it in every test, not only when asked
}

type part struct {
	env   map[string]string
	user  map[string]any
	files map[string]string
	state map[string]any
}

var (
	ends = time.Now().Add(10 * time.Hour)
	jwt  = "eyJhbGciOiJub25lIn0.e30.x"
)

func text(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(b)
}

func person(name string) map[string]string {
	return map[string]string{
		".config/anthropic/configs/" + name + ".json":     `{"version":"1.0","authentication":{"type":"user_oauth","client_id":"c"},"base_url":"@B/profile","organization_id":"o"}`,
		".config/anthropic/credentials/" + name + ".json": fmt.Sprintf(`{"version":"1.0","type":"oauth_token","access_token":"PROFILE-%s","refresh_token":"r","expires_at":%d}`, name, ends.Unix()),
	}
}

func federated(name string) map[string]string {
	return map[string]string{
		".config/anthropic/configs/" + name + ".json": `{"version":"1.0","authentication":{"type":"oidc_federation","federation_rule_id":"fdrl_1","service_account_id":"svac_1","identity_token":{"source":"file","path":"@HOME/identity"}},"base_url":"@B/federated","organization_id":"o"}`,
		"identity": jwt,
	}
}

func active(name string, files map[string]string) map[string]string {
	files[".config/anthropic/active_config"] = name
	return files
}

func login(scopes ...string) map[string]any {
	return map[string]any{"accessToken": "LOGIN-token", "refreshToken": "r", "expiresAt": ends.UnixMilli(), "scopes": scopes, "subscriptionType": "team"}
}

func session(left time.Duration) map[string]any {
	return map[string]any{"url": "@B/gateway", "jwt": "GATEWAY-token", "expiresAt": time.Now().Add(left).UnixMilli(), "tokenEndpoint": "@B/gateway/oauth/token", "idpRefreshToken": "r"}
}

var trust = map[string]string{"127.0.0.1": "http-loopback"}

const kept = ".claude/.credentials.json"

func credentials(members map[string]any) map[string]string {
	return map[string]string{kept: text(members)}
}

// parts are the sources, of which every pair is tried.
var parts = map[string]part{
	"gateway":          {files: credentials(map[string]any{"gatewayTrust": trust, "enterpriseGateway": session(time.Hour)})},
	"bedrock":          {env: map[string]string{"CLAUDE_CODE_USE_BEDROCK": "1", "AWS_BEARER_TOKEN_BEDROCK": "BEDROCK-key", "AWS_REGION": "us-east-1", "ANTHROPIC_BEDROCK_BASE_URL": "@B/bedrock"}},
	"vertex":           {env: map[string]string{"CLAUDE_CODE_USE_VERTEX": "1", "CLAUDE_CODE_SKIP_VERTEX_AUTH": "1", "ANTHROPIC_VERTEX_PROJECT_ID": "p", "CLOUD_ML_REGION": "us-east5", "ANTHROPIC_VERTEX_BASE_URL": "@B/vertex/v1"}},
	"foundry":          {env: map[string]string{"CLAUDE_CODE_USE_FOUNDRY": "1", "ANTHROPIC_FOUNDRY_API_KEY": "FOUNDRY-key", "ANTHROPIC_FOUNDRY_BASE_URL": "@B/foundry"}},
	"anthropic-aws":    {env: map[string]string{"CLAUDE_CODE_USE_ANTHROPIC_AWS": "1", "ANTHROPIC_AWS_API_KEY": "AWS-key", "ANTHROPIC_AWS_WORKSPACE_ID": "w", "AWS_REGION": "us-east-1", "ANTHROPIC_AWS_BASE_URL": "@B/aws"}},
	"mantle":           {env: map[string]string{"CLAUDE_CODE_USE_MANTLE": "1", "AWS_BEARER_TOKEN_BEDROCK": "BEDROCK-key", "AWS_REGION": "us-east-1", "ANTHROPIC_BEDROCK_MANTLE_BASE_URL": "@B/mantle"}},
	"auth-token":       {env: map[string]string{"ANTHROPIC_AUTH_TOKEN": "AUTH-token"}},
	"api-key":          {env: map[string]string{"ANTHROPIC_API_KEY": "API-key"}},
	"helper":           {user: map[string]any{"apiKeyHelper": "echo HELPER-key"}},
	"oauth-token":      {env: map[string]string{"CLAUDE_CODE_OAUTH_TOKEN": "OAUTH-token"}},
	"federation":       {env: map[string]string{"ANTHROPIC_FEDERATION_RULE_ID": "fdrl_2", "ANTHROPIC_ORGANIZATION_ID": "o", "ANTHROPIC_SERVICE_ACCOUNT_ID": "svac_2", "ANTHROPIC_IDENTITY_TOKEN": jwt}},
	"named":            {env: map[string]string{"ANTHROPIC_PROFILE": "mine"}, files: person("mine")},
	"named federated":  {env: map[string]string{"ANTHROPIC_PROFILE": "ci"}, files: federated("ci")},
	"active":           {files: active("mine", person("mine"))},
	"active federated": {files: active("ci", federated("ci"))},
	"default":          {files: person("default")},
	"login":            {files: credentials(map[string]any{"claudeAiOauth": login("user:inference", "user:profile")})},
	"stored-key":       {state: map[string]any{"primaryApiKey": "STORED-key"}},
	"header":           {env: map[string]string{"ANTHROPIC_CUSTOM_HEADERS": "Authorization: Bearer CUSTOM-token"}},
	"key header":       {env: map[string]string{"ANTHROPIC_CUSTOM_HEADERS": "X-Api-Key: CUSTOM-key"}},
}

// of is a machine with the parts. Requests go to the stand-in unless something
// else says where.
func of(names ...string) scene {
	s := scene{name: strings.Join(names, " + "), env: map[string]string{"ANTHROPIC_BASE_URL": "@B/direct"}, settings: map[string]map[string]any{}, files: map[string]string{}, state: map[string]any{}}
	user := map[string]any{}
	for _, name := range names {
		p, ok := parts[name]
		if !ok {
			panic(name)
		}
		maps.Copy(s.env, p.env)
		maps.Copy(user, p.user)
		maps.Copy(s.state, p.state)
		for file, content := range p.files {
			if was := s.files[file]; file == kept && was != "" { // both are kept in one
				content = was[:len(was)-1] + "," + content[1:]
			}
			s.files[file] = content
		}
	}
	if len(user) > 0 {
		s.settings["user"] = user
	}
	return s
}

func (s scene) called(name string) scene { s.name = name; return s }

func (s scene) with(name, value string) scene {
	s.env = maps.Clone(s.env)
	if s.name += " " + name + "=" + fmt.Sprintf("%q", value); value == "-" {
		delete(s.env, name)
	} else {
		s.env[name] = value
	}
	return s
}

func (s scene) settle(place, key string, value any) scene {
	s.settings = maps.Clone(s.settings)
	members := map[string]any{}
	maps.Copy(members, s.settings[place])
	members[key] = value
	s.settings[place] = members
	s.name += " " + place + " " + key + "=" + text(value)
	return s
}

func (s scene) file(path, content string) scene {
	s.files = maps.Clone(s.files)
	s.files[path] = content
	s.name += " " + path + "=" + fmt.Sprintf("%.24q", content)
	return s
}

func (s scene) run() scene { s.live = true; return s }

func env(pairs ...string) map[string]any {
	m := map[string]any{}
	for i := 0; i < len(pairs); i += 2 {
		m[pairs[i]] = pairs[i+1]
	}
	return m
}

// project is the folder that testkit/claude works in.
const project = "project"

// lay writes the scene below a home folder, and returns its environment.
func (s scene) lay(t testing.TB, home, server string) map[string]string {
	t.Helper()
	fill := strings.NewReplacer("@B", server, "@HOME", home).Replace
	write := func(path, content string) {
		t.Helper()
		path = filepath.Join(home, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		mode := os.FileMode(0o600)
		for name, m := range s.modes {
			if strings.HasSuffix(path, name) {
				mode = m
			}
		}
		if err := os.WriteFile(path, []byte(fill(content)), mode); err != nil {
			t.Fatal(err)
		}
	}
	state := map[string]any{"hasCompletedOnboarding": true, "theme": "dark"}
	maps.Copy(state, s.state)
	write(".claude.json", text(state))
	places := map[string]string{"user": ".claude/settings.json", "project": project + "/.claude/settings.json", "local": project + "/.claude/settings.local.json",
		"managed": "managed/managed-settings.json", "drop-in": "managed/managed-settings.d/10-more.json"}
	for place, members := range s.settings {
		write(places[place], text(members))
	}
	if s.raw != "" {
		write(places["user"], s.raw)
	}
	for path, content := range s.files {
		write(path, content)
	}
	if err := os.MkdirAll(filepath.Join(home, project), 0o700); err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for name, value := range s.env {
		all[name] = fill(value)
	}
	return all
}

// machine is the scene as precedence looks at it.
func (s scene) machine(home string, env map[string]string) precedence.Machine {
	return precedence.Machine{Machine: source.Machine{System: "linux", Home: home, Now: time.Now,
		Getenv:   func(name string) string { return env[name] },
		LookPath: func(string) (string, error) { return "", os.ErrNotExist }},
		Folder: filepath.Join(home, project), Managed: filepath.Join(home, "managed")}
}

// scenes are all of them.
func scenes() []scene {
	names := slices.Sorted(maps.Keys(parts))
	var all []scene
	for i, a := range names {
		all = append(all, of(a))
		for _, b := range names[i+1:] {
			if !(a == "header" && b == "key header") { // the same variable
				all = append(all, of(a, b))
			}
		}
	}
	return append(append(all, traps()...), of().called("nothing").run())
}

func traps() []scene {
	var all []scene
	add := func(s ...scene) { all = append(all, s...) }
	for _, c := range [][]string{
		{"named", "login", "stored-key"}, {"active", "login", "stored-key"}, {"active federated", "login", "stored-key"}, {"federation", "login", "stored-key"},
		{"auth-token", "helper", "stored-key"}, {"auth-token", "api-key", "helper"}, {"api-key", "helper", "login"}, {"oauth-token", "named", "stored-key"},
		{"gateway", "login", "auth-token"}, {"gateway", "login", "foundry"}, {"gateway", "login", "named"}, {"gateway", "login", "stored-key"},
		{"foundry", "auth-token", "api-key"}, {"vertex", "auth-token", "api-key"},
	} {
		add(of(c...))
	}
	for _, v := range []string{"0", "false", "no", "", "2", "Y", "yes", "ON", "True", " 1 "} {
		add(of("vertex", "auth-token").with("CLAUDE_CODE_USE_VERTEX", v))
	}
	for _, s := range []scene{of("api-key").with("ANTHROPIC_AUTH_TOKEN", ""), of("helper").with("ANTHROPIC_API_KEY", ""), of("named").with("CLAUDE_CODE_OAUTH_TOKEN", ""),
		of("active").with("ANTHROPIC_PROFILE", ""), of("login").with("ANTHROPIC_PROFILE", "ghost"), of("active").with("ANTHROPIC_PROFILE", "ghost"),
		of("federation").with("ANTHROPIC_PROFILE", "ghost"), of("login").with("ANTHROPIC_FEDERATION_RULE_ID", "x"), of("login").with("ANTHROPIC_PROFILE", "../mine"),
		of("active", "api-key").with("CLAUDE_CODE_SIMPLE", "1"), of("helper").with("CLAUDE_CODE_SIMPLE", "1"), of("gateway").with("CLAUDE_CODE_SIMPLE", "1"),
		of("foundry").with("CLAUDE_CODE_USE_BEDROCK", "0")} {
		add(s)
	}
	// Settings against the shell, and against each other.
	add(of("auth-token").settle("user", "env", env("ANTHROPIC_AUTH_TOKEN", "SETTINGS-token")).run(),
		of("auth-token").settle("user", "env", env("ANTHROPIC_AUTH_TOKEN", "")),
		of("auth-token").settle("user", "env", env("ANTHROPIC_BASE_URL", "@B/settings")),
		of("vertex", "auth-token").settle("user", "env", env("CLAUDE_CODE_USE_VERTEX", "0")).run(),
		of("auth-token").settle("user", "env", map[string]any{"CLAUDE_CODE_USE_FOUNDRY": 1, "ANTHROPIC_FOUNDRY_API_KEY": "FOUNDRY-key", "ANTHROPIC_FOUNDRY_BASE_URL": "@B/foundry"}),
		of().settle("user", "env", env("ANTHROPIC_PROFILE", "mine")).file(".config/anthropic/configs/mine.json", person("mine")[".config/anthropic/configs/mine.json"]).file(".config/anthropic/credentials/mine.json", person("mine")[".config/anthropic/credentials/mine.json"]),
		of("helper").settle("project", "apiKeyHelper", "echo PROJECT-key").run(),
		of("helper").settle("project", "apiKeyHelper", ""),
		of("helper").settle("project", "apiKeyHelper", "echo PROJECT-key").settle("local", "apiKeyHelper", "echo LOCAL-key"),
		of("auth-token").settle("project", "env", env("ANTHROPIC_BASE_URL", "@B/project")).run(),
		of("auth-token").settle("user", "env", env("ANTHROPIC_AUTH_TOKEN", "USER-token")).settle("project", "env", env("ANTHROPIC_AUTH_TOKEN", "PROJECT-token")).settle("local", "env", env("ANTHROPIC_AUTH_TOKEN", "LOCAL-token")),
		of("auth-token").settle("user", "env", env("ANTHROPIC_AUTH_TOKEN", "USER-token")).with("CLAUDE_CODE_PROVIDER_MANAGED_BY_HOST", "1"),
		of("helper").with("CLAUDE_CODE_PROVIDER_MANAGED_BY_HOST", "1"),
		of().settle("user", "env", env("CLAUDE_CONFIG_DIR", "@HOME/other")).file("other/settings.json", `{"apiKeyHelper":"echo OTHER-key"}`),
		of().with("CLAUDE_CONFIG_DIR", "@HOME/other").file("other/settings.json", `{"apiKeyHelper":"echo OTHER-key"}`),
		of("login").with("CLAUDE_CONFIG_DIR", "@HOME/other"),
		of("named").with("ANTHROPIC_BASE_URL", "-").run(), of("active federated", "login").with("ANTHROPIC_BASE_URL", "-"))
	// Files with mistakes.
	for name, raw := range map[string]string{"half": "{", "a list": "[]", "comments": "{// c\n\"apiKeyHelper\":\"echo HELPER-key\"}", "a mark": "\ufeff{\"apiKeyHelper\":\"echo HELPER-key\"}",
		"a number": `{"apiKeyHelper":5,"env":{"ANTHROPIC_AUTH_TOKEN":"SETTINGS-token"}}`, "null": `{"apiKeyHelper":null,"env":{"ANTHROPIC_AUTH_TOKEN":"SETTINGS-token"}}`,
		"another mistake": `{"apiKeyHelper":"echo HELPER-key","permissions":5}`, "an unknown member": `{"apiKeyHelper":"echo HELPER-key","zzz":5}`,
		"twice": `{"apiKeyHelper":"echo A-key","apiKeyHelper":"echo B-key"}`, "env of no object": `{"apiKeyHelper":"echo HELPER-key","env":5}`,
		"a member of no text": `{"env":{"A":{},"ANTHROPIC_AUTH_TOKEN":5}}`, "two": `{"apiKeyHelper":"echo HELPER-key"}{}`, "trailing comma": `{"apiKeyHelper":"echo HELPER-key",}`} {
		s := of("active").called("settings with " + name)
		s.raw = raw
		add(s)
	}
	// Sign-ins that are not quite there.
	add(of("active").file(kept, text(map[string]any{"claudeAiOauth": login("user:profile")})), of("active").file(kept, "{"),
		of("active").file(kept, text(map[string]any{"claudeAiOauth": map[string]any{"accessToken": "LOGIN-token", "expiresAt": 1000, "scopes": []string{"user:inference"}}})).called("an expired login"),
		of("active").file(kept, text(map[string]any{"gatewayTrust": trust, "enterpriseGateway": map[string]any{"url": "@B/gateway", "jwt": "GATEWAY-token", "expiresAt": 1000}})).called("an expired session that cannot be renewed"),
		of("active").file(kept, text(map[string]any{"enterpriseGateway": session(time.Hour)})).called("a session at a gateway that is not trusted").run(),
		of("active").file(kept, text(map[string]any{"gatewayTrust": trust, "enterpriseGateway": map[string]any{"url": "@B/gateway"}})).called("a session without a token"),
		of("login").file(".config/anthropic/active_config", "mine").file(".config/anthropic/configs/mine.json", "{"), of("default").file(".config/anthropic/active_config", "ghost"),
		of("login", "named").file(".config/anthropic/configs/mine.json", `{"version":"1.0","authentication":{"type":"api_key"}}`))
	signedOut := of("login", "named").called("a named profile that is signed out")
	delete(signedOut.files, ".config/anthropic/credentials/mine.json")
	open := of("login", "named").called("a named profile that others can read")
	open.modes = map[string]os.FileMode{"credentials/mine.json": 0o644}
	add(signedOut, open.run(), of("api-key").settle("managed", "forceLoginMethod", "claudeai").run())
	// The organization's settings.
	for _, name := range []string{"auth-token", "helper", "oauth-token", "named", "foundry"} {
		for key, value := range map[string]any{"forceLoginMethod": "console", "forceLoginOrgUUID": []string{}} {
			add(of(name).settle("managed", key, value))
		}
	}
	add(of("foundry", "api-key").settle("managed", "forceLoginMethod", "claudeai"), of("gateway", "api-key").settle("managed", "forceLoginMethod", "gateway"),
		of("helper").settle("user", "forceLoginMethod", "claudeai"),
		of("auth-token").settle("user", "env", env("ANTHROPIC_AUTH_TOKEN", "USER-token")).settle("managed", "env", env("ANTHROPIC_AUTH_TOKEN", "MANAGED-token")).run(),
		of("helper").settle("managed", "apiKeyHelper", "echo MANAGED-key").settle("drop-in", "apiKeyHelper", "echo DROPPED-key").run(),
		of("auth-token").settle("managed", "env", env("ANTHROPIC_BASE_URL", "@B/managed")).settle("drop-in", "env", env("ANTHROPIC_API_KEY", "DROPPED-key")),
		of("helper").settle("managed", "apiKeyHelper", 5).settle("managed", "env", env("ANTHROPIC_AUTH_TOKEN", "MANAGED-token")))
	return all
}
