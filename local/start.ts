import type { CreateDeployment } from '../contract/api.ts';
import { closeInTime } from './closeInTime.ts';
import { EXAMPLE } from './example.ts';
import { ownerLimitsOf } from './ownerLimits.ts';
import type { HostEnv } from './platform/images.ts';
import { startPlatform } from './platform/platform.ts';
import { textLog } from './platform/textLog.ts';
import { untilSignal } from './untilSignal.ts';

export interface StartOptions {
  readonly env: HostEnv;
  readonly dataDir: string;
  readonly port: number;
}

/** As the API takes it. */
const { path, ...example } = EXAMPLE;
const EXAMPLE_REQUEST: CreateDeployment = { ...example, frontend: { path }, backend: false };

/** `npm start`: keeps the platform running until a signal. Gives the exit code. */
export async function runStart({ env, dataDir, port }: StartOptions): Promise<number> {
  const platform = await startPlatform({
    dataDir,
    port,
    ...(env.VEREN_TOKEN && { token: env.VEREN_TOKEN }),
    hostEnv: env,
    ownerLimits: ownerLimitsOf(env),
    log: textLog(),
  });
  const token = platform.tokenFile ? `$(cat '${platform.tokenFile}')` : '$VEREN_TOKEN';
  // Before anything is printed: whoever reads it may ask for the end at once.
  const asked = untilSignal();
  console.log(`Veren runs at ${platform.url} (API page: ${platform.url}/docs)
Dashboard, signed in by a code that is good once: ${platform.dashboardUrl}
Token: ${platform.tokenFile ? `in ${platform.tokenFile}` : 'as given in VEREN_TOKEN'}
Deploy something:
  curl -sS ${platform.url}/deployments -H "Authorization: Bearer ${token}" -H 'Content-Type: application/json' \\
    -d '${JSON.stringify(EXAMPLE_REQUEST)}'
Ctrl-C stops it; what is queued goes on at the next start.`);
  if (platform.warning) console.log(platform.warning);
  await asked;
  console.log('Stopping …');
  await closeInTime(platform);
  return 0;
}
