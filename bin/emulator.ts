import { parseArgs } from 'node:util';
import { VerenError } from '../contract/errors.ts';
import { startBridge } from '../local/emulator/bridge.ts';
import { startDevBridge } from '../local/emulator/stageDev.ts';
import { untilSignal } from '../local/untilSignal.ts';

const USAGE = `Usage: npm run emulator [-- --data DIR]
Runs the builder tasks of a stage "local" that was deployed to an AWS emulator, and feeds its event-projector from Kafka.
Environment: AWS_ENDPOINT_URL (default http://127.0.0.1:4566), PORT (default 4567: where the deployed functions ask ECS, so
start the emulator with AWS_ENDPOINT_URL_ECS=http://127.0.0.1:4567), --data DIR (default .veren/emulator)
       npm run emulator -- --stage dev
What a stage "dev" on fakecloud needs, at PORT (default 4570): custom resources, Kafka for event-projector, users of Redis`;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { data: { type: 'string' }, stage: { type: 'string' }, help: { type: 'boolean', short: 'h' } },
  });
  if (values.help) return console.log(USAGE);
  process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true';
  const emulator = process.env.AWS_ENDPOINT_URL ?? 'http://127.0.0.1:4566';
  const log = (message: string) => console.log(new Date().toISOString(), message);
  if (values.stage === 'dev') {
    const bridge = await startDevBridge({ emulator, port: Number(process.env.PORT ?? 4570), log });
    console.log(`Bridge of ${emulator} for stage dev`);
    await untilSignal();
    return bridge.close();
  }
  const bridge = await startBridge({
    emulator,
    port: Number(process.env.PORT ?? 4567),
    dataDir: values.data ?? '.veren/emulator',
    hostEnv: process.env,
    log,
  });
  console.log(`Bridge of ${emulator}: ECS at ${bridge.ecsUrl}`);
  await untilSignal();
  await bridge.close();
}

main().then(
  () => process.exit(0),
  (e: unknown) => {
    console.error(e instanceof VerenError ? `${e.code}: ${e.message}` : e);
    process.exit(1);
  },
);
