import { spawn } from 'node:child_process';
import { cp, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { MiniStack } from '../support/ministack.ts';
import { ROOT } from '../support/veren.ts';

/** What `cdk` needs of the repository. */
const SOURCES = [
  'bin',
  'lib',
  'lambdas',
  'contract',
  'builder-images',
  'dashboard',
  'cdk.json',
  'package.json',
  'tsconfig.json',
];

export interface Ran {
  readonly code: number;
  /** Both streams as they came. */
  readonly output: string;
}

/** A copy of the repository, which a test may change, and `cdklocal` in it. */
export class Checkout {
  readonly #dir: string;
  readonly #emulator: MiniStack;

  private constructor(dir: string, emulator: MiniStack) {
    this.#dir = dir;
    this.#emulator = emulator;
  }

  /** @param addresses usual address in cdk.json → the one to take its place */
  static async make(dir: string, emulator: MiniStack, addresses: Readonly<Record<string, string>>): Promise<Checkout> {
    await mkdir(join(dir, 'tmp'), { recursive: true });
    for (const source of SOURCES) await cp(join(ROOT, source), join(dir, source), { recursive: true });
    await symlink(join(ROOT, 'node_modules'), join(dir, 'node_modules'));
    const checkout = new Checkout(dir, emulator);
    for (const [usual, here] of Object.entries(addresses))
      await checkout.edit('cdk.json', (text) => text.replaceAll(usual, here));
    return checkout;
  }

  /** Changes a file. */
  async edit(path: string, change: (text: string) => string): Promise<void> {
    const file = join(this.#dir, path);
    const before = await readFile(file, 'utf8');
    const after = change(before);
    if (before === after) throw new Error(`${path} is as it was`);
    await writeFile(file, after);
  }

  /** `npx cdklocal …` for stage `local`. */
  async cdklocal(...args: string[]): Promise<Ran> {
    const { url, region } = this.#emulator;
    const names = { AWS_REGION: region, AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test' };
    const child = spawn(join(this.#dir, 'node_modules/.bin/cdklocal'), [...args, '-c', 'stage=local'], {
      cwd: this.#dir,
      env: {
        PATH: process.env.PATH,
        HOME: this.#dir,
        TMPDIR: join(this.#dir, 'tmp'),
        CI: 'true',
        // Its sender is a process of its own, which outlives the command where there is no internet.
        CDK_DISABLE_CLI_TELEMETRY: 'true',
        AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
        AWS_ENDPOINT_URL: url,
        AWS_ENDPOINT_URL_S3: url,
        ...names,
        AWS_ENVAR_ALLOWLIST: Object.keys(names).join(','),
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk) => {
        output += chunk;
      });
    const code = await new Promise<number>((resolve) => child.once('close', (code) => resolve(code ?? -1)));
    return { code, output };
  }

  /** Deploys every stack; gives the outputs of the pipeline's. */
  async deploy(): Promise<Ran & { readonly outputs: Record<string, string> }> {
    const file = join(this.#dir, 'outputs.json');
    const ran = await this.cdklocal('deploy', '--all', '--require-approval', 'never', '--outputs-file', file);
    if (ran.code !== 0) throw new Error(`cdklocal deploy ended with ${ran.code}:\n${ran.output}`);
    return { ...ran, outputs: JSON.parse(await readFile(file, 'utf8'))['veren-local-pipeline'] };
  }
}
