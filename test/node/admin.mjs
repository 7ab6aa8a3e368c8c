// Takes every subject of the Admin API through its life with the official SDK,
// as it comes, and fails at the first thing that is not as the SDK's types say.
//
// Standard output has "turn" on a line where a minute should pass for the
// server; a line on standard input says that it has. The last line is "done".
import assert from 'node:assert/strict';
import { createInterface } from 'node:readline';
import Anthropic from '@anthropic-ai/sdk';
import { is } from './shapes.mjs';

const facts = JSON.parse(process.env.FACTS);
const client = new Anthropic({ maxRetries: 0 });
const answers = createInterface({ input: process.stdin })[Symbol.asyncIterator]();

async function turn() {
  console.log('turn');
  await answers.next();
}

// fails makes sure that a call fails with an error of the SDK's class for a
// status, and with the code of a cause where there is one.
async function fails(what, call, Class, status, type, code = null) {
  const error = await call().then(
    () => assert.fail(`${what}: it succeeds`),
    (e) => e,
  );
  assert.ok(error instanceof Class, `${what}: ${error}`);
  assert.deepEqual([error.status, error.type, error.errorCode], [status, type, code], what);
  assert.ok(error.requestID?.startsWith('req_') && error.error.request_id === error.requestID, `${what}: the request's id`);
  assert.ok(error.apiMessage, `${what}: no message`);
  return error;
}

const { BadRequestError, ConflictError, NotFoundError, PermissionDeniedError, AuthenticationError, RateLimitError } = Anthropic;
const missing = (what, call, code) => fails(what, call, NotFoundError, 404, 'not_found_error', code);
const refused = (what, call, code) => fails(what, call, BadRequestError, 400, 'invalid_request_error', code);
const taken = (what, call, code) => fails(what, call, ConflictError, 409, 'conflict_error', code);

// all reads a list to its end, a few rows at a time, and checks each.
async function all(shape, pages) {
  const rows = [];
  for await (const row of pages) rows.push(is(shape, row));
  return rows;
}

async function invites(org, tag) {
  const made = [];
  for (const n of [1, 2, 3]) made.push(is('invite', await org.invites.create({ email: `${tag}${n}@example.com`, role: 'user' })));
  assert.equal(Date.parse(made[0].expires_at) - Date.parse(made[0].invited_at), 21 * 24 * 3600 * 1000);
  const mine = (rows) => rows.map((row) => row.email).filter((email) => email.startsWith(tag));
  assert.deepEqual(mine(await all('invite', org.invites.list({ limit: 1, statuses: ['pending'], roles: ['user', 'billing'] }))), [3, 2, 1].map((n) => `${tag}${n}@example.com`));
  assert.equal(is('invite', await org.invites.retrieve(made[0].id)).id, made[0].id);
  assert.equal((await org.invites.list({ email: `${tag.toUpperCase()}1@EXAMPLE.com` })).data[0].id, made[0].id);
  await taken('inviting twice', () => org.invites.create({ email: `${tag}1@example.com`, role: 'user' }), 'invite_already_exists');
  await taken('inviting a member', () => org.invites.create({ email: facts.email, role: 'user' }), 'already_member');
  await missing('inviting into a foreign group', () => org.invites.create({ email: 'x@example.com', role: 'user', rbac_group_ids: [facts.foreign.group] }), 'rbac_group_not_found');
  await refused('inviting an owner', () => org.invites.create({ email: 'x@example.com', role: 'owner' }));
  is('inviteDeleted', await org.invites.delete(made[0].id));
  assert.equal((await org.invites.retrieve(made[0].id)).status, 'deleted');
  assert.ok(!(await all('invite', org.invites.list())).some((row) => row.id === made[0].id), 'a withdrawn invitation is listed');
  await taken('withdrawing twice', () => org.invites.delete(made[0].id));
  await missing('an invitation that is not there', () => org.invites.retrieve('invite_0000000000000000000000'));
}

async function users(org, tag) {
  const mine = is('user', (await org.users.list({ email: facts.email.toUpperCase() })).data[0]);
  const rows = await all('user', org.users.list({ limit: 2 }));
  assert.deepEqual(rows.map((row) => row.id), (await org.users.list({ limit: 1000 })).data.map((row) => row.id));
  const back = [];
  for await (const page of (await org.users.list({ limit: 2, before_id: rows.at(-1).id })).iterPages()) back.unshift(...page.data.map((row) => row.id));
  assert.deepEqual(back, rows.slice(0, -1).map((row) => row.id), 'backwards');
  assert.equal(is('user', await org.users.retrieve(mine.id)).email, facts.email);
  const victim = rows.find((row) => row.email.startsWith(tag));
  assert.equal(is('user', await org.users.update(victim.id, { role: 'billing' })).role, 'billing');
  assert.ok((await all('user', org.users.list({ roles: ['billing'] }))).some((row) => row.id === victim.id));
  await refused('making an owner', () => org.users.update(victim.id, { role: 'owner' }));
  await refused('a role and more', () => org.users.update(victim.id, { role: 'user', status: 'active' }));
  is('userDeleted', await org.users.remove(victim.id));
  await missing('somebody who is gone', () => org.users.retrieve(victim.id));
  await missing('somebody of another organization', () => org.users.retrieve(facts.foreign.member));
  await refused('a list of no length', () => org.users.list({ limit: 0 }));
  await refused('paging from a foreign user', () => org.users.list({ after_id: facts.foreign.member }));
  return mine.id;
}

async function workspaces(org, tag, member) {
  const name = `${tag} robots`;
  const made = is('workspace', await org.workspaces.create({ name, tags: { team: 'a', floor: '2' }, data_residency: { workspace_geo: 'us' }, external_key_id: null }));
  await taken('a name twice', () => org.workspaces.create({ name }));
  await refused('a key of one’s own', () => org.workspaces.create({ name: `${tag} sealed`, external_key_id: 'ekey_1' }));
  const changed = is('workspace', await org.workspaces.update(made.id, { display_color: '#112233', tags: { team: 'b', floor: null } }));
  assert.deepEqual([changed.name, changed.display_color, changed.tags], [name, '#112233', { team: 'b' }]);
  assert.deepEqual(is('workspace', await org.workspaces.retrieve(made.id)), changed);
  assert.deepEqual((await all('workspace', org.workspaces.list({ ids: [made.id], include_default: true }))).map((row) => row.id), [made.id]);
  await workspaceMembers(org, made.id, member);
  await workspaceServices(org, tag, made.id);
  await workspaceLimits(org, made.id);
  assert.notEqual(is('workspace', await org.workspaces.archive(made.id)).archived_at, null);
  assert.ok(!(await all('workspace', org.workspaces.list())).some((row) => row.id === made.id));
  assert.ok((await all('workspace', org.workspaces.list({ include_archived: true, limit: 1 }))).some((row) => row.id === made.id));
  await refused('changing what is archived', () => org.workspaces.update(made.id, { name: 'again' }));
  await missing('a foreign workspace', () => org.workspaces.retrieve(facts.foreign.workspace));
}

async function workspaceMembers(org, workspace_id, member) {
  const members = org.workspaces.members;
  assert.equal(is('workspaceMember', await members.add(workspace_id, { user_id: member, workspace_role: 'workspace_developer' })).user_id, member);
  await taken('adding twice', () => members.add(workspace_id, { user_id: member, workspace_role: 'workspace_user' }));
  assert.equal(is('workspaceMember', await members.update(member, { workspace_id, workspace_role: 'workspace_admin' })).workspace_role, 'workspace_admin');
  assert.equal(is('workspaceMember', await members.retrieve(member, { workspace_id })).workspace_role, 'workspace_admin');
  assert.equal((await all('workspaceMember', members.list(workspace_id))).length, 1);
  await refused('giving workspace_billing', () => members.update(member, { workspace_id, workspace_role: 'workspace_billing' }));
  await missing('adding a foreign user', () => members.add(workspace_id, { user_id: facts.foreign.member, workspace_role: 'workspace_user' }));
  is('workspaceMemberDeleted', await members.remove(member, { workspace_id }));
  await missing('somebody who is not in', () => members.retrieve(member, { workspace_id }));
}

async function workspaceServices(org, tag, workspace_id) {
  const made = await org.serviceAccounts.create({ name: `${tag}-in` });
  const inside = org.workspaces.serviceAccounts;
  is('serviceAccountMember', await inside.add(workspace_id, { service_account_id: made.id, workspace_role: 'workspace_developer' }));
  assert.equal(is('serviceAccountMember', await inside.update(made.id, { workspace_id, workspace_role: 'workspace_user' })).workspace_role, 'workspace_user');
  assert.equal(is('serviceAccountMember', await inside.retrieve(made.id, { workspace_id })).workspace_role, 'workspace_user');
  assert.equal((await all('serviceAccountMember', inside.list(workspace_id))).length, 1);
  for (const _ of [1, 2]) is('serviceAccountMemberDeleted', await inside.remove(made.id, { workspace_id })); // nothing happens the second time
  await missing('one that is not in', () => inside.retrieve(made.id, { workspace_id }));
  await missing('a foreign one', () => inside.add(workspace_id, { service_account_id: facts.foreign.service, workspace_role: 'workspace_user' }));
}

async function workspaceLimits(org, workspace_id) {
  const [whole] = await all('rateLimit', org.rateLimits.list());
  assert.deepEqual(await all('rateLimit', org.rateLimits.list({ group_type: 'batch', model: null })), []);
  const limits = org.workspaces.rateLimits;
  assert.deepEqual(await all('workspaceRateLimit', limits.list(workspace_id)), []);
  assert.ok((await all('workspaceRateLimit', limits.list(workspace_id, { include_inherited: true })))[0].limits.every((limit) => limit.source.type === 'organization'));
  const set = is('workspaceRateLimit', await limits.update(whole.id, { workspace_id, limits: [{ type: 'requests_per_minute', value: 5 }] }));
  assert.equal(set.limits.find((limit) => limit.type === 'requests_per_minute').value, 5);
  assert.equal((await all('workspaceRateLimit', limits.list(workspace_id))).length, 1);
  is('workspaceRateLimit', await limits.update(whole.id, { workspace_id, limits: [{ type: 'requests_per_minute', value: null }] }));
  assert.deepEqual(await all('workspaceRateLimit', limits.list(workspace_id)), []);
  await missing('a limit that is not there', () => limits.update('rlim_none', { workspace_id, limits: [] }));
  await refused('a limit that cannot be set', () => limits.update(whole.id, { workspace_id, limits: [{ type: 'tokens_per_day', value: 1 }] }));
}

async function apiKeys(org, tag) {
  const rows = await all('apiKey', org.apiKeys.list({ limit: 1 }));
  assert.ok(rows.length >= 2 && rows.every((row) => row.principal.type === 'user_actor'));
  const key = rows[0];
  assert.deepEqual(is('apiKey', await org.apiKeys.retrieve(key.id)), key);
  const named = is('apiKey', await org.apiKeys.update(key.id, { name: `${tag} key`, status: null }));
  assert.deepEqual([named.name, named.status], [`${tag} key`, 'active']);
  assert.equal((await org.apiKeys.update(key.id, { status: 'inactive' })).status, 'inactive');
  assert.deepEqual((await all('apiKey', org.apiKeys.list({ status: 'inactive', created_by_user_id: key.created_by.id, workspace_id: null }))).map((row) => row.id), [key.id]);
  assert.equal((await org.apiKeys.update(key.id, { status: 'active' })).status, 'active');
  await refused('a key that expires by hand', () => org.apiKeys.update(key.id, { status: 'expired' }));
  await missing('an admin key', () => org.apiKeys.retrieve(facts.adminKey));
  await missing('keys of a foreign workspace', () => org.apiKeys.list({ workspace_id: facts.foreign.workspace }));
}

async function serviceAccounts(org, tag) {
  const made = is('serviceAccount', await org.serviceAccounts.create({ name: `${tag}-nightly`, description: null }));
  assert.equal(is('serviceAccount', await org.serviceAccounts.update(made.id, { description: 'builds', organization_role: null })).description, 'builds');
  assert.equal(is('serviceAccount', await org.serviceAccounts.update(made.id, { description: null })).description, '');
  assert.equal(is('serviceAccount', await org.serviceAccounts.retrieve(made.id)).id, made.id);
  await taken('a name twice', () => org.serviceAccounts.create({ name: made.name }));
  await refused('a service account that is an admin', () => org.serviceAccounts.create({ name: `${tag}-mighty`, organization_role: 'admin' }));
  const place = await org.workspaces.create({ name: `${tag} night` });
  is('serviceAccountMember', await org.serviceAccounts.workspaces.add(made.id, { workspace_id: place.id, workspace_role: 'workspace_developer' }));
  assert.deepEqual((await all('serviceAccountMember', org.serviceAccounts.workspaces.list(made.id, { limit: 1 }))).map((row) => row.workspace_id), [place.id]);
  for (const _ of [1, 2]) is('serviceAccountMemberDeleted', await org.serviceAccounts.workspaces.remove(place.id, { service_account_id: made.id }));
  const archived = is('serviceAccount', await org.serviceAccounts.archive(made.id));
  assert.deepEqual((await org.serviceAccounts.archive(made.id)).archived_at, archived.archived_at);
  assert.ok(!(await all('serviceAccount', org.serviceAccounts.list({ limit: 1 }))).some((row) => row.id === made.id));
  assert.ok((await all('serviceAccount', org.serviceAccounts.list({ limit: 1, include_archived: true }))).some((row) => row.id === made.id));
  await refused('changing what is archived', () => org.serviceAccounts.update(made.id, { description: 'x' }));
  await missing('a foreign service account', () => org.serviceAccounts.retrieve(facts.foreign.service));
}

async function groups(org, tag, member) {
  const made = [];
  for (const n of [1, 2, 3]) made.push(is('group', await org.rbacGroups.create({ name: `${tag} group ${n}` })));
  const rows = await all('group', org.rbacGroups.list({ limit: 1 }));
  assert.equal(new Set(rows.map((row) => row.id)).size, rows.length);
  assert.ok(made.every((group) => rows.some((row) => row.id === group.id)));
  assert.equal(is('group', await org.rbacGroups.update(made[0].id, { name: `${tag} first` })).name, `${tag} first`);
  assert.equal((await org.rbacGroups.update(made[0].id, { name: null })).name, `${tag} first`);
  assert.equal(is('group', await org.rbacGroups.retrieve(made[0].id)).name, `${tag} first`);
  await taken('a name twice', () => org.rbacGroups.create({ name: `${tag} first` }));
  const members = org.rbacGroups.members;
  const before = Date.parse(made[0].created_at);
  assert.ok(Date.parse(is('groupMember', await members.add(made[0].id, { user_id: member })).created_at) >= before, 'when they came into the group');
  assert.deepEqual((await all('groupMember', members.list(made[0].id, { limit: 1 }))).map((row) => row.user_id), [member]);
  await missing('adding a foreign user', () => members.add(made[0].id, { user_id: facts.foreign.member }));
  const invited = is('invite', await org.invites.create({ email: `${tag}-grouped@example.com`, role: 'user', rbac_group_ids: [made[0].id] }));
  assert.deepEqual(invited.rbac_group_ids, [made[0].id]);
  is('groupMemberDeleted', await members.remove(member, { rbac_group_id: made[0].id }));
  await missing('taking out twice', () => members.remove(member, { rbac_group_id: made[0].id }));
  for (const group of made) is('groupDeleted', await org.rbacGroups.delete(group.id));
  await missing('a group that is deleted', () => org.rbacGroups.retrieve(made[0].id), 'rbac_group_not_found');
  await missing('a foreign group', () => org.rbacGroups.delete(facts.foreign.group), 'rbac_group_not_found');
}

async function roles(org) {
  const rows = await all('role', org.rbacRoles.list({ limit: 1 }));
  assert.ok(rows.some((row) => row.id === facts.role));
  assert.equal(is('role', await org.rbacRoles.retrieve(facts.role)).display_name, 'Readers');
  const permissions = await all('permission', org.rbacRoles.permissions.list(facts.role, { limit: 1 }));
  assert.deepEqual(permissions.map((row) => row.action).sort(), ['members:read', 'workspaces:read']);
  assert.ok(permissions.every((row) => row.resource.organization_id === facts.organization));
  await missing('a foreign role', () => org.rbacRoles.retrieve(facts.foreign.role), 'rbac_role_not_found');
}

async function credentials() {
  const as = (apiKey) => new Anthropic({ apiKey, maxRetries: 0 }).organization.users.list();
  await fails('no such key', () => as('sk-gate-admin01-none'), AuthenticationError, 401, 'authentication_error');
  await fails('a key for models', () => as(facts.apiKey), PermissionDeniedError, 403, 'permission_error');
  await fails('a key without the scope', () => as(facts.narrowKey), PermissionDeniedError, 403, 'permission_error');
  assert.equal((await new Anthropic({ apiKey: null, authToken: process.env.ANTHROPIC_API_KEY }).organization.retrieve()).id, facts.organization);
}

async function tooMany() {
  const asked = await Promise.allSettled(Array.from({ length: 110 }, () => client.organization.retrieve()));
  const errors = asked.filter((one) => one.status === 'rejected').map((one) => one.reason);
  assert.ok(errors.length > 0, 'no request is too many');
  for (const error of errors) {
    await fails('too many requests', () => Promise.reject(error), RateLimitError, 429, 'rate_limit_error');
    assert.ok(Number(error.headers.get('retry-after')) >= 1, 'no retry-after');
  }
}

for (const [tag, org] of [['stable', client.organization], ['beta', client.beta.organization]]) {
  assert.equal(is('organization', await org.retrieve()).id, facts.organization);
  await invites(org, tag);
  const member = await users(org, tag);
  await turn();
  await workspaces(org, tag, member);
  await turn();
  await serviceAccounts(org, tag);
  await groups(org, tag, member);
  await turn();
  await roles(org);
  await apiKeys(org, tag);
  await turn();
}
await credentials();
await tooMany();
console.log('done');
process.stdin.destroy(); // or this would go on for ever
