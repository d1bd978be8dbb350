import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import {
  type Accepted,
  AcceptedSchema,
  type AnalyzeRequest,
  type CreateDeployment,
  type DeploymentList,
  DeploymentListSchema,
  type DeploymentView,
  DeploymentViewSchema,
  type Ticket,
  TicketSchema,
} from '../../contract/api.ts';
import { CLIENT_HEADER, type Client } from '../../contract/clients.ts';
import { type ProjectCosts, ProjectCostsSchema } from '../../contract/cost.ts';
import { type Domain, DomainListSchema, DomainSchema } from '../../contract/domains.ts';
import type { LogLine } from '../../contract/events.ts';
import type { CacheUse, Environment } from '../../contract/lanes.ts';
import {
  type AuditList,
  AuditListSchema,
  type Caller,
  CallerSchema,
  CreatedTokenSchema,
  type CreateToken,
  type Member,
  MemberListSchema,
  MemberSchema,
  type Role,
  TokenListSchema,
  type TokenView,
  type Usage,
  UsageSchema,
} from '../../contract/people.ts';
import { type Plan, PlanSchema } from '../../contract/plan.ts';
import {
  ProjectListSchema,
  type ProjectView,
  ProjectViewSchema,
  type SettingsPatchSchema,
} from '../../contract/project.ts';
import { type SetVariables, type VariableList, VariableListSchema } from '../../contract/project-variables.ts';
import { type ReleaseHistory, ReleaseHistorySchema } from '../../contract/releases.ts';
import { type AskedFile, type CreateUpload, type Upload, UploadSchema } from '../../contract/uploads.ts';
import { type FollowEventsOptions, type FollowedEvents, followEvents } from './followEvents.ts';
import { callJson } from './http.ts';
import { putContent } from './putContent.ts';
import { readLogPages } from './readLogPages.ts';

export interface ClientOptions {
  /** Where the API is, e.g. `http://127.0.0.1:3000`; a path in it is kept. */
  readonly baseUrl: string;
  readonly token: string;
}

/**
 * The HTTP API for programs. Every method throws `ProblemError` for what the platform refuses and
 * `UnreachableError` where it gives no usable answer.
 */
export class VerenClient {
  readonly #base: URL;
  readonly #headers: Readonly<Record<string, string>>;

  constructor({ baseUrl, token }: ClientOptions) {
    this.#base = new URL(baseUrl.endsWith('/') ? baseUrl : `${baseUrl}/`);
    this.#headers = { Authorization: `Bearer ${token}`, [CLIENT_HEADER]: 'command' satisfies Client };
  }

  /** Without a key one is made up, so that a request that is sent again after a broken connection deploys once. */
  createDeployment(request: CreateDeployment, idempotencyKey: string = randomUUID()): Promise<Accepted> {
    return callJson(this.#url('deployments'), AcceptedSchema, {
      method: 'POST',
      body: request,
      headers: { ...this.#headers, 'Idempotency-Key': idempotencyKey },
      repeatable: true,
    });
  }

  /** Notes a folder, or what has changed in one, and says what the project lacks of it. */
  noteUpload(projectId: string, request: CreateUpload): Promise<Upload> {
    const url = this.#project(projectId, 'uploads');
    // A folder is named after its content, so a repeat changes nothing.
    return callJson(url, UploadSchema, { method: 'POST', body: request, headers: this.#headers, repeatable: true });
  }

  /** Sends one content to the storage, which does not get the token. @param name For the message of an error. */
  sendFile(asked: AskedFile, content: Uint8Array, name: string): Promise<void> {
    return putContent(this.#base, asked, content, name);
  }

  getDeployment(deploymentId: string): Promise<DeploymentView> {
    return this.#get(this.#deployment(deploymentId), DeploymentViewSchema);
  }

  /** One page, newest first; its `cursor` asks for the next. `limit` is 1 to 100. */
  listDeployments(query: { projectId?: string; limit?: number; cursor?: string } = {}): Promise<DeploymentList> {
    return this.#get(this.#query('deployments', query), DeploymentListSchema);
  }

  /** All existing lines, read page by page. */
  readLogs(deploymentId: string): AsyncGenerator<LogLine, void, undefined> {
    return readLogPages(this.#deployment(deploymentId, 'logs'), this.#headers);
  }

  /** For one WebSocket connection, which a browser opens with `?ticket=`. */
  createTicket(): Promise<Ticket> {
    return this.#post(this.#url('tickets'), TicketSchema);
  }

  /**
   * The log from its start (or from `after`) and the record's changes, to the terminal state. A broken connection is
   * resumed, so that no line is lost or repeated.
   */
  followLogs(deploymentId: string, options: FollowEventsOptions = {}): AsyncGenerator<FollowedEvents, void, undefined> {
    return followEvents(this.#deployment(deploymentId, 'logs'), this.#headers, options);
  }

  /** Throws `ALREADY_FINISHED` (409) where there is nothing left to cancel. */
  cancel(deploymentId: string): Promise<Accepted> {
    return this.#post(this.#deployment(deploymentId, 'cancel'), AcceptedSchema);
  }

  /** A new deployment of the same request at the same commit. */
  redeploy(deploymentId: string, request: { cache?: CacheUse } = {}): Promise<Accepted> {
    return this.#post(this.#deployment(deploymentId, 'redeploy'), AcceptedSchema, request);
  }

  /** Production serves this deployment from now on. */
  promote(deploymentId: string, request: { reason?: string } = {}): Promise<ReleaseHistory> {
    return this.#post(this.#deployment(deploymentId, 'promote'), ReleaseHistorySchema, request);
  }

  /** Without a deployment, to what was released before. */
  rollback(projectId: string, request: { deploymentId?: string; reason?: string } = {}): Promise<ReleaseHistory> {
    return this.#post(this.#project(projectId, 'rollback'), ReleaseHistorySchema, request);
  }

  /** Starts production's backend anew with the project's current variables; `nextRelease` says how far it is. */
  releaseVariables(projectId: string): Promise<ReleaseHistory> {
    return this.#post(this.#project(projectId, 'releases'), ReleaseHistorySchema, { variables: 'current' });
  }

  pinProject(projectId: string, pinned: boolean): Promise<ReleaseHistory> {
    return this.#post(this.#project(projectId, pinned ? 'pin' : 'unpin'), ReleaseHistorySchema);
  }

  getReleases(projectId: string): Promise<ReleaseHistory> {
    return this.#get(this.#project(projectId, 'releases'), ReleaseHistorySchema);
  }

  /** One page, by name; its `cursor` asks for the next. */
  listProjects(
    query: { limit?: number; cursor?: string } = {},
  ): Promise<{ items: ProjectView[]; cursor?: string | undefined }> {
    return this.#get(this.#query('projects', query), ProjectListSchema);
  }

  getProject(projectId: string): Promise<ProjectView> {
    return this.#get(this.#project(projectId), ProjectViewSchema);
  }

  /** Settings that are left out stay as they are. */
  changeProject(projectId: string, settings: z.input<typeof SettingsPatchSchema>): Promise<ProjectView> {
    return this.#send('PATCH', this.#project(projectId), ProjectViewSchema, settings);
  }

  /** What its builds have cost. @param month For example `2026-11`; without it the present one. */
  getCosts(projectId: string, month?: string): Promise<ProjectCosts> {
    return this.#get(this.#query(this.#project(projectId, 'costs'), { month }), ProjectCostsSchema);
  }

  /** The values of secrets are left out. */
  listVariables(projectId: string, environment?: Environment): Promise<VariableList> {
    return this.#get(this.#query(this.#project(projectId, 'variables'), { environment }), VariableListSchema);
  }

  setVariables(projectId: string, request: SetVariables): Promise<VariableList> {
    return this.#send('PUT', this.#project(projectId, 'variables'), VariableListSchema, request);
  }

  removeVariable(projectId: string, name: string, environment?: Environment): Promise<VariableList> {
    const url = this.#query(this.#project(projectId, 'variables', name), { environment });
    return this.#send('DELETE', url, VariableListSchema);
  }

  listDomains(projectId: string): Promise<{ projectId: string; domains: Domain[] }> {
    return this.#get(this.#project(projectId, 'domains'), DomainListSchema);
  }

  addDomain(projectId: string, name: string): Promise<Domain> {
    return this.#send('PUT', this.#project(projectId, 'domains', name), DomainSchema);
  }

  removeDomain(projectId: string, name: string): Promise<Pick<Domain, 'projectId' | 'name'>> {
    const removed = DomainSchema.pick({ projectId: true, name: true });
    return this.#send('DELETE', this.#project(projectId, 'domains', name), removed);
  }

  listTokens(): Promise<{ items: TokenView[] }> {
    return this.#get(this.#url('tokens'), TokenListSchema);
  }

  /** The answer is the only place where the token is shown. */
  createToken(request: CreateToken): Promise<z.infer<typeof CreatedTokenSchema>> {
    return this.#post(this.#url('tokens'), CreatedTokenSchema, request);
  }

  async revokeToken(tokenId: string): Promise<void> {
    await this.#send('DELETE', this.#url(`tokens/${encodeURIComponent(tokenId)}`), z.null());
  }

  listMembers(): Promise<{ items: Member[] }> {
    return this.#get(this.#url('members'), MemberListSchema);
  }

  /** Adds a member, or changes the role of one. */
  putMember(name: string, role: Role): Promise<Member> {
    return this.#send('PUT', this.#url(`members/${encodeURIComponent(name)}`), MemberSchema, { role });
  }

  /** The member's tokens are revoked, too. */
  async removeMember(name: string): Promise<void> {
    await this.#send('DELETE', this.#url(`members/${encodeURIComponent(name)}`), z.null());
  }

  /** One page, newest first. `limit` is 1 to 100. */
  listAudit(query: { limit?: number; cursor?: string } = {}): Promise<AuditList> {
    return this.#get(this.#query('audit', query), AuditListSchema);
  }

  getUsage(): Promise<Usage> {
    return this.#get(this.#url('usage'), UsageSchema);
  }

  /** Who has sent this request. Throws `NOT_FOUND` of a platform of an earlier version. */
  getCaller(): Promise<Caller> {
    return this.#get(this.#url('whoami'), CallerSchema);
  }

  /** What would be built, and why. */
  analyze(request: AnalyzeRequest): Promise<Plan> {
    return this.#post(this.#url('analyze'), PlanSchema, request);
  }

  #url(path: string): URL {
    return new URL(path, this.#base);
  }

  #deployment(deploymentId: string, action?: string): URL {
    return this.#url(['deployments', encodeURIComponent(deploymentId), ...(action ? [action] : [])].join('/'));
  }

  #project(projectId: string, ...below: string[]): URL {
    return this.#url(['projects', ...[projectId, ...below].map(encodeURIComponent)].join('/'));
  }

  #query(of: string | URL, query: Readonly<Record<string, string | number | undefined>>): URL {
    const url = typeof of === 'string' ? this.#url(of) : of;
    for (const [name, value] of Object.entries(query))
      if (value !== undefined) url.searchParams.set(name, String(value));
    return url;
  }

  #get<S extends Parameters<typeof callJson>[1]>(url: URL, schema: S) {
    return callJson(url, schema, { headers: this.#headers, repeatable: true });
  }

  #post<S extends Parameters<typeof callJson>[1]>(url: URL, schema: S, body?: unknown) {
    return callJson(url, schema, { method: 'POST', body, headers: this.#headers, repeatable: false });
  }

  /** What has the same effect when it is sent twice. */
  #send<S extends Parameters<typeof callJson>[1]>(
    method: 'PUT' | 'PATCH' | 'DELETE',
    url: URL,
    schema: S,
    body?: unknown,
  ) {
    return callJson(url, schema, { method, body, headers: this.#headers, repeatable: method === 'PUT' });
  }
}
