import { createHash } from 'node:crypto';

/** Of the operator's environment: how registries are reached. The user's own variables come after and win. */
const PASSED_ON = [
  'HTTP_PROXY',
  'HTTPS_PROXY',
  'NO_PROXY',
  'http_proxy',
  'https_proxy',
  'no_proxy',
  'npm_config_registry',
  'TZ',
] as const;

const quote = (value: string) => `'${value.replaceAll("'", `'\\''`)}'`;

export interface Variables {
  /** A shell script that exports all of them. Mounted for the build's steps, never copied into an image. */
  readonly script: string;
  /** Changes when one of the user's does: what was built with the old ones is then built again. */
  readonly fingerprint: string;
}

export function buildVariables(
  raw: Readonly<Record<string, string>>,
  job: {
    readonly BUILD_ENV: Readonly<Record<string, string>>;
    readonly DEPLOYMENTID: string;
    readonly PROJECT_ID: string;
    readonly GIT_COMMIT: string;
  },
): Variables {
  const passed = PASSED_ON.flatMap((name) => (raw[name] === undefined ? [] : [[name, raw[name]] as const]));
  const own = Object.entries(job.BUILD_ENV).sort(([a], [b]) => (a < b ? -1 : 1));
  const veren = [
    ['VEREN', '1'],
    ['VEREN_DEPLOYMENT_ID', job.DEPLOYMENTID],
    ['VEREN_PROJECT_ID', job.PROJECT_ID],
    ['VEREN_GIT_COMMIT', job.GIT_COMMIT],
  ] as const;
  const script = [...passed, ...own, ...veren].map(([name, value]) => `export ${name}=${quote(value)}\n`).join('');
  return {
    script,
    fingerprint: createHash('sha256')
      .update(JSON.stringify([job.PROJECT_ID, own]))
      .digest('hex'),
  };
}
