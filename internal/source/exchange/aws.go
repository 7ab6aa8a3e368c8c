package exchange

import (
	"cmp"
	"context"
	"encoding/xml"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
	"github.com/gatehouse-dev/gatehouse/internal/source"
)

// stsAnswer is the answer of AssumeRoleWithWebIdentity, or an error of STS.
type stsAnswer struct {
	XMLName xml.Name
	Result  struct {
		Credentials struct {
			AccessKeyID     string `xml:"AccessKeyId"`
			SecretAccessKey string
			SessionToken    string
			Expiration      string
		}
	} `xml:"AssumeRoleWithWebIdentityResult"`
	Error struct{ Code string }
}

func (s Source) aws(ctx context.Context, token secret.Text) (source.Keys, time.Time, error) {
	got, err := s.Machine.Fetch(ctx, source.Request{URL: s.sts(), Header: map[string]string{"Accept": "text/xml"}, Form: url.Values{
		"Action": {"AssumeRoleWithWebIdentity"}, "Version": {"2011-06-15"}, "RoleArn": {s.Cloud.RoleARN},
		"RoleSessionName": {cmp.Or(s.Cloud.SessionName, "gatehouse")}, "DurationSeconds": {strconv.Itoa(cmp.Or(s.Cloud.Hours, 1) * 3600)},
		"WebIdentityToken": {token.Reveal()}}})
	if err != nil {
		return source.Keys{}, time.Time{}, err
	}
	var w stsAnswer
	readable := xml.Unmarshal(got.Body, &w) == nil
	if got.Status != http.StatusOK {
		return source.Keys{}, time.Time{}, s.refused("AWS", got.Status, w.Error.Code)
	}
	c := w.Result.Credentials
	expires, err := time.Parse(time.RFC3339, c.Expiration)
	if !readable || err != nil || c.AccessKeyID == "" || c.SecretAccessKey == "" || c.SessionToken == "" {
		return source.Keys{}, time.Time{}, unreadable("AWS")
	}
	return source.Keys{ID: c.AccessKeyID, Secret: secret.New(c.SecretAccessKey), Session: secret.New(c.SessionToken)}, expires, nil
}

// sts is the regional endpoint, or the one that AWS's own programs are told to use.
func (s Source) sts() string {
	for _, name := range []string{"AWS_ENDPOINT_URL_STS", "AWS_ENDPOINT_URL"} {
		if at := s.Machine.Getenv(name); at != "" {
			return at
		}
	}
	domain := "amazonaws.com"
	if strings.HasPrefix(s.Cloud.RoleARN, "arn:aws-cn:") {
		domain = "amazonaws.com.cn"
	}
	return "https://sts." + s.Cloud.Region + "." + domain + "/"
}

// refused is a cloud's refusal. Its own sentence names accounts; the code does not.
func (s Source) refused(cloud string, status int, code string) error {
	if len(code) > 64 || strings.ContainsFunc(code, func(r rune) bool { return r <= ' ' || r > '~' }) {
		code = ""
	}
	said := strconv.Itoa(status)
	if code != "" {
		said += " " + code
	}
	switch {
	case status >= 500 || status == http.StatusTooManyRequests || code == "Throttling" || code == "IDPCommunicationError":
		return fault.New(fault.Unavailable, "%s cannot answer now (%s)", cloud, said)
	case code == "ExpiredTokenException":
		return fault.New(fault.Invalid, "%s says that the identity token has ended: the clock of the server or of this machine is wrong (%s)", cloud, said)
	}
	return fault.New(fault.Denied, "%s does not take the sign-in (%s): your organization's set-up there does not fit", cloud, said).WithHint("gatehouse status")
}

func unreadable(cloud string) error {
	return fault.New(fault.Unavailable, "%s gave an answer that cannot be used", cloud)
}
