import type { CommitReport } from '../../../contract/gitHosts.ts';

/** A call of a host's API: what differs between hosts, as data. */
export interface HostCall {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH';
  /** Below the API's beginning. */
  readonly path: string;
  readonly body?: object;
}

/** What a host has answered, read within limits. */
export interface HostAnswer {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** Undefined where the body is no JSON. */
  readonly body: unknown;
}

export interface HostComment {
  readonly id: string;
  readonly text: string;
}

/** One git host's API as far as reports need it. Each is pure: from data to calls, and from answers to data. */
export interface HostAdapter {
  /** Beginning of the public host's API; absent where there is no public one. */
  readonly publicApi?: string;
  readonly authorize: (token: string) => Readonly<Record<string, string>>;
  readonly statusCall: (repository: string, report: CommitReport) => HostCall;
  /** True where a refused status says what the host has already. */
  readonly isKnownStatus?: (answer: HostAnswer) => boolean;
  /** One page (from 1) of a pull request's comments, oldest first, at most 100. */
  readonly listCall: (repository: string, number: number, page: number) => HostCall;
  readonly readComments: (body: unknown) => readonly HostComment[];
  readonly createCall: (repository: string, number: number, text: string) => HostCall;
  readonly updateCall: (repository: string, number: number, id: string, text: string) => HostCall;
  /** Id of a comment that was just made; undefined where the answer has none. */
  readonly readCommentId: (body: unknown) => string | undefined;
  /** A line that the host stores and does not show. */
  readonly hideMarker: (marker: string) => string;
}

/** `group/sub/name` as one segment of a path. */
export const wholeSegment = (repository: string): string => encodeURIComponent(repository);

/** `owner/name` as two segments, none of which can lead elsewhere. */
export function twoSegments(repository: string): string {
  const [owner = '', name = '', ...more] = repository.split('/');
  if (more.length > 0 || [owner, name].some((part) => part === '' || part === '.' || part === '..'))
    throw new Error('the repository has no name of the form owner/name');
  return `${encodeURIComponent(owner)}/${encodeURIComponent(name)}`;
}

/** Cut to what a host takes, by whole characters. */
export const cutText = (text: string, max: number): string => {
  const characters = [...text];
  return characters.length <= max ? text : `${characters.slice(0, max - 1).join('')}…`;
};

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null;

/** The number or text in `id`, as text that is safe in a path. */
export function readId(value: unknown): string | undefined {
  const id = isObject(value) ? value.id : undefined;
  const text = typeof id === 'number' || typeof id === 'string' ? String(id) : '';
  return /^\d{1,20}$/.test(text) ? text : undefined;
}

/** The comments of a list, in its order; what is none is left out. */
export function readCommentList(list: unknown, textOf: (comment: Readonly<Record<string, unknown>>) => unknown) {
  if (!Array.isArray(list)) return [];
  return list.flatMap((comment: unknown): HostComment[] => {
    const id = readId(comment);
    const text = isObject(comment) ? textOf(comment) : undefined;
    return id !== undefined && typeof text === 'string' ? [{ id, text }] : [];
  });
}
