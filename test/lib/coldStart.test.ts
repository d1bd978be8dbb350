import { FunctionEnvSchemas } from '../../contract/function-env.ts';
import { bundleFunction } from '../../lib/constructs/bundle.ts';

/** Libraries that are loaded when they are first needed: `docs/decisions/cold-start.md`. */
const LATE = /node_modules\/(@aws-sdk|@smithy|kafkajs|ioredis|undici|aws-msk-iam-sasl-signer-js|@hono\/zod-openapi)\//;
/** What every start needs: it reads its environment before anything else, and fails where that is not valid. */
const EARLY = 'contract/function-env.ts';

test.each(Object.keys(FunctionEnvSchemas))('a cold start of %s loads no client and no route', async (name) => {
  const { atStart, inputs } = await bundleFunction(name);
  expect(atStart).toContain(EARLY);
  expect(atStart.filter((path) => LATE.test(path))).toEqual([]);
  expect(atStart.filter((path) => path.startsWith('contract/') && /api|events|record|jobs|plan/.test(path))).toEqual(
    [],
  );
  expect(inputs.some((path) => LATE.test(path))).toBe(true);
});
