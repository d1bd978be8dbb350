import { VerenError } from '../../contract/errors.ts';

interface Tool {
  readonly name: string;
  /** The package manager's message when the lockfile does not fit package.json. */
  readonly says: RegExp;
  /** The lines that name what does not fit. */
  readonly details: RegExp;
  /** The command that updates the lockfile. */
  readonly command: string;
}

/** How package managers refuse to install from a lockfile that does not fit package.json. Sources: their own messages. */
const TOOLS: readonly Tool[] = [
  {
    name: 'npm',
    says: /can only install packages when your package\.json and (?:package-lock\.json|npm-shrinkwrap\.json).* are in sync/,
    details: /^npm (?:error|ERR!) ((?:Missing|Invalid): .+)$/,
    command: 'npm install',
  },
  {
    name: 'pnpm',
    says: /ERR_PNPM_(?:OUTDATED_LOCKFILE|LOCKFILE_CONFIG_MISMATCH|FROZEN_LOCKFILE_WITH_OUTDATED_LOCKFILE)/,
    details: /^\s*(?:\* (.+)|(specifiers in the lockfile \(.*)|\[?ERR_PNPM_LOCKFILE_CONFIG_MISMATCH\]?\s+(.+))$/,
    command: 'pnpm install',
  },
  {
    name: 'Yarn',
    says: /Your lockfile needs to be updated, but yarn was run with|YN0028: .*The lockfile would have been (?:modified|created) by this install/,
    details: /^➤ YN0028: │ [-+]"([^"]+)":$/,
    command: 'yarn install',
  },
  {
    name: 'bun',
    says: /lockfile had changes, but lockfile is frozen/,
    details: /^note: (dependencies in package\.json changed.*)$/,
    command: 'bun install',
  },
];
const NAMED = 3;
const MAX_DETAIL = 200;

/**
 * The error of an installation whose lockfile is out of step with the manifest; null where its output has no such
 * message.
 */
export function lockfileFault(lines: readonly string[]): VerenError | null {
  const plain = lines.map((line) => line.replace(/\u001b\[[0-9;:]*m/g, ''));
  const tool = TOOLS.find(({ says }) => plain.some((line) => says.test(line)));
  if (tool === undefined) return null;
  const details = plain.flatMap((line) => {
    const found = tool.details.exec(line);
    const detail = found?.slice(1).find(Boolean)?.trim();
    return detail ? [detail.slice(0, MAX_DETAIL)] : [];
  });
  const named = details.slice(0, NAMED).join('; ');
  const more = details.length > NAMED ? `; and ${details.length - NAMED} more` : '';
  const reason = named === '' ? `${tool.name} refuses to install from it` : named + more;
  return new VerenError('LOCKFILE_OUT_OF_STEP', { reason, command: tool.command });
}
