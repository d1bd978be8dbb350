import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { ProblemError, UnreachableError } from '../cli/client/errors.ts';
import { VerenError } from '../contract/errors.ts';
import { DEFAULT_DATA_DIR, DEMO_DATA_DIR, requireUnlocked } from '../local/dataDirs.ts';
import { portOf } from '../local/port.ts';

const USAGE = `Usage:
  npm run demo [-- --once] [-- <git-url or folder>]   deploy an example, or what is given, and show it
  npm start [-- --data DIR]                           keep the platform running
Environment: PORT (default 3000), VEREN_TOKEN (default: made at first start), --data DIR (default .veren)`;

const readArguments = () =>
  parseArgs({
    args: process.argv.slice(2),
    allowPositionals: true,
    options: { once: { type: 'boolean' }, data: { type: 'string' }, help: { type: 'boolean', short: 'h' } },
  });

async function main(): Promise<number> {
  let given: ReturnType<typeof readArguments>;
  try {
    given = readArguments();
  } catch (e) {
    console.error(`${(e as Error).message}\n\n${USAGE}`);
    return 2;
  }
  const { positionals, values } = given;
  const [command, ...rest] = positionals;
  // The SDK's advice to upgrade Node is for the maintainers, who pin it in package-lock.json, not for users of the
  // demo.
  process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true';
  const env = { ...process.env };
  if (values.help) {
    console.log(USAGE);
    return 0;
  }
  // Each of them loads the whole platform, for which a person need not wait to be told of a mistake.
  if (command === 'start' && rest.length === 0) {
    const [dataDir, port] = [values.data ?? DEFAULT_DATA_DIR, portOf(env, 3_000)];
    await requireUnlocked(dataDir);
    console.log(`Starting with the data folder ${resolve(dataDir)} …`);
    const { runStart } = await import('../local/start.ts');
    return runStart({ env, dataDir, port });
  }
  if (command === 'demo' && rest.length <= 1) {
    const [dataDir, port] = [values.data ?? DEMO_DATA_DIR, portOf(env, 0)];
    await requireUnlocked(dataDir);
    const { runDemo } = await import('../local/demo.ts');
    return runDemo({ env, dataDir, port, once: values.once ?? false, source: rest[0] });
  }
  console.error(USAGE);
  return 2;
}

function formatFault(e: unknown): unknown {
  if (e instanceof VerenError) return `${e.code}: ${e.message}`;
  return e instanceof ProblemError || e instanceof UnreachableError ? e.message : e;
}

// A closed pipe (`npm run demo | head`) or terminal ends the platform as Ctrl-C does.
let unread = false;
for (const stream of [process.stdout, process.stderr])
  stream.on('error', (e: NodeJS.ErrnoException) => {
    if (e.code !== 'EPIPE' && e.code !== 'EIO') throw e;
    if (!unread) process.kill(process.pid, e.code === 'EIO' ? 'SIGHUP' : 'SIGINT');
    unread = true;
  });

main().then(
  (code) => process.exit(code),
  (e: unknown) => {
    // Errors of the table are shown as sentences, since the user can cure them; any other is a fault of ours and needs
    // its stack.
    console.error(formatFault(e));
    process.exit(1);
  },
);
