import type { z } from 'zod';
import { FunctionEnvSchemas, type FunctionName } from '../../contract/function-env.ts';
import { readEnv } from '../../lambdas/shared/env.ts';

const NAMES = Object.keys(FunctionEnvSchemas) as FunctionName[];

/** A valid environment; nothing in it is reached before the first invoke. */
function sample(name: FunctionName): Record<string, string> {
  const fixed: Record<string, string> = {
    AWS_REGION: 'ap-south-1',
    REDIS_URL: 'redis://127.0.0.1:1',
    KAFKA_SECURITY: 'plaintext',
    GIT_HOSTS: 'public',
    BUILDER_SPOT: 'false',
    SITES_BY_PATH: 'false',
    WEBSOCKET_CALLBACK_URL: 'https://127.0.0.1',
  };
  const value = (key: string) => fixed[key] ?? (/TIMEOUT|LIMIT/.test(key) ? '60' : 'x');
  const needed = Object.entries(FunctionEnvSchemas[name].shape).filter(([, s]) => !(s as z.ZodType).isOptional());
  return Object.fromEntries(['AWS_REGION', ...needed.map(([key]) => key)].map((k) => [k, value(k)]));
}

const before = { ...process.env };
afterEach(() => {
  process.env = { ...before };
});

test.each(NAMES)('%s loads with its environment and opens nothing', (name) => {
  process.env = { ...before, ...sample(name) };
  // Lambda's runtime gives this to functions that stream.
  Object.assign(globalThis, { awslambda: { streamifyResponse: (f: unknown) => f } });
  jest.isolateModules(() => {
    expect(require(`../../lambdas/${name}/${name}.lambda.ts`).handler).toBeInstanceOf(Function);
  });
});

test.each(NAMES)('%s says at once everything that is wrong with its environment, and no value', (name) => {
  const required = Object.entries(FunctionEnvSchemas[name].shape)
    .filter(([, schema]) => !(schema as z.ZodType).isOptional())
    .map(([key]) => key);
  const message = (env: Record<string, string>) => {
    try {
      readEnv(name, env);
    } catch (e) {
      return (e as Error).message;
    }
    return '';
  };
  for (const key of [...required, 'AWS_REGION']) expect(message({})).toContain(`${key} is missing`);
  const wrong = message({ ...sample(name), AWS_REGION: '', GIT_HOSTS: 's3cret', LIMIT_GLOBAL: 's3cret' });
  expect(wrong).toContain('AWS_REGION');
  expect(wrong).not.toContain('s3cret');
});
