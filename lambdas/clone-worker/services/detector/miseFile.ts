import { MAX_TOML, parseToml } from './tomlText.ts';

/** Where mise looks in a folder, the first one first. Source: mise's documentation, "Configuration". */
export const MISE_FILES = [
  'mise.toml',
  '.mise.toml',
  'mise/config.toml',
  '.mise/config.toml',
  '.config/mise.toml',
  '.config/mise/config.toml',
];
/** Names of Node in `[tools]`. Source: mise's documentation, "Node.js" and "Core tools". */
const NODE_NAMES = ['node', 'nodejs', 'core:node', 'core:nodejs'];

export type MiseNode =
  | { readonly kind: 'version'; readonly version: string }
  /** The file says nothing of Node. */
  | { readonly kind: 'none' }
  | { readonly kind: 'unreadable'; readonly reason: string };

/**
 * The first version of Node in a configuration of mise: a text, a list of them, or a table with `version`. Never throws.
 * Text: the whole file.
 */
export function readMiseNode(text: string): MiseNode {
  if (!text.includes('node')) return { kind: 'none' };
  if (text.length > MAX_TOML) return { kind: 'unreadable', reason: `it has more than ${MAX_TOML} characters` };
  let tools: unknown;
  try {
    ({ tools } = parseToml(text));
  } catch (error) {
    const [reason = ''] = (error instanceof Error ? error.message : '').split('\n');
    return { kind: 'unreadable', reason: reason.slice(0, 120).replace(/[^\x20-\x7e]/g, '?') };
  }
  if (typeof tools !== 'object' || tools === null) return { kind: 'none' };
  for (const name of NODE_NAMES) {
    const version = Object.hasOwn(tools, name) ? versionOf((tools as Record<string, unknown>)[name]) : undefined;
    if (version !== undefined) return { kind: 'version', version };
  }
  return { kind: 'none' };
}

function versionOf(value: unknown): string | undefined {
  const first: unknown = Array.isArray(value) ? value[0] : value;
  const stated =
    typeof first === 'object' && first !== null && Object.hasOwn(first, 'version')
      ? (first as { version: unknown }).version
      : first;
  return typeof stated === 'string' || typeof stated === 'number' || typeof stated === 'bigint'
    ? String(stated).replace(/^prefix:/, '')
    : undefined;
}
