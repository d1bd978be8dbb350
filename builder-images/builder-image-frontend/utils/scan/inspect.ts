import { countOf } from '../../../../contract/count.ts';
import { VerenError } from '../../../../contract/errors.ts';
import type { OutputFile } from '../walk.ts';
import { type ScanResult, scanFiles } from './scan.ts';

export interface InspectOptions {
  readonly files: readonly OutputFile[];
  /** Kinds and paths that the request allows; see `isAllowed`. */
  readonly allowed: readonly string[];
  readonly say: (text: string) => void;
  readonly signal: AbortSignal;
}

export interface Inspection {
  /** What may be published: these files with these bytes. */
  readonly files: readonly OutputFile[];
  readonly warnings: readonly string[];
}

/** An error and a warning name so many places; the log names `MAX_SAID`. */
const MAX_NAMED = 5;
const MAX_SAID = 100;

interface Place {
  readonly path: string;
  readonly line: number;
  readonly kind: ScanResult['finds'][number]['find']['kind'];
}

/**
 * Scans an output before anything of it leaves the builder. Throws `VerenError('SECRETS_IN_OUTPUT')`; what is less certain
 * is a warning. Says where and what kind, never the secret.
 */
export async function inspectOutput({ files, allowed, say, signal }: InspectOptions): Promise<Inspection> {
  const result = await scanFiles(files, signal);
  const { seconds, bytes } = result;
  const perThousand = files.length === 0 ? 0 : (seconds / files.length) * 1_000;
  say(
    `Scanned ${countOf(files.length, 'file')} (${countOf(bytes, 'byte')}) for secrets in ${seconds.toFixed(2)} s, ${perThousand.toFixed(2)} s per 1,000 files`,
  );
  const places = result.finds.map(({ path, find }) => ({ path, line: find.line, kind: find.kind }));
  const [known, unknown] = split(places, (place) => isAllowed(place, allowed));
  const [failing, warning] = split(unknown, ({ kind }) => kind.effect === 'fails');
  for (const place of known.slice(0, MAX_SAID)) say(`Allowed by "allowSecrets": ${named(place)}`);
  for (const place of [...failing, ...warning].slice(0, MAX_SAID))
    say(`${place.kind.effect === 'fails' ? 'Secret' : 'Perhaps a secret'}: ${named(place)}, ${place.kind.what}`);
  if (failing.length > 0) throw new VerenError('SECRETS_IN_OUTPUT', { found: list(failing.map(named)) });
  const warnings: string[] = [];
  if (warning.length > 0)
    warnings.push(
      `The output holds what may be secrets: ${list(warning.map(named))}. Whoever visits the site can read them.`,
    );
  if (result.unread.length > 0) {
    const text = `Not searched for secrets to their end (compressed, and too large or damaged): ${list(result.unread.map(shortened))}`;
    say(text);
    warnings.push(text);
  }
  return { files: result.files, warnings };
}

/** `aws-access-key` allows a kind, `docs/keys.html` a file, `docs/` everything in a folder. */
function isAllowed({ path, kind }: Place, allowed: readonly string[]): boolean {
  return allowed.some((entry) => {
    const wanted = entry.replace(/^(?:\.?\/)+/, '');
    return wanted === kind.id || wanted === path || (wanted.endsWith('/') && path.startsWith(wanted));
  });
}

const named = ({ path, line, kind }: Place) => `${kind.id} in ${shortened(path)} (line ${line})`;
const shortened = (path: string) => (path.length > 120 ? `…${path.slice(-119)}` : path);

export function list(names: readonly string[], most = MAX_NAMED): string {
  const unique = [...new Set(names)];
  const rest = unique.length - most;
  return unique.slice(0, most).join(', ') + (rest > 0 ? ` and ${rest} more` : '');
}

function split<T>(items: readonly T[], first: (item: T) => boolean): [T[], T[]] {
  const [yes, no]: [T[], T[]] = [[], []];
  for (const item of items) (first(item) ? yes : no).push(item);
  return [yes, no];
}
