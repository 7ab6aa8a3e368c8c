package e2e_test

import (
	"bytes"
	"html"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"
	"time"
)

// visitor is a browser without a screen and without scripts. It follows no
// redirect by itself.
type visitor struct {
	t      testing.TB
	url    string
	client *http.Client
}

// page is what a visitor is shown.
type page struct {
	status   int
	location string
	text     string // with its entities read
}

func visit(t testing.TB, url string) *visitor {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &visitor{t, url, &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

func (v *visitor) get(path string) page {
	v.t.Helper()
	return v.do(http.MethodGet, path, "", nil)
}

func (v *visitor) post(path string, fields url.Values) page {
	v.t.Helper()
	return v.do(http.MethodPost, path, "application/x-www-form-urlencoded", strings.NewReader(fields.Encode()))
}

// upload sends a form with a file, as a browser does.
func (v *visitor) upload(path, name, content string, fields url.Values) page {
	v.t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	for field, values := range fields {
		for _, value := range values {
			v.must(form.WriteField(field, value))
		}
	}
	file, err := form.CreateFormFile(name, name+".csv")
	v.must(err)
	_, err = io.WriteString(file, content)
	v.must(err)
	v.must(form.Close())
	return v.do(http.MethodPost, path, form.FormDataContentType(), &body)
}

func (v *visitor) must(err error) {
	v.t.Helper()
	if err != nil {
		v.t.Fatal(err)
	}
}

func (v *visitor) do(method, path, kind string, body io.Reader) page {
	v.t.Helper()
	r, err := http.NewRequestWithContext(v.t.Context(), method, v.url+strings.TrimPrefix(path, v.url), body)
	v.must(err)
	if kind != "" {
		r.Header.Set("Content-Type", kind)
	}
	r.Header.Set("Accept", "text/html")
	answer, err := v.client.Do(r)
	v.must(err)
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	v.must(err)
	return page{answer.StatusCode, answer.Header.Get("Location"), html.UnescapeString(string(text))}
}

// led is where a form led to that was to be accepted.
func (v *visitor) led(p page) string {
	v.t.Helper()
	if p.status != http.StatusSeeOther {
		v.t.Fatalf("the form was not taken: %d\n%s", p.status, p.text)
	}
	return p.location
}

// until looks at a page again and again until it pleases, for a generous time, and
// leaves the server the time to get on in between.
func (v *visitor) until(path string, pleases func(text string) bool) page {
	v.t.Helper()
	late, again := time.After(time.Minute), time.NewTicker(20*time.Millisecond)
	defer again.Stop()
	for {
		p := v.get(path)
		if p.status == http.StatusOK && pleases(p.text) {
			return p
		}
		select {
		case <-late:
			v.t.Fatalf("%s did not change: %d\n%s", path, p.status, p.text)
		case <-again.C:
		}
	}
}
