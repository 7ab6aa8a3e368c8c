package cloudaccess

import (
	"cmp"
	"embed"
	"strconv"
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
	return template.Must(template.New("").Funcs(template.FuncMap{"hcl": hcl, "sh": shell}).ParseFS(recipeFiles, "recipes/*.tmpl"))
})

// hcl is a value as a string of Terraform's language, in which "${" and "%{" begin
// something.
func hcl(s string) string {
	return strings.NewReplacer("${", "$${", "%{", "%%{").Replace(strconv.Quote(s))
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
