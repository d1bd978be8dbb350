import type { z } from 'zod';
import { ProblemSchema } from '../../contract/api.ts';
import { type Outcome, repeatWork } from '../../lambdas/shared/async.ts';
import { networkReason, ProblemError, UnreachableError } from './errors.ts';

export interface Call {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal | undefined;
}

/** Pauses before the second and third try, in milliseconds. */
const PAUSES = [200, 1_000];
/** A page of deployments has up to 2.5 MB of records, and a page of a log up to 6 MB: what is longer is no answer of ours. */
export const MAX_ANSWER_BYTES = 16 * 1024 * 1024;
/** An analysis fetches a repository before it answers. Milliseconds until the whole answer has to be there. */
const ANSWER_MS = 120_000;

/**
 * The body of a 2xx answer, checked against `schema`. Throws `ProblemError` for a problem and `UnreachableError` where no
 * usable answer came. `repeatable`: sent again where the connection failed or the answer was 503.
 */
export async function callJson<S extends z.ZodType>(
  url: URL,
  schema: S,
  call: Call & { readonly repeatable: boolean },
): Promise<z.infer<S>> {
  const { response, text } = await sendRepeatable(url, call, call.repeatable ? PAUSES : []);
  if (!response.ok) throw errorOfAnswer(url, response.status, text);
  const answer = schema.safeParse(response.status === 204 ? null : parseJson(text));
  if (!answer.success)
    throw new UnreachableError(url, 'the answer has an unknown form; is it a Veren of this version?', {
      cause: answer.error,
    });
  return answer.data;
}

/** An answer with its body; sent again after each pause where the connection failed or the answer was 503. */
export async function sendRepeatable(
  url: URL,
  call: Call,
  pauses: readonly number[] = PAUSES,
): Promise<{ response: Response; text: string }> {
  const send = async () => {
    const late = AbortSignal.timeout(ANSWER_MS);
    const response = await sendRequest(url, {
      ...call,
      signal: call.signal ? AbortSignal.any([call.signal, late]) : late,
    });
    return { response, text: await readAnswer(url, response) };
  };
  const passes = (outcome: Outcome<{ response: Response }>) =>
    !call.signal?.aborted && ('error' in outcome ? mayPass(outcome.error) : outcome.value.response.status === 503);
  try {
    return await repeatWork(pauses, send, passes, call.signal);
  } catch (error) {
    call.signal?.throwIfAborted();
    if (error instanceof UnreachableError) throw error;
    throw new UnreachableError(url, networkReason(error), { cause: error });
  }
}

/** What is too long, or took too long, is so the next time, too. */
const mayPass = (error: unknown) =>
  !(error instanceof UnreachableError) && (error as { readonly name?: unknown } | null)?.name !== 'TimeoutError';

/** The body as text. Throws `UnreachableError` for one that is too long, of which no more is read. */
export async function readAnswer(url: URL, response: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > MAX_ANSWER_BYTES)
      throw new UnreachableError(url, `its answer is longer than ${MAX_ANSWER_BYTES / 1024 / 1024} MiB`);
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}

/** One request. A redirect is not followed: `fetch` would drop the token on the way to another origin. */
export function sendRequest(url: URL, { method = 'GET', body, headers, signal }: Call): Promise<Response> {
  return fetch(url, {
    method,
    redirect: 'manual',
    headers: { ...headers, ...(body !== undefined && { 'Content-Type': 'application/json' }) },
    ...(body !== undefined && { body: JSON.stringify(body) }),
    ...(signal && { signal }),
  });
}

/** The error for an answer that is no success. */
export function errorOfAnswer(url: URL, status: number, text: string): ProblemError | UnreachableError {
  const problem = ProblemSchema.safeParse(parseJson(text));
  return problem.success
    ? new ProblemError(problem.data)
    : new UnreachableError(url, `it answered with HTTP ${status}`);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
