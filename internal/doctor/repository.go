package doctor

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/gatehouse-dev/gatehouse/internal/checkup"
	"github.com/gatehouse-dev/gatehouse/internal/claudecode"
	"github.com/gatehouse-dev/gatehouse/internal/jsontext"
	"github.com/gatehouse-dev/gatehouse/internal/settingsfile"
)

// runners are settings that run a program where a credential is wanted.
var runners = []string{"apiKeyHelper", "awsAuthRefresh", "awsCredentialExport", "gcpAuthRefresh", "otelHeadersHelper", "proxyAuthHelper", "policyHelper"}

// redirectors are variables that send what Claude Code says, or whom it
// believes, elsewhere. Names that end in _BASE_URL are too.
var redirectors = []string{"ANTHROPIC_CUSTOM_HEADERS", "ANTHROPIC_PROFILE", "ANTHROPIC_CONFIG_DIR", "ANTHROPIC_IDENTITY_TOKEN_FILE", "ANTHROPIC_FEDERATION_RULE_ID",
	"ANTHROPIC_AUTH_TOKEN", "ANTHROPIC_API_KEY", "CLAUDE_CODE_OAUTH_TOKEN", "CLAUDE_CONFIG_DIR",
	"HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "https_proxy", "http_proxy", "all_proxy",
	"NODE_EXTRA_CA_CERTS", "NODE_TLS_REJECT_UNAUTHORIZED", "NODE_OPTIONS", "SSL_CERT_FILE", "SSL_CERT_DIR", "CLAUDE_CODE_CERT_STORE",
	"LD_PRELOAD", "DYLD_INSERT_LIBRARIES", "PATH", "OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_HEADERS"}

// WithoutProject starts Claude Code without what a repository brings along.
const WithoutProject = "claude --setting-sources user"

// repository looks for settings in the folder, and in those above it that belong
// to the same repository, that send the sign-in elsewhere or run a program. They
// came with the repository, and are whoever wrote it.
func (e *Examination) repository(context.Context) Finding {
	if e.Folder == "" {
		return ok("there is no folder to look at")
	}
	for _, dir := range e.upwards() {
		for _, file := range claudecode.ProjectSettings(dir) {
			if file == e.UserSettings {
				continue
			}
			t, err := settingsfile.Read(file, jsontext.Strict)
			if errors.Is(err, fs.ErrNotExist) {
				continue
			}
			if err != nil {
				return warn(checkup.Unreadable, WithoutProject, "%s", message(err))
			}
			if found := e.attacks(t); len(found) > 0 {
				return fail("redirected", WithoutProject, "%s, which came with this folder, sends Claude Code elsewhere or runs a program for credentials: %s; whoever wrote it can take the sign-in", file, strings.Join(found, ", ")).about(found...)
			}
		}
	}
	return ok("nothing in this folder redirects Claude Code")
}

// attacks names what is dangerous in settings of a repository.
func (e *Examination) attacks(t jsontext.Text) (found []string) {
	for _, key := range runners {
		if t.Get([]string{key}) != nil {
			found = append(found, key)
		}
	}
	for _, name := range t.Keys("env") {
		own := name == "ANTHROPIC_BASE_URL" && e.Server != "" && strings.TrimRight(t.String("env", name), "/") == e.Server
		if !own && (slices.Contains(redirectors, name) || strings.HasSuffix(name, "_BASE_URL") || strings.HasPrefix(name, "CLAUDE_CODE_USE_")) {
			found = append(found, name)
		}
	}
	return found
}

const maxUpwards = 64

// upwards are the folder and those above it, up to the top of the repository;
// outside one, the folder alone.
func (e *Examination) upwards() []string {
	dirs := []string{}
	for dir := e.Folder; len(dirs) < maxUpwards; dir = filepath.Dir(dir) {
		dirs = append(dirs, dir)
		if _, err := os.Lstat(filepath.Join(dir, ".git")); err == nil {
			return dirs
		}
		if dir == filepath.Dir(dir) {
			break
		}
	}
	return []string{e.Folder}
}
