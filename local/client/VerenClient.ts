import { randomUUID } from 'node:crypto';
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
import type { LogLine } from '../../contract/events.ts';
import { type Plan, PlanSchema } from '../../contract/plan.ts';
import { type FollowEventsOptions, type FollowedEvents, followEvents } from './followEvents.ts';
import { callJson } from './http.ts';
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
    this.#headers = { Authorization: `Bearer ${token}` };
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

  getDeployment(deploymentId: string): Promise<DeploymentView> {
    return this.#get(this.#deployment(deploymentId), DeploymentViewSchema);
  }

  /** One page, newest first; its `cursor` asks for the next. `limit` is 1 to 100. */
  listDeployments(query: { projectId?: string; limit?: number; cursor?: string } = {}): Promise<DeploymentList> {
    const url = this.#url('deployments');
    for (const [name, value] of Object.entries(query))
      if (value !== undefined) url.searchParams.set(name, String(value));
    return this.#get(url, DeploymentListSchema);
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
  redeploy(deploymentId: string): Promise<Accepted> {
    return this.#post(this.#deployment(deploymentId, 'redeploy'), AcceptedSchema);
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

  #get<S extends Parameters<typeof callJson>[1]>(url: URL, schema: S) {
    return callJson(url, schema, { headers: this.#headers, repeatable: true });
  }

  #post<S extends Parameters<typeof callJson>[1]>(url: URL, schema: S, body?: unknown) {
    return callJson(url, schema, { method: 'POST', body, headers: this.#headers, repeatable: false });
  }
}
