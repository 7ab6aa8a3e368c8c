package precedence

// Choice is what Claude Code does. Authorization and Key are the sources of the
// two headers; "" leaves the header out.
type Choice struct {
	Winner             Name // "" if nobody is signed in
	Authorization, Key Name
	Endpoint           string
	Refused            string // why Claude Code does not start; "" if it does
}

// Two says that two credentials of Anthropic's travel at once.
func (c Choice) Two() bool {
	_, provider := c.Winner.provider()
	return !provider && c.Authorization != "" && c.Key != "" && c.Authorization != c.Key
}

// Decide is Claude Code's choice.
func Decide(f Facts) Choice {
	c := f.direct()
	refused := f.refusal(c)
	if p := f.provider(); p != "" {
		c = f.through(p)
	}
	if f.has(Gateway) {
		c = Choice{Winner: Gateway, Authorization: Gateway}
	}
	c = f.withHeaders(c)
	c.Refused, c.Endpoint = refused, f.endpoint(c.Winner)
	return c
}

// direct is the choice without a provider and a gateway.
func (f Facts) direct() (c Choice) {
	switch c.Winner = f.first(AuthToken, APIKey, Helper); {
	case c.Winner != "":
		c.Authorization, c.Key = f.first(AuthToken, Helper), f.first(APIKey, Helper, StoredKey)
	case f.has(OAuthToken):
		c.Winner, c.Authorization = OAuthToken, OAuthToken
	default:
		c = f.signIn()
	}
	return c
}

// withHeaders puts ANTHROPIC_CUSTOM_HEADERS over a choice. Some write their own
// Authorization last.
func (f Facts) withHeaders(c Choice) Choice {
	if f.SetsKey {
		c.Key = Headers
	}
	switch {
	case !f.SetsAuthorization || c.Winner == AWS:
	case c.Authorization == "", c.Authorization == OAuthToken, c.Authorization == Login, c.Authorization == Bedrock, c.Authorization == Mantle:
		c.Authorization = Headers
	}
	if c.Winner == "" && (f.SetsKey || f.SetsAuthorization) {
		c.Winner = Headers
	}
	return c
}

// signIn is the choice among what somebody signed in with.
func (f Facts) signIn() Choice {
	own := f.first(Federation, Profile)
	if own == Profile && !f.Named && !f.Federates {
		own = ""
	}
	switch {
	case own == "" && f.has(Login):
		return Choice{Winner: Login, Authorization: Login}
	case f.has(StoredKey):
		return Choice{Winner: StoredKey, Key: StoredKey}
	case own != "":
		return Choice{Winner: own, Authorization: own}
	case f.has(Profile):
		return Choice{Winner: Profile, Authorization: Profile}
	}
	return Choice{}
}

// provider is the first that is switched on, or "".
func (f Facts) provider() Name {
	for _, n := range providers {
		if _, on := f.SwitchedOn[n]; on {
			return n
		}
	}
	return ""
}

// through is the choice for a provider. Some are sent what is set for Anthropic,
// beside their own or in its place.
func (f Facts) through(p Name) Choice {
	own := f.first(p)
	if f.Unsigned[p] {
		own = ""
	}
	switch p {
	case Bedrock:
		if f.Unsigned[p] {
			own = f.first(AuthToken)
		}
		return Choice{Winner: p, Authorization: own, Key: f.first(APIKey)}
	case Foundry:
		return Choice{Winner: p, Authorization: f.first(AuthToken, Helper), Key: own}
	case AWS:
		return Choice{Winner: p, Key: own}
	case Vertex:
		if f.Unsigned[p] {
			own = f.first(AuthToken, Helper)
		}
		return Choice{Winner: p, Authorization: own, Key: f.first(APIKey)}
	}
	return Choice{Winner: p, Authorization: own}
}

// refusal says why Claude Code does not even start: managed settings may demand
// a sign-in of Anthropic's, or at a gateway.
func (f Facts) refusal(c Choice) string {
	switch {
	case f.Forced == "":
		return ""
	case f.first(AuthToken, APIKey, Helper) != "":
		return f.Forced + " in " + f.ForcedIn + " demands another sign-in, and Claude Code does not start beside " + f.first(AuthToken, APIKey, Helper).Title()
	case c.Winner == OAuthToken && f.NoOrgs:
		return f.Forced + " in " + f.ForcedIn + " allows no organization"
	}
	return ""
}

const anthropic = "https://api.anthropic.com"

func (f Facts) endpoint(winner Name) string {
	switch _, provider := winner.provider(); {
	case winner == "":
		return ""
	case winner == Gateway:
		return f.Gateway
	case provider:
		return f.Endpoints[winner].Text
	case f.Base.Text != "":
		return f.Base.Text
	case winner == Profile && f.ProfileBase != "":
		return f.ProfileBase
	}
	return anthropic
}
