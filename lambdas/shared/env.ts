import type { z } from 'zod';

/**
 * Parses a function's environment, once per process, at its entry. Names and what is wrong with them are told, all at
 * once; values never are, since some are secret.
 * @throws Error
 */
export function readEnv<S extends z.ZodType>(
  schema: S,
  env: Readonly<Record<string, string | undefined>> = process.env,
): z.output<S> {
  const parsed = schema.safeParse(env);
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.map((issue) => {
    const name = String(issue.path[0] ?? 'environment');
    return env[name] === undefined ? `${name} is missing` : `${name}: ${issue.message}`;
  });
  throw new Error(`The function's environment is not valid: ${[...new Set(faults)].join('; ')}`);
}
