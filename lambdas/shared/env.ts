import { z } from 'zod';
import { type FunctionEnv, FunctionEnvSchemas, type FunctionName } from '../../contract/function-env.ts';

/** Variables that Lambda itself sets for every function. */
const RuntimeEnvSchema = z.object({ AWS_REGION: z.string().min(1) });
export type RuntimeEnv = z.output<typeof RuntimeEnvSchema>;

type Env = Readonly<Record<string, string | undefined>>;

/**
 * Parses a function's environment, once per process, at its entry. The error names every wrong variable and its fault,
 * but never a value, since some values lead to secrets.
 * @throws Error
 */
export function readEnv<N extends FunctionName>(name: N, env: Env = process.env): FunctionEnv<N> & RuntimeEnv {
  const parsed = z.intersection(FunctionEnvSchemas[name], RuntimeEnvSchema).safeParse(env);
  if (parsed.success) return parsed.data as FunctionEnv<N> & RuntimeEnv;
  const faults = parsed.error.issues.map((issue) => {
    const variable = String(issue.path[0] ?? 'environment');
    return env[variable] === undefined ? `${variable} is missing` : `${variable}: ${issue.message}`;
  });
  throw new Error(`The environment of ${name} is not valid: ${[...new Set(faults)].join('; ')}`);
}
