import type { Problem } from '../../contract/api.ts';
import { CLIENT_HEADER, type Client } from '../../contract/clients.ts';
import { currentToken, endSession } from '../session/token.ts';
import { apiUrl } from './places.ts';

/** What a call was answered with instead of a result. `message` says what happened and what to do. */
export class ApiError extends Error {
  /** Of the error table; `UNREACHABLE` where there was no answer. */
  readonly code: string;
  /** 0 where there was no answer. */
  readonly status: number;
  /** Every fault of what was sent: the field's path, and what is wrong with it. */
  readonly faults: readonly { readonly field: string; readonly message: string }[];
  /** Under which the platform's log has it. */
  readonly instance: string | undefined;

  constructor(problem: Pick<Problem, 'code' | 'detail' | 'status'> & Partial<Problem>) {
    super(problem.detail || problem.title || problem.code);
    this.name = 'ApiError';
    this.code = problem.code;
    this.status = problem.status;
    this.faults = problem.errors ?? [];
    this.instance = problem.instance;
  }
}

export interface CallOptions {
  readonly query?: Readonly<Record<string, string | number | undefined>>;
  /** Sent as JSON. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

/** The slowest reads ask other services and take seconds. */
const READ_TIMEOUT_MS = 30_000;

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/**
 * Calls the API and gives its answer, in the form that `contract/` has for it: both come from the same release, so the
 * form is not checked again here. Null for an answer without a body.
 * @throws ApiError
 */
export async function callApi<T>(method: Method, path: string, options: CallOptions = {}): Promise<T> {
  // What only reads is asked for again by whoever shows it, so an answer that does not come is not waited for.
  const signals = [options.signal, method === 'GET' && AbortSignal.timeout(READ_TIMEOUT_MS)].filter((s) => !!s);
  const response = await requestApi(method, path, { ...options, signal: AbortSignal.any(signals) });
  if (response.status === 204) return null as T;
  return (await response.json().catch((cause: unknown) => {
    throw unreachable('the answer is no JSON', cause);
  })) as T;
}

/** The answer as it comes, for bodies that are no JSON. @throws ApiError for every status but 2xx */
export async function requestApi(
  method: Method,
  path: string,
  { query = {}, body, headers, signal }: CallOptions = {},
  toUrl: (path: string) => string = apiUrl,
): Promise<Response> {
  const url = new URL(toUrl(path), location.href);
  for (const [name, value] of Object.entries(query)) if (value !== undefined) url.searchParams.set(name, String(value));
  const token = currentToken();
  const response = await fetch(url, {
    method,
    headers: {
      ...(token !== null && { Authorization: `Bearer ${token}` }),
      ...(method !== 'GET' && { [CLIENT_HEADER]: 'dashboard' satisfies Client }),
      ...(body !== undefined && { 'Content-Type': 'application/json' }),
      ...headers,
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
    ...(signal && { signal }),
    // There are no cookies, and what is private is not to be kept by the browser.
    credentials: 'omit',
    cache: 'no-store',
  }).catch((cause: unknown) => {
    if (signal?.aborted && !isTimeout(signal.reason)) throw cause;
    throw unreachable(signal?.aborted ? 'it has not answered in time' : 'nothing answers there', cause);
  });
  if (response.ok) return response;
  const error = await problemOf(response);
  if (error.status === 401 && token !== null && token === currentToken()) endSession('refused');
  throw error;
}

/** The path of something below a name of the user's, e.g. `pathOf('projects', id, 'pin')`. */
export const pathOf = (...parts: string[]): string => `/${parts.map(encodeURIComponent).join('/')}`;

async function problemOf(response: Response): Promise<ApiError> {
  const problem = (await response.json().catch(() => null)) as Partial<Problem> | null;
  if (problem && typeof problem.code === 'string' && typeof problem.detail === 'string')
    return new ApiError({ ...problem, code: problem.code, detail: problem.detail, status: response.status });
  return new ApiError({
    code: 'UNEXPECTED_ANSWER',
    status: response.status,
    detail: `The platform answered with status ${response.status} and no explanation. Try again; if it stays so, its log says more.`,
  });
}

function unreachable(reason: string, cause: unknown): ApiError {
  const detail = `The platform could not be reached: ${reason}. Check that it runs and that you are online; this page tries again by itself where it follows something.`;
  return Object.assign(new ApiError({ code: 'UNREACHABLE', status: 0, detail }), { cause });
}

const isTimeout = (reason: unknown) => reason instanceof DOMException && reason.name === 'TimeoutError';

/** What to show of anything that was thrown. */
export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
