import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App } from 'aws-cdk-lib';
import { packForAws } from '../dashboard/packForAws.ts';
import { longestSessionPolicy } from '../lambdas/build-worker/services/longestSessionPolicy.ts';
import { redisRules } from '../lambdas/shared/redisUsers.ts';
import { buildApp } from '../lib/app.ts';
import { ConfigError, loadConfig } from '../lib/config.ts';
import { type BilledResource, formatBill, idleBill, UnknownPriceError } from '../lib/cost/idleBill.ts';

const USAGE = 'Usage: npm run cost -- <stage> [--at-most DOLLARS]';

/**
 * `npm run cost -- <stage>`: what the stage costs a month while nothing is deployed, from its templates, which are made
 * here without network and credentials. Exits with 1 where it is more than `--at-most`.
 */
async function main(): Promise<number> {
  const [stage, flag, limit] = process.argv.slice(2);
  if (
    stage === undefined ||
    stage === '--help' ||
    (flag !== undefined && !(flag === '--at-most' && Number(limit) > 0))
  ) {
    console.error(USAGE);
    return 2;
  }
  const { context } = JSON.parse(readFileSync(new URL('../cdk.json', import.meta.url), 'utf8'));
  const outdir = mkdtempSync(join(tmpdir(), 'veren-cost-'));
  try {
    const app = new App({ outdir, context: { ...context, 'aws:cdk:bundling-stacks': [] } });
    buildApp(app, loadConfig(stage, context.stages), {
      ...{ redisRules: redisRules(), longestSessionPolicy },
      dashboard: await packForAws(),
    });
    const bill = idleBill(app.synth().stacks.flatMap(({ template }) => resourcesOf(template)));
    console.log(formatBill(stage, bill));
    if (limit === undefined || bill.total <= Number(limit)) return 0;
    console.error(`That is more than the ${limit} dollars that this stage may cost.`);
    return 1;
  } catch (e) {
    if (!(e instanceof ConfigError) && !(e instanceof UnknownPriceError)) throw e;
    console.error(e.message);
    return 1;
  } finally {
    rmSync(outdir, { recursive: true, force: true });
  }
}

const resourcesOf = (template: {
  Resources: Record<string, { Type: string; Properties?: BilledResource['properties'] }>;
}): BilledResource[] =>
  Object.entries(template.Resources).map(([id, { Type, Properties = {} }]) => ({
    id,
    type: Type,
    properties: Properties,
  }));

process.exitCode = await main();
