package cloudaccess

import (
	"regexp"
	"strings"
	"sync"

	"github.com/gatehouse-dev/gatehouse/internal/fault"
)

func form(expression string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^(?:` + expression + `)$`) })
}

// The forms are narrow: what passes them stands in commands that people copy.
var (
	regionForm   = form(`[a-z0-9-]{2,32}`)
	roleForm     = form(`arn:aws[a-z-]*:iam::\d{12}:role/[\w+=,.@/-]{1,128}`)
	projectForm  = form(`[a-z][a-z0-9-]{4,28}[a-z0-9]`)
	numberForm   = form(`\d{6,20}`)
	poolForm     = form(`[a-z0-9-]{4,32}`)
	accountForm  = form(`[a-z0-9.+_-]{1,64}@[a-z0-9.-]{1,190}`)
	uuidForm     = form(`[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}`)
	resourceForm = form(`[A-Za-z0-9][A-Za-z0-9-]{1,63}`)
)

// asked is one setting of a cloud.
type asked struct {
	name   string
	value  *string
	form   func() *regexp.Regexp
	needed bool
	like   string
}

// settings are those of a cloud that count.
func (s *Settings) settings(c Cloud) []asked {
	switch c {
	case AWS:
		return []asked{
			{"role_arn", &s.RoleARN, roleForm, true, "arn:aws:iam::123456789012:role/claude-code"},
			{"region", &s.Region, regionForm, true, "eu-central-1"}}
	case Google:
		return []asked{
			{"project", &s.Project, projectForm, true, "my-project"},
			{"project_number", &s.ProjectNumber, numberForm, true, "123456789012"},
			{"region", &s.Region, regionForm, true, "global"},
			{"pool", &s.Pool, poolForm, true, "gatehouse"},
			{"provider", &s.Provider, poolForm, true, "gatehouse"},
			{"account", &s.Account, accountForm, false, "claude-code@my-project.iam.gserviceaccount.com"}}
	default:
		return []asked{
			{"tenant", &s.Tenant, uuidForm, true, "00000000-0000-0000-0000-000000000000"},
			{"resource", &s.Resource, resourceForm, true, "my-resource"},
			{"client", &s.Client, uuidForm, false, "00000000-0000-0000-0000-000000000000"}}
	}
}

const maxHours = 12 // AWS has no longer session of a role

// check brings settings into their form and leaves those of other clouds out.
func (s Settings) check(c Cloud) (Settings, error) {
	var kept Settings
	into := kept.settings(c)
	for i, a := range s.settings(c) {
		v := strings.TrimSpace(*a.value)
		if v == "" && a.needed {
			return kept, fault.New(fault.Invalid, "this is needed, such as %s", a.like).At(a.name)
		}
		if v != "" && !a.form().MatchString(v) {
			return kept, fault.New(fault.Invalid, "it must look like %s", a.like).At(a.name)
		}
		*into[i].value = v
	}
	if c == AWS {
		if kept.Hours = s.Hours; s.Hours < 0 || s.Hours > maxHours {
			return kept, fault.New(fault.Invalid, "a session lasts from 1 to %d hours", maxHours).At("hours")
		}
	}
	return kept, nil
}
