// What the types of the official SDK say of the Admin API's objects, as checks
// that can run.
import assert from 'node:assert/strict';

const text = (v) => typeof v === 'string';
const whole = (v) => Number.isInteger(v);
const flag = (v) => typeof v === 'boolean';
const time = (v) => text(v) && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/.test(v);
const id = (prefix) => (v) => text(v) && v.startsWith(prefix) && v.length > prefix.length;
const maybe = (check) => (v) => v === null || holds(check, v);
const one = (...all) => (v) => all.includes(v);
const list = (check) => (v) => Array.isArray(v) && v.every((each) => holds(check, each));
const either = (...checks) => (v) => checks.some((check) => holds(check, v));

// A check is a function, or an object with one for each field.
function holds(check, value) {
  if (typeof check === 'function') return check(value);
  return value !== null && typeof value === 'object' && Object.entries(check).every(([name, of]) => name in value && holds(of, value[name]));
}

const role = one('admin', 'billing', 'claude_code_user', 'developer', 'managed', 'membership_admin', 'owner', 'primary_owner', 'user');
const workspaceRole = one('workspace_admin', 'workspace_billing', 'workspace_developer', 'workspace_restricted_developer', 'workspace_user');
const group = either(
  { id: text, type: one('model_group'), display_name: text },
  { id: text, type: one('batch', 'token_count', 'files', 'skills', 'web_search') },
);

export const shapes = {
  organization: { id: text, name: text, type: one('organization') },
  user: { id: id('user_'), added_at: time, email: text, name: text, role, type: one('user') },
  userDeleted: { id: id('user_'), type: one('user_deleted') },
  invite: {
    id: id('invite_'), accepted_at: maybe(time), email: text, expires_at: time, invited_at: time, rbac_group_ids: list(text), role,
    status: one('accepted', 'deleted', 'expired', 'pending'), type: one('invite'),
  },
  inviteDeleted: { id: id('invite_'), type: one('invite_deleted') },
  workspace: {
    id: id('wrkspc_'), archived_at: maybe(time), compartment_id: text, created_at: time, display_color: text, external_key_id: maybe(text), name: text,
    data_residency: { allowed_inference_geos: either(list(one('global', 'us')), one('unrestricted')), default_inference_geo: one('global', 'us'), workspace_geo: one('us') },
    tags: (v) => Object.values(v).every(text), type: one('workspace'), user_profile_id: maybe(text),
  },
  workspaceMember: { type: one('workspace_member'), user_id: id('user_'), workspace_id: id('wrkspc_'), workspace_role: workspaceRole },
  workspaceMemberDeleted: { type: one('workspace_member_deleted'), user_id: id('user_'), workspace_id: id('wrkspc_') },
  serviceAccount: {
    id: id('svac_'), archived_at: maybe(time), archived_by_actor_id: maybe(text), created_at: time, created_by_actor_id: maybe(text), description: maybe(text),
    name: text, organization_role: one('admin', 'developer'), type: one('service_account'), updated_at: time, updated_by_actor_id: maybe(text),
  },
  serviceAccountMember: {
    created_by_actor_id: maybe(text), implicit: maybe(flag), service_account_id: id('svac_'), type: one('service_account_workspace_member'),
    workspace_id: id('wrkspc_'), workspace_role: workspaceRole,
  },
  serviceAccountMemberDeleted: { service_account_id: id('svac_'), type: one('service_account_workspace_member_deleted'), workspace_id: id('wrkspc_') },
  apiKey: {
    id: id('apikey_'), created_at: time, created_by: maybe({ id: text, type: one('service_account', 'user') }), expires_at: maybe(time), name: text,
    partial_key_hint: maybe(text),
    principal: maybe(either({ type: one('user_actor'), user_id: id('user_') }, { type: one('service_account_actor'), service_account_id: id('svac_') })),
    scope: either({ type: one('organization') }, { type: one('workspace'), workspace_id: id('wrkspc_') }),
    status: one('active', 'archived', 'expired', 'inactive'), type: one('api_key'),
  },
  rateLimit: { id: text, group, limits: list({ type: text, value: whole }), models: maybe(list(text)), type: one('rate_limit') },
  workspaceRateLimit: {
    group, limits: list({ org_limit: maybe(whole), source: { type: one('workspace', 'organization') }, type: text, value: whole }), models: maybe(list(text)),
    rate_limit_id: text, type: one('workspace_rate_limit'), workspace_id: id('wrkspc_'),
  },
  group: {
    id: id('rbac_group_'), created_at: time, name: text, role_ids: maybe(list(text)), source_type: one('direct', 'scim'), type: one('rbac_group'), updated_at: time,
  },
  groupDeleted: { id: id('rbac_group_'), type: one('rbac_group_deleted') },
  groupMember: { created_at: time, email: text, rbac_group_id: id('rbac_group_'), type: one('rbac_group_member'), user_id: id('user_') },
  groupMemberDeleted: { rbac_group_id: id('rbac_group_'), type: one('rbac_group_member_deleted'), user_id: id('user_') },
  role: { id: id('rbac_role_'), created_at: time, display_name: text, source: { type: one('built_in', 'custom') }, type: one('rbac_role'), updated_at: time },
  permission: { action: text, resource: { type: one('organization'), organization_id: text }, type: one('rbac_role_permission') },
};

// is returns a value that has a shape, and fails otherwise.
export function is(name, value) {
  for (const [field, check] of Object.entries(shapes[name])) {
    assert.ok(value !== null && typeof value === 'object' && field in value && holds(check, value[field]), `${field} of ${name}: ${JSON.stringify(value)}`);
  }
  return value;
}
