package aws

import (
	"encoding/json"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
	"github.com/gatehouse-dev/gatehouse/internal/source"
)

// export is one set of keys as AWS's programs and endpoints write it: flat, as
// "aws configure export-credentials" and credential_process do (with Token
// instead of SessionToken at the metadata endpoints), or below "Credentials", as
// "aws sts" does.
type export struct {
	Credentials     *export
	Code            string
	AccessKeyID     string `json:"AccessKeyId"`
	SecretAccessKey string
	SessionToken    string
	Token           string
	Expiration      string
}

// parseExport reads such a JSON object. It fails with Invalid and quotes nothing.
func parseExport(raw []byte) (keys source.Keys, expires time.Time, err error) {
	bad := func(why string) (source.Keys, time.Time, error) {
		return source.Keys{}, time.Time{}, fault.New(fault.Invalid, "%s", why)
	}
	var e export
	if json.Unmarshal(raw, &e) != nil {
		return bad("it is not the JSON that it should be")
	}
	if e.Credentials != nil {
		e = *e.Credentials
	}
	if e.SessionToken == "" {
		e.SessionToken = e.Token
	}
	switch {
	case e.Code != "" && e.Code != "Success":
		return bad("it says that there is no credential")
	case e.AccessKeyID == "" || e.SecretAccessKey == "":
		return bad("it holds no keys")
	case e.Expiration != "":
		if expires, err = time.Parse(time.RFC3339, e.Expiration); err != nil {
			return bad("it does not say readably when the keys end")
		}
	}
	return source.Keys{ID: e.AccessKeyID, Secret: secret.New(e.SecretAccessKey), Session: secret.New(e.SessionToken)}, expires, nil
}

// Export writes keys as awsCredentialExport of Claude Code has to print them.
func Export(c source.Credential) ([]byte, error) {
	type body struct {
		AccessKeyID     string `json:"AccessKeyId"`
		SecretAccessKey string
		SessionToken    string `json:",omitempty"`
		Expiration      string `json:",omitempty"`
	}
	b := body{c.Keys.ID, c.Keys.Secret.Reveal(), c.Keys.Session.Reveal(), ""}
	if !c.Expires.IsZero() {
		b.Expiration = c.Expires.UTC().Format(time.RFC3339)
	}
	return json.Marshal(struct{ Credentials body }{b})
}

// Process writes keys as a credential_process of AWS's own tools has to print them.
func Process(c source.Credential) ([]byte, error) {
	return json.Marshal(struct {
		Version         int
		AccessKeyID     string `json:"AccessKeyId"`
		SecretAccessKey string
		SessionToken    string
		Expiration      string
	}{1, c.Keys.ID, c.Keys.Secret.Reveal(), c.Keys.Session.Reveal(), c.Expires.UTC().Format(time.RFC3339)})
}
