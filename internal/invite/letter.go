package invite

import (
	"strings"

	"github.com/gatehouse-dev/gatehouse/internal/access"
	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/letter"
)

// RoleName is a role as people read it.
func RoleName(r access.Role) string {
	if r == access.ClaudeCodeUser {
		return "Claude Code user"
	}
	name := strings.ReplaceAll(string(r), "_", " ")
	if name == "" {
		return ""
	}
	return strings.ToUpper(name[:1]) + name[1:]
}

// As is how a sentence goes on about a role: "as developer".
func As(r access.Role) string {
	if r == access.ClaudeCodeUser {
		return "as Claude Code user"
	}
	return "as " + strings.ToLower(RoleName(r))
}

// letter is what the invited person gets.
func (s *Service) letter(i Invite, organization string) letter.Letter {
	greeting := "Hello,"
	if i.Name != "" {
		greeting = "Hello " + i.Name + ","
	}
	by := i.ByName
	if by == "" {
		by = "An admin"
	}
	asked := by + " invites you to join " + organization + " on Gatehouse " + As(i.Role) + "."
	if i.Link != "" {
		asked = "You asked to join " + organization + " on Gatehouse " + As(i.Role) + ". The button shows that this address is yours."
	}
	return letter.Write(letter.Invitation, i.Email, i.Name, "Join "+organization+" on Gatehouse", organization, s.address("/invite/", s.token(i)), letter.Parts{
		Greeting: greeting,
		Lines:    []string{asked, "Gatehouse is how " + organization + " gets to Claude: one sign-in for Claude Code and every other tool."},
		Button:   "Accept the invitation",
		After:    []string{"The invitation is for " + i.Email + " alone and can be accepted until " + i.ExpiresAt.UTC().Format("2 January 2006") + ". If you do not want to join, there is nothing to do."},
		Why:      "You get this because somebody entered your address as one to be invited.",
	}, s.Now()).In(i.Organization, string(i.ID)).Until(i.ExpiresAt)
}

// WorkspaceRole is what somebody with a role becomes in the workspaces that
// their invitation names.
func WorkspaceRole(r access.Role) string {
	if r.Rights().Has(caller.OwnKeys) {
		return "workspace_developer"
	}
	return "workspace_user"
}
