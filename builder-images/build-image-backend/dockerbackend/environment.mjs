// Writes what `init` sets before it starts a service: environment.mjs <service> <root> <start.json> <tools> <runtime> <programs>.
// Runs as `node`, once everything is built: what the package manager would tell the script, Yarn's Plug'n'Play, and the
// addresses that servers listen on. A value that the container is given wins over every one of them.
import { chmodSync, closeSync, existsSync, mkdirSync, openSync, readFileSync, readSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const [folder, root, description, tools, runtime, programs] = process.argv.slice(2);
const service = resolve(folder);
/** Where `runtime` lies in the service's image. */
const INSTALLED = '/opt/veren/tools';
const NPM = '/usr/local/lib/node_modules/npm';

const read = (file) => {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
};
const json = (file) => {
  try {
    const value = JSON.parse(read(file));
    return typeof value === 'object' && value !== null ? value : {};
  } catch {
    return {};
  }
};

/** npm flattens five fields; Yarn 1 all of them. Sources: @npmcli/run-script (package-envs.js), Yarn 1 (execute-lifecycle-script.js). */
function packageVariables(value, prefix, depth = 0, out = {}) {
  for (const [key, part] of Object.entries(value ?? {})) {
    if (part === undefined || depth > 10) continue;
    if (typeof part === 'object' && part !== null) packageVariables(part, `${prefix}${key}_`, depth + 1, out);
    else out[`${prefix}${key}`] = part === null || part === false ? '' : String(part);
  }
  return out;
}

/** Settings of .npmrc files, which npm, pnpm and Yarn 1 hand on to scripts; neither scopes nor what is a secret. */
function settingsOf(text) {
  const out = {};
  for (const line of text.split('\n')) {
    const [, key, value] = /^\s*([A-Za-z][\w-]*)(?:\[\])?\s*(?:=\s*(.*?)\s*)?$/.exec(line) ?? [];
    if (key === undefined || /auth|password|token|username|email|^(?:key|cert)$/i.test(key)) continue;
    const plain = (value ?? 'true').replace(/^(["'])(.*)\1$/, '$2');
    if (!/\$\{/.test(plain)) out[key] = plain;
  }
  return out;
}

function managerOf(name) {
  const npmVersion = json(join(NPM, 'package.json')).version ?? '?';
  if (name === 'npm') return { version: npmVersion, npmVersion, execPath: join(NPM, 'bin/npm-cli.js') };
  for (const [folder, bin] of [
    [name, { pnpm: 'bin/pnpm.cjs', yarn: 'bin/yarn.js', bun: 'bin/bun.exe' }[name]],
    ['@yarnpkg/cli-dist', 'bin/yarn.js'],
  ]) {
    const { version } = json(join(tools, 'node_modules', folder, 'package.json'));
    if (version !== undefined) return { version, npmVersion: '?', execPath: join(INSTALLED, 'node_modules', folder, bin) };
  }
  return { version: '?', npmVersion: '?', execPath: undefined };
}

/** What a script sees that its package manager runs; empty where the service is started by a command of its own. */
function scriptVariables({ manager, event, script, keepsManager }) {
  if (manager === undefined) return {};
  const { version, npmVersion, execPath } = managerOf(manager);
  const pkg = json(join(service, 'package.json'));
  const flat = manager === 'yarn' && /^[01]\./.test(version);
  const { name, version: own, config, engines, bin } = pkg;
  const fields = flat ? { ...pkg, readme: undefined } : { name, version: own, config, engines, bin };
  const clean = (key) => (flat ? key.replace(/\W/g, '_') : key);
  const settings = { ...settingsOf(read(join(root, '.npmrc'))), ...settingsOf(read(join(service, '.npmrc'))) };
  const agent = [
    `${manager}/${version}`,
    ...(manager === 'npm' ? [] : [`npm/${npmVersion}`]),
    `node/${process.version}`,
    process.platform,
    process.arch,
    ...(manager === 'npm' ? ['workspaces/false'] : []),
  ].join(' ');
  return {
    ...Object.fromEntries(Object.entries(packageVariables(fields, 'npm_package_')).map(([k, v]) => [clean(k), v])),
    ...Object.fromEntries(Object.entries(settings).map(([k, v]) => [`npm_config_${k.replace(/-/g, '_').toLowerCase()}`, v])),
    ...(settings['node-options'] && { NODE_OPTIONS: settings['node-options'] }),
    npm_package_json: join(service, 'package.json'),
    npm_lifecycle_event: event,
    npm_lifecycle_script: script,
    npm_command: manager === 'npm' && event === 'start' ? 'start' : 'run-script',
    ...(execPath !== undefined && (manager === 'npm' || keepsManager) && { npm_execpath: execPath }),
    ...(manager === 'npm' && { npm_config_npm_version: version, npm_config_local_prefix: root, npm_config_prefix: '/usr/local' }),
    npm_config_user_agent: agent,
    npm_node_execpath: '/usr/local/bin/node',
    NODE: '/usr/local/bin/node',
    INIT_CWD: service,
    ...(manager === 'yarn' && !flat && { PROJECT_CWD: root }),
  };
}

/** Servers that listen on localhost alone unless they are told otherwise, in a container for nobody. */
function addresses() {
  const files = ['.env', '.env.local', '.env.production', '.env.production.local'];
  const own = [service, root].flatMap((folder) => files.map((name) => read(join(folder, name)))).join('\n');
  const names = ['HOST', 'NITRO_HOST', 'FASTIFY_ADDRESS'].filter(
    (name) => !new RegExp(`^\\s*(?:export\\s+)?${name}\\s*=`, 'm').test(own),
  );
  return Object.fromEntries(names.map((name) => [name, '0.0.0.0']));
}

/** Next's standalone server listens on HOSTNAME, which container engines set to the container's own name. */
function usesNext() {
  const pkg = json(join(service, 'package.json'));
  return { ...pkg.devDependencies, ...pkg.dependencies }.next !== undefined || existsSync(join(service, '.next/standalone'));
}

const quote = (text) => `'${String(text).replaceAll('\0', '').replaceAll("'", `'\\''`)}'`;

/** Yarn's way to have packages found that lie in no node_modules. Source: @yarnpkg/plugin-pnp, `setupScriptEnvironment`. */
function plugNPlay() {
  const hook = join(root, '.pnp.cjs');
  if (!existsSync(hook)) return [];
  const loader = join(root, '.pnp.loader.mjs');
  const options = [`--require ${hook}`, ...(existsSync(loader) ? [`--experimental-loader ${pathToFileURL(loader)}`] : [])];
  return [`export NODE_OPTIONS=${quote(options.join(' '))}"\${NODE_OPTIONS:+ $NODE_OPTIONS}"`];
}

/** Programs of the dependencies, which lie in archives: as Yarn does for a script, each is called by a small one of its name. */
function linkPrograms() {
  const folder = join(runtime, 'bin');
  for (const line of read(programs).split('\n').filter(Boolean)) {
    let row;
    try {
      row = JSON.parse(line);
    } catch {
      continue;
    }
    if (!/^[\w.-]+$/.test(row.name ?? '') || typeof row.path !== 'string') continue;
    mkdirSync(folder, { recursive: true });
    const runner = isProgram(row.path) ? '' : '/usr/local/bin/node ';
    writeFileSync(join(folder, row.name), `#!/bin/sh\nexec ${runner}${quote(row.path)} "$@"\n`);
    chmodSync(join(folder, row.name), 0o755);
  }
  return existsSync(folder);
}

/** Of the system's own format: not for Node to read. */
function isProgram(path) {
  try {
    const file = openSync(path, 'r');
    const start = Buffer.alloc(4);
    readSync(file, start, 0, 4, 0);
    closeSync(file);
    return start.toString('latin1') === '\x7fELF';
  } catch {
    return false; // in an archive
  }
}

/** Folders of programs from the service's own up to the root, as package managers have them. */
function* programFolders() {
  for (let folder = service; ; folder = dirname(folder)) {
    yield join(folder, 'node_modules/.bin');
    if (folder === root || folder === dirname(folder)) return;
  }
}

const given = { ...scriptVariables(json(description)), ...addresses() };
const path = [...programFolders(), ...(linkPrograms() ? [`${INSTALLED}/bin`] : [])].join(':');
const lines = [
  ...Object.entries(given)
    .filter(([name]) => /^[A-Za-z_]\w*$/.test(name))
    .map(([name, value]) => `[ -n "\${${name}+x}" ] || export ${name}=${quote(value)}`),
  `export PATH=${quote(path)}:"$PATH"`,
  ...plugNPlay(),
  ...(usesNext()
    ? ['name=; read -r name 2>/dev/null </proc/sys/kernel/hostname', '[ -n "${HOSTNAME-}" ] && [ "$HOSTNAME" != "$name" ] || export HOSTNAME=0.0.0.0']
    : []),
  ...(existsSync(join(runtime, 'libraries'))
    ? [`export LD_LIBRARY_PATH="\${LD_LIBRARY_PATH:+$LD_LIBRARY_PATH:}${INSTALLED}/libraries"`]
    : []),
];
writeFileSync(join(runtime, 'environment'), `${lines.join('\n')}\n`);
