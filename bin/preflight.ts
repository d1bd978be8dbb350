import { readFileSync } from 'node:fs';
import { ConfigError, loadConfig } from '../lib/config.ts';
import { findProblems, formatFinding } from '../lib/preflight/checks.ts';
import { readFacts } from '../lib/preflight/facts.ts';

/**
 * `npm run preflight -- <stage>`: looks at the account before a deployment, by read-only calls. Exits with 1 where something
 * would make the deployment fail.
 */
const context = JSON.parse(readFileSync(new URL('../cdk.json', import.meta.url), 'utf8')).context;
try {
  const config = loadConfig(process.argv[2] ?? context.stage, context.stages);
  const facts = await readFacts(config, context['@aws-cdk/core:bootstrapQualifier'] ?? 'hnb659fds');
  const found = findProblems(config, facts);
  for (const finding of found) console.log(formatFinding(finding));
  const stops = found.filter((f) => f.level === 'stops').length;
  console.log(
    `${config.stage} into ${facts.account}/${config.region}: ${stops ? `${stops} to solve first` : 'nothing stands in the way'}`,
  );
  process.exitCode = stops ? 1 : 0;
} catch (e) {
  // Refusals of AWS (no credentials, no right to read) are shown as a sentence; our own faults keep their stack trace.
  const refused = e instanceof Error && ('$metadata' in e || e.name === 'CredentialsProviderError');
  if (!(e instanceof ConfigError) && !refused) throw e;
  console.error(refused ? `${e.name}: ${e.message}` : (e as Error).message);
  process.exitCode = 1;
}
