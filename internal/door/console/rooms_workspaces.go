package console

import (
	"context"

	"github.com/gatehouse-dev/gatehouse/internal/access"
	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/serviceaccount"
	"github.com/gatehouse-dev/gatehouse/internal/workspace"
)

// Workspaces keeps workspaces; *workspace.Service does.
type Workspaces interface {
	List(ctx context.Context, who caller.Caller, o id.Organization, f workspace.Filter) (page []workspace.Workspace, more bool, err error)
	Get(ctx context.Context, who caller.Caller, o id.Organization, w id.Workspace) (workspace.Workspace, error)
	May(ctx context.Context, who caller.Caller, o id.Organization, w id.Workspace) (access.WorkspaceRights, error)
	Create(ctx context.Context, who caller.Caller, o id.Organization, in workspace.New) (workspace.Workspace, error)
	Update(ctx context.Context, who caller.Caller, o id.Organization, w id.Workspace, c workspace.Change) (workspace.Workspace, error)
	Archive(ctx context.Context, who caller.Caller, o id.Organization, w id.Workspace) (workspace.Workspace, error)
	Members(ctx context.Context, who caller.Caller, o id.Organization, w id.Workspace, f workspace.MemberFilter) (page []workspace.Member, more bool, err error)
	Member(ctx context.Context, who caller.Caller, o id.Organization, w id.Workspace, principal string) (workspace.Member, error)
	Of(ctx context.Context, who caller.Caller, o id.Organization, principal string, f workspace.MemberFilter) (page []workspace.Member, more bool, err error)
	Add(ctx context.Context, who caller.Caller, o id.Organization, w id.Workspace, principal string, role access.WorkspaceRole) (workspace.Member, error)
	SetRole(ctx context.Context, who caller.Caller, o id.Organization, w id.Workspace, principal string, role access.WorkspaceRole) (workspace.Member, error)
	Remove(ctx context.Context, who caller.Caller, o id.Organization, w id.Workspace, principal string) error
}

// ServiceAccounts keeps service accounts; *serviceaccount.Service does.
type ServiceAccounts interface {
	List(ctx context.Context, who caller.Caller, o id.Organization, f serviceaccount.Filter) (page []serviceaccount.Account, more bool, err error)
	Get(ctx context.Context, who caller.Caller, o id.Organization, a id.ServiceAccount) (serviceaccount.Account, error)
	Create(ctx context.Context, who caller.Caller, o id.Organization, in serviceaccount.New) (serviceaccount.Account, error)
	Update(ctx context.Context, who caller.Caller, o id.Organization, a id.ServiceAccount, c serviceaccount.Change) (serviceaccount.Account, error)
	Archive(ctx context.Context, who caller.Caller, o id.Organization, a id.ServiceAccount) (serviceaccount.Account, error)
}
