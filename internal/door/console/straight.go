package console

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"github.com/gatehouse-dev/gatehouse/internal/access"
	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/cloudaccess"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/org"
)

// The pages of direct access: which clouds members reach themselves.
var straightRoutes = []route{
	get("/clouds", member, (*Console).straightList),
	get("/clouds/{cloud}", member, (*Console).straightCloud),
	post("/clouds/{cloud}", member, (*Console).saveStraight),
	get("/clouds/{cloud}/remove", member, (*Console).removeStraightForm),
	post("/clouds/{cloud}/remove", member, (*Console).removeStraight),
}

var cloudNames = map[cloudaccess.Cloud]string{
	cloudaccess.AWS: "Amazon Bedrock", cloudaccess.Google: "Google Cloud", cloudaccess.Azure: "Microsoft Foundry",
}

type straightRow struct {
	Cloud, Name, Where, Who, Status string
	Set                             bool
	Changed                         moment
}

func (c *Console) straightList(v *visit) error {
	all, err := c.cfg.CloudAccess.List(v.r.Context(), v.who, v.who.Organization)
	if err != nil {
		return err
	}
	groups, err := c.groupNames(v)
	if err != nil {
		return err
	}
	var rows []straightRow
	for _, cloud := range cloudaccess.Clouds() {
		row := straightRow{Cloud: string(cloud), Name: cloudNames[cloud], Status: "Not set up"}
		if a, found := accessTo(all, cloud); found {
			row.Set, row.Where, row.Changed, row.Who, row.Status = true, a.Where(), c.moment(a.UpdatedAt), "Everybody who may use models", "Active"
			if a.Group != "" {
				row.Who = groupName(groups, a.Group)
			}
			if !a.Ready() {
				row.Status = "Client id is missing"
			}
		}
		rows = append(rows, row)
	}
	return v.show(http.StatusOK, "straight", view{Title: "Direct access", Notice: v.notice(),
		Lead: "For organizations that send requests straight to their cloud: a member's sign-in becomes a credential there that ends within hours.",
		Body: struct {
			Rows   []straightRow
			Any    bool
			Issuer string
		}{rows, len(all) > 0, cloudaccess.Issuer(c.cfg.PublicURL, v.who.Organization)}})
}

func accessTo(all []cloudaccess.Access, c cloudaccess.Cloud) (cloudaccess.Access, bool) {
	if at := slices.IndexFunc(all, func(a cloudaccess.Access) bool { return a.Cloud == c }); at >= 0 {
		return all[at], true
	}
	return cloudaccess.Access{Cloud: c}, false
}

// groupNames are the groups that may be chosen. Whoever may not read members sees none.
func (c *Console) groupNames(v *visit) ([]org.Group, error) {
	all, err := c.cfg.Organizations.Groups(v.r.Context(), v.who, v.who.Organization)
	if fault.Is(err, fault.Denied) {
		return nil, nil
	}
	return all, err
}

func groupName(all []org.Group, g id.Group) string {
	if at := slices.IndexFunc(all, func(o org.Group) bool { return o.ID == g }); at >= 0 {
		return short(all[at].Name)
	}
	return "A group that is not there any more: nobody"
}

// straightPage is one cloud's: the form, what to set up at the cloud, and what members do.
type straightPage struct {
	Cloud    string
	Form     *form
	Set      bool
	Recipe   cloudaccess.Recipe
	Tool     string // the cloud's own command
	Ready    bool   // members can reach it
	Members  []purpose
	Issuer   string
	Audience string
	Subject  string // of Entra's federated credential
}

// purpose is a command, and what it is for.
type purpose struct{ For, Command string }

var cloudTools = map[cloudaccess.Cloud]string{cloudaccess.AWS: "AWS CLI", cloudaccess.Google: "gcloud", cloudaccess.Azure: "Azure CLI"}

func straightFields(a cloudaccess.Access) []field {
	in := a.Settings
	switch a.Cloud {
	case cloudaccess.AWS:
		return []field{
			filled(text("role_arn", "Role that members assume", "arn:aws:iam::123456789012:role/gatehouse", "What the set-up above prints when it is done.", false), in.RoleARN),
			filled(text("region", "Region", "eu-central-1", "Where members ask Bedrock.", false), in.Region),
			filled(text("hours", "Hours of a session", "1", "From 1 to 12, as the role allows. Somebody who is cut off can go on for so long.", true), positive(in.Hours))}
	case cloudaccess.Google:
		return []field{
			filled(text("project", "Project", "my-project", "Its id.", false), in.Project),
			filled(text("project_number", "Project number", "123456789012", "", false), in.ProjectNumber),
			filled(text("region", "Region", "global", "global, us, eu, or a region such as europe-west1.", false), in.Region),
			filled(text("pool", "Workload identity pool", "gatehouse", "", false), in.Pool),
			filled(text("provider", "Provider in the pool", "gatehouse", "", false), in.Provider),
			filled(text("account", "Service account to take on", "claude-code@my-project.iam.gserviceaccount.com", "Left empty, members have rights of their own.", true), in.Account)}
	default:
		return []field{
			filled(text("tenant", "Tenant id", "00000000-0000-0000-0000-000000000000", "", false), in.Tenant),
			filled(text("resource", "Foundry resource", "my-resource", "The first part of its address.", false), in.Resource),
			filled(text("client", "Client id", "00000000-0000-0000-0000-000000000000", "What the set-up above prints when it is done. Until it is here, members get no token.", true), in.Client)}
	}
}

func filled(f field, value string) field {
	f.Value = value
	return f
}

func positive(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}

func (c *Console) straightOf(v *visit) (view, *form, error) {
	cloud, err := cloudaccess.ParseCloud(v.r.PathValue("cloud"))
	if err != nil {
		return view{}, nil, err
	}
	all, err := c.cfg.CloudAccess.List(v.r.Context(), v.who, v.who.Organization)
	if err != nil {
		return view{}, nil, err
	}
	groups, err := c.groupNames(v)
	if err != nil {
		return view{}, nil, err
	}
	a, set := accessTo(all, cloud)
	f := &form{Action: "/clouds/" + string(cloud), Submit: "Save", Cancel: "/clouds", Fields: straightFields(a)}
	if len(groups) > 0 {
		f.Fields = append(f.Fields, groupField(groups, a.Group))
	}
	recipe, err := a.Recipe(c.cfg.PublicURL, v.who.Organization)
	body := straightPage{Cloud: string(cloud), Form: f, Set: set, Ready: set && a.Ready(), Recipe: recipe, Tool: cloudTools[cloud], Members: straightCommands(c.cfg.PublicURL, cloud),
		Issuer: cloudaccess.Issuer(c.cfg.PublicURL, v.who.Organization)}
	if set || cloud != cloudaccess.Google { // Google's names the pool
		body.Audience = a.Audience()
	}
	if cloud == cloudaccess.Azure {
		body.Subject = a.Subject("")
		if a.Organization == "" {
			body.Subject += string(v.who.Organization)
		}
	}
	return view{Title: "Straight to " + cloudNames[cloud], Lead: "Nothing of this is secret: the cloud trusts what this server signs.", Body: body}, f, err
}

func groupField(groups []org.Group, chosen id.Group) field {
	f := field{Kind: "select", Name: "group", Label: "Who may", Options: []option{{Value: "", Text: "Everybody who may use models", Chosen: chosen == ""}}}
	for _, g := range groups {
		f.Options = append(f.Options, option{Value: string(g.ID), Text: short(g.Name), Chosen: g.ID == chosen})
	}
	if chosen != "" && !slices.ContainsFunc(groups, func(g org.Group) bool { return g.ID == chosen }) {
		f.Options = append(f.Options, option{Value: string(chosen), Text: "Nobody: the group is gone", Chosen: true})
	}
	return f
}

// straightCommands are what a member does. Claude Code has no setting for Foundry, and
// Microsoft's libraries ask no program.
func straightCommands(server string, c cloudaccess.Cloud) []purpose {
	name := string(c)
	list := []purpose{{"To sign in, once:", "gatehouse login --server " + server}, {"Claude Code, this once:", "gatehouse run --direct=" + name + " -- claude"}}
	if c != cloudaccess.Azure {
		list = append(list, purpose{"Claude Code from now on, by its settings:", "gatehouse setup claude-code --door direct --cloud " + name},
			purpose{"A shell and whatever is started in it:", `eval "$(gatehouse env --direct=` + name + `)"`})
	}
	return append(list, purpose{credentialFor[c], "gatehouse credential " + name})
}

// credentialFor says who reads what "gatehouse credential" prints.
var credentialFor = map[cloudaccess.Cloud]string{
	cloudaccess.AWS:    "AWS's own tools, which run this as their credential_process:",
	cloudaccess.Google: "Google's own libraries, which run this for an external_account:",
	cloudaccess.Azure:  "A token for anything else, good for about an hour:",
}

func (c *Console) straightCloud(v *visit) error {
	w, _, err := c.straightOf(v)
	if err != nil {
		return err
	}
	w.Notice = v.notice()
	return v.show(http.StatusOK, "straight-cloud", w)
}

func (c *Console) saveStraight(v *visit) error {
	typed, err := v.readForm()
	if err != nil {
		return err
	}
	cloud, err := cloudaccess.ParseCloud(v.r.PathValue("cloud"))
	if err != nil {
		return err
	}
	in, err := c.straightTyped(v, cloud, typed)
	if err == nil {
		_, err = c.cfg.CloudAccess.Set(v.r.Context(), v.who, v.who.Organization, in)
	}
	if err != nil {
		return v.anew("straight-cloud", func() (view, *form, error) { return c.straightOf(v) }, typed, err)
	}
	return v.redirect("/clouds/" + string(cloud) + "?done=clouded")
}

func (c *Console) straightTyped(v *visit, cloud cloudaccess.Cloud, typed url.Values) (cloudaccess.Access, error) {
	in := cloudaccess.Access{Cloud: cloud, Group: id.Group(typed.Get("group")), Settings: cloudaccess.Settings{Region: typed.Get("region"), RoleARN: typed.Get("role_arn"),
		Project: typed.Get("project"), ProjectNumber: typed.Get("project_number"), Pool: typed.Get("pool"), Provider: typed.Get("provider"), Account: typed.Get("account"),
		Tenant: typed.Get("tenant"), Client: typed.Get("client"), Resource: typed.Get("resource")}}
	if hours := typed.Get("hours"); hours != "" {
		n, err := strconv.Atoi(hours)
		if err != nil {
			return in, fault.New(fault.Invalid, "this is a whole number from 1 to 12").At("hours")
		}
		in.Settings.Hours = n
	}
	groups, err := c.groupNames(v)
	if err != nil {
		return in, err
	}
	if typed.Has("group") && (in.Group == "" || slices.ContainsFunc(groups, func(g org.Group) bool { return g.ID == in.Group })) {
		return in, nil
	}
	// Whoever was not asked for a group, or sends one that is gone, widens nothing.
	all, err := c.cfg.CloudAccess.List(v.r.Context(), v.who, v.who.Organization)
	was, _ := accessTo(all, cloud)
	if typed.Has("group") && in.Group != was.Group {
		return in, fault.New(fault.Invalid, "there is no such group any more").At("group")
	}
	in.Group = was.Group
	return in, err
}

func (c *Console) removeStraightForm(v *visit) error {
	if err := access.Check(v.who, caller.ManageUpstreams, v.who.Organization); err != nil {
		return err
	}
	cloud, err := cloudaccess.ParseCloud(v.r.PathValue("cloud"))
	if err != nil {
		return err
	}
	return v.show(http.StatusOK, "confirm", view{Title: "End the way straight to " + cloudNames[cloud] + "?", Body: confirm{Danger: true,
		Effects: []string{"Members get no more credentials of that cloud from their sign-in, from the next one on.",
			"Those that were given out go on until they end. To stop them too, take the trust away at the cloud."},
		Action: v.r.URL.Path, Submit: "End it", Cancel: "/clouds/" + string(cloud)}})
}

func (c *Console) removeStraight(v *visit) error {
	if err := c.cfg.CloudAccess.Remove(v.r.Context(), v.who, v.who.Organization, cloudaccess.Cloud(v.r.PathValue("cloud"))); err != nil {
		return err
	}
	return v.redirect("/clouds?done=unclouded")
}
