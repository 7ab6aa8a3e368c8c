package aws

import (
	"context"
	"strings"

	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
	"github.com/gatehouse-dev/gatehouse/internal/source"
)

// files are the shared files of AWS as one profile sees them.
type files struct {
	machine  source.Machine
	profile  string
	path     string            // of the file that holds the profile's keys, or names the profile
	settings map[string]string // of the profile; the credentials file wins
	problem  string
}

func (s Source) files() files {
	f := files{machine: s.Machine, profile: s.Profile(), settings: map[string]string{}}
	f.add(s.path("AWS_CONFIG_FILE", "config"), func(name string) bool {
		return name == "profile "+f.profile || name == "default" && f.profile == "default"
	})
	f.add(s.path("AWS_SHARED_CREDENTIALS_FILE", "credentials"), func(name string) bool { return name == f.profile })
	return f
}

func (s Source) path(variable, name string) string {
	if p := s.Machine.Getenv(variable); p != "" {
		return p
	}
	return s.Machine.At(".aws", name)
}

// add reads one of the files. One that cannot be read is as good as none for
// AWS's programs; here it is said.
func (f *files) add(path string, mine func(section string) bool) {
	if path == "" {
		return
	}
	raw, open, err := f.machine.File(path)
	if err != nil {
		if !fault.Is(err, fault.NotFound) {
			f.problem = fault.Message(err)
		}
		return
	}
	for name, section := range parseINI(raw) {
		if !mine(name) {
			continue
		}
		f.path = path
		for key, value := range section {
			f.settings[key] = value
		}
		if open && section["aws_secret_access_key"] != "" {
			f.problem = source.OpenToOthers(path)
		}
	}
}

// forTool are the settings that say how to get keys. Signing in with SSO or as a
// role is the business of AWS's own tool.
var forTool = []string{"sso_session", "sso_start_url", "login_session", "role_arn", "web_identity_token_file", "credential_process", "aws_access_key_id"}

func (f files) forTool() bool {
	for _, key := range forTool {
		if f.settings[key] != "" {
			return true
		}
	}
	return f.machine.Getenv("AWS_WEB_IDENTITY_TOKEN_FILE") != "" && f.machine.Getenv("AWS_ROLE_ARN") != ""
}

// Keys beside a role are for taking on that role, and not for use.
func (f files) hasKeys() bool {
	return f.settings["aws_access_key_id"] != "" && f.settings["aws_secret_access_key"] != "" && f.settings["role_arn"] == ""
}

func (f files) hasProcess() bool { return f.settings["credential_process"] != "" }

func (f files) about() source.About {
	a := about(f.path+" (profile "+f.profile+")", "the AWS account of the profile "+f.profile)
	a.Problem = f.problem
	return a
}

func (f files) keys(context.Context) (source.Credential, error) {
	return source.Credential{About: f.about(), Scheme: source.SigV4, Keys: source.Keys{ID: f.settings["aws_access_key_id"],
		Secret: secret.New(f.settings["aws_secret_access_key"]), Session: secret.New(f.settings["aws_session_token"])}}, nil
}

// process runs what the person's own file names, as every SDK of AWS does.
func (f files) process(ctx context.Context) (source.Credential, error) {
	name := "the credential_process of the profile " + f.profile
	out, err := f.machine.Shell(ctx, defaultLimit, name, mend, strings.TrimSpace(f.settings["credential_process"]))
	if err != nil {
		return source.Credential{}, err
	}
	return printed(f.about(), out, name)
}
