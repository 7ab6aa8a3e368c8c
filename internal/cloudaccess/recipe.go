package cloudaccess

import (
	"cmp"
	"embed"
	"fmt"
	"strings"
	"sync"
	"text/template"

	"github.com/gatehouse-dev/gatehouse/internal/id"
)

// Recipe is what makes a cloud trust the organization's issuer: the same for
// Terraform, and as commands of the cloud's own tool.
type Recipe struct{ Terraform, Commands string }

//go:embed recipes
var recipeFiles embed.FS

var recipes = sync.OnceValue(func() *template.Template {
	return template.Must(template.New("").Funcs(template.FuncMap{"hcl": hcl, "sh": shell, "json": inJSON}).ParseFS(recipeFiles, "recipes/*.tmpl"))
})

// hcl is a value as a string of Terraform's language, in which "${" and "%{" begin
// something and only few characters have an escape of one letter.
func hcl(s string) string { return `"` + escape(s, `"\$%`) + `"` }

// inJSON is a value within a string of a JSON document that stands in a shell's
// here-document: neither reads anything in it as its own.
func inJSON(s string) string { return escape(s, "\"\\$`") }

// escape writes the special characters of a text, and those that are not printed, as
// "\u" and four digits, which JSON and Terraform read alike.
func escape(s, special string) string {
	var b strings.Builder
	for _, r := range strings.ToValidUTF8(s, "\uFFFD") {
		if r < ' ' || r == 0x7f || strings.ContainsRune(special, r) {
			fmt.Fprintf(&b, `\u%04x`, r)
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}

// shell is a value as a word of a POSIX shell.
func shell(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

// Recipe is for the server at base. What is not said yet stands there as an example.
func (a Access) Recipe(base string, o id.Organization) (Recipe, error) {
	in := a.Settings
	in.Project, in.ProjectNumber = cmp.Or(in.Project, "my-project"), cmp.Or(in.ProjectNumber, "123456789012")
	in.Pool, in.Provider = cmp.Or(in.Pool, "gatehouse"), cmp.Or(in.Provider, "gatehouse")
	in.Resource = cmp.Or(in.Resource, "my-resource")
	partition, account, path, role := in.roleParts()
	issuer := Issuer(base, o)
	_, host, _ := strings.Cut(issuer, "://")
	data := map[string]any{"In": in, "Server": base, "Issuer": issuer, "Host": host, "Audience": a.Audience(), "Subject": "organization:" + string(o),
		"Partition": partition, "AccountID": account, "Path": path, "Role": role, "Seconds": int(in.Life().Seconds()),
		"Everybody":    "principalSet://iam.googleapis.com/" + in.pool() + "/*",
		"AccountQuery": "[?name=='" + in.Resource + "'].id"}
	var terraform, commands strings.Builder
	if err := recipes().ExecuteTemplate(&terraform, string(a.Cloud)+".tf.tmpl", data); err != nil {
		return Recipe{}, err
	}
	err := recipes().ExecuteTemplate(&commands, string(a.Cloud)+".sh.tmpl", data)
	return Recipe{terraform.String(), commands.String()}, err
}
