import { type Case, pkg, vite } from './case.ts';

const node = (nodeVersion: 18 | 20 | 22 | 24) => ({ frontend: { nodeVersion } });
const nvmrc = (text: string) => ({ ...vite(), '.nvmrc': text });
const engines = (range: string) => vite({ engines: { node: range } });
const unsupported = (says: RegExp) => ({ error: { code: 'NODE_VERSION_UNSUPPORTED', says } as const });

export const nodeVersionCases: readonly Case[] = [
  {
    name: 'nothing stated: the newest LTS builder',
    files: vite(),
    ...node(24),
    because: [['nodeVersion', undefined]],
    follows: 'Railpack and Vercel (newest LTS), not Nixpacks, whose old default is what its users complain about',
  },
  { name: '.nvmrc with a major', files: nvmrc('20'), ...node(20), because: [['nodeVersion', '.nvmrc']] },
  { name: '.nvmrc with v and a patch', files: nvmrc('v22.11.0\n'), ...node(22) },
  { name: '.nvmrc with a minor', files: nvmrc('18.17'), ...node(18) },
  { name: '.nvmrc with carriage returns', files: nvmrc('20\r\n'), ...node(20) },
  { name: '.nvmrc with a comment and a blank line', files: nvmrc('# our version\n\n22 # jod\n'), ...node(22) },
  { name: '.nvmrc lts/*', files: nvmrc('lts/*'), ...node(24) },
  { name: '.nvmrc lts/iron', files: nvmrc('lts/iron'), ...node(20) },
  { name: '.nvmrc lts/Hydrogen in another case', files: nvmrc('lts/Hydrogen'), ...node(18) },
  { name: '.nvmrc lts/-1 is the line before the newest', files: nvmrc('lts/-1'), ...node(22) },
  { name: '.nvmrc node is the newest that there is', files: nvmrc('node'), ...node(24) },
  { name: '.nvmrc stable', files: nvmrc('stable'), ...node(24) },
  {
    name: '.nvmrc lts/gallium has no builder',
    files: nvmrc('lts/gallium'),
    ...unsupported(/\.nvmrc asks for Node lts\/gallium; builders exist for 18, 20, 22, 24.*"nodeVersion"/),
  },
  { name: '.nvmrc 16 has no builder', files: nvmrc('16'), ...unsupported(/asks for Node 16/) },
  { name: '.nvmrc 21: odd lines have no builder', files: nvmrc('21.5.0'), ...unsupported(/21\.5\.0/) },
  { name: '.nvmrc 26 is newer than every builder', files: nvmrc('26'), ...unsupported(/26/) },
  {
    name: '.nvmrc without a version is passed over with a warning',
    files: { ...nvmrc('system'), '.node-version': '22' },
    ...node(22),
    warns: [/\.nvmrc: "system"/],
  },
  { name: '.nvmrc that is empty is passed over', files: { ...nvmrc('\n'), '.node-version': '22' }, ...node(22) },
  {
    name: '.nvmrc wins over .node-version',
    files: { ...nvmrc('20'), '.node-version': '22' },
    ...node(20),
    warns: [/\.nvmrc.*decides for Node 20.*\.node-version.*22/],
    follows: 'Netlify; Render reads .node-version first',
  },
  { name: '.node-version', files: { ...vite(), '.node-version': '22.3.0' }, ...node(22) },
  { name: '.node-version with v', files: { ...vite(), '.node-version': 'v20' }, ...node(20) },
  {
    name: '.node-version wins over engines',
    files: { ...engines('>=18'), '.node-version': '20' },
    ...node(20),
    follows: 'Netlify and Render; Vercel and Railpack read engines first. A pin is exact, a range is not',
  },
  {
    name: '.tool-versions of asdf',
    files: { ...vite(), '.tool-versions': 'ruby 3.3.0\nnodejs 20.11.0\n' },
    ...node(20),
  },
  {
    name: '.tool-versions takes the first version',
    files: { ...vite(), '.tool-versions': 'nodejs 22.1.0 18.0.0 system' },
    ...node(22),
  },
  {
    name: '.tool-versions with the name of mise',
    files: { ...vite(), '.tool-versions': 'node 18 # old' },
    ...node(18),
  },
  {
    name: '.tool-versions without node says nothing',
    files: { ...vite(), '.tool-versions': 'python 3.12\n' },
    ...node(24),
  },
  { name: 'mise.toml', files: { ...vite(), 'mise.toml': '[env]\nnode = "18"\n[tools]\nnode = "22"\n' }, ...node(22) },
  {
    name: '.node-version wins over .tool-versions',
    files: { ...vite(), '.node-version': '22', '.tool-versions': 'nodejs 20.0.0' },
    ...node(22),
  },
  {
    name: 'volta',
    files: vite({ volta: { node: '20.9.0' } }),
    ...node(20),
    because: [['nodeVersion', 'package.json']],
    follows: 'no peer reads volta, though it pins the version that its users build with',
  },
  {
    name: 'volta.extends is followed to the root',
    files: {
      'package.json': pkg({ volta: { node: '18.20.0' }, workspaces: ['apps/*'] }),
      'apps/web/package.json': pkg({
        scripts: { build: 'vite build' },
        devDependencies: { vite: '^7' },
        volta: { extends: '../../package.json' },
      }),
      'apps/web/index.html': '',
    },
    ...node(18),
    because: [['nodeVersion', 'package.json']],
  },
  {
    name: 'volta.extends over two files',
    files: {
      'base/package.json': pkg({ volta: { node: '22.0.0' } }),
      'package.json': pkg({
        scripts: { build: 'vite build' },
        devDependencies: { vite: '^7' },
        volta: { extends: './mid/package.json' },
      }),
      'mid/package.json': pkg({ volta: { extends: '../base/package.json' } }),
      'index.html': '',
    },
    ...node(22),
  },
  {
    name: 'volta.extends in a circle ends, with a warning',
    files: {
      ...vite({ volta: { extends: './a/package.json' } }),
      'a/package.json': pkg({ volta: { extends: '../package.json' } }),
    },
    ...node(24),
    warns: [/circle/],
  },
  {
    name: 'volta.extends out of the repository is not followed',
    files: vite({ volta: { extends: '../../etc/package.json' } }),
    ...node(24),
    warns: [/volta\.extends/],
  },
  {
    name: 'volta wins over engines',
    files: vite({ volta: { node: '20.1.0' }, engines: { node: '>=18' } }),
    ...node(20),
  },
  {
    name: 'devEngines.runtime',
    files: vite({ devEngines: { runtime: { name: 'node', version: '^22.0.0' } } }),
    ...node(22),
  },
  {
    name: 'devEngines.runtime as a list',
    files: vite({
      devEngines: {
        runtime: [
          { name: 'bun', version: '1' },
          { name: 'node', version: '20.x' },
        ],
      },
    }),
    ...node(20),
  },
  {
    name: 'devEngines wins over engines',
    files: vite({ devEngines: { runtime: { name: 'node', version: '22' } }, engines: { node: '>=18' } }),
    ...node(22),
  },
  { name: 'engines.node as a major', files: engines('20'), ...node(20), because: [['nodeVersion', 'package.json']] },
  { name: 'engines.node 20.x', files: engines('20.x'), ...node(20) },
  { name: 'engines.node ^22', files: engines('^22.12.0'), ...node(22) },
  {
    name: 'engines.node >=18: the newest that is alive',
    files: engines('>=18'),
    ...node(24),
    follows: 'Vercel and Heroku: the newest that fits',
  },
  {
    name: 'engines.node >=18 <21: the newest that fits, past its end of life, with a warning',
    files: engines('>=18 <21'),
    ...node(20),
    warns: [/Node 20 has had no security fixes since 2026-04-30/],
  },
  { name: 'engines.node ^18 || ^20 || >=22', files: engines('^18.0.0 || ^20.0.0 || >=22.0.0'), ...node(24) },
  { name: 'engines.node 18 - 22 spans lines: the newest alive', files: engines('18 - 22'), ...node(22) },
  { name: 'engines.node <=22', files: engines('<=22'), ...node(22) },
  { name: 'engines.node *', files: engines('*'), ...node(24) },
  { name: 'engines.node ~20.11', files: engines('~20.11'), ...node(20) },
  { name: 'engines.node lts/*', files: engines('lts/*'), ...node(24) },
  {
    name: 'engines.node >=26',
    files: engines('>=26'),
    ...unsupported(/package\.json asks for Node >=26; builders exist for 18, 20, 22, 24/),
  },
  { name: 'engines.node ^14', files: engines('^14.0.0'), ...unsupported(/\^14/) },
  {
    name: 'engines.node that is no range is passed over with a warning',
    files: engines('whatever you like'),
    ...node(24),
    warns: [/"whatever you like" \(engines\.node\) is not a Node version/],
    follows: 'npm, which ignores it; Vercel fails. A text without a version contradicts no version',
  },
  { name: 'engines.node of a wrong type says nothing', files: vite({ engines: { node: 20 } }), ...node(24) },
  {
    name: 'a pin of a line past its end of life is followed, with a warning',
    files: nvmrc('18'),
    ...node(18),
    warns: [/Node 18 has had no security fixes since 2025-04-30/],
  },
  {
    name: 'before its end of life there is no warning',
    files: nvmrc('20'),
    request: { today: '2026-01-01' },
    ...node(20),
    warns: [],
  },
  {
    name: 'a range prefers a line that is alive on that day',
    files: engines('>=18 <21'),
    request: { today: '2024-01-01' },
    ...node(20),
    warns: [],
  },
  {
    name: 'a pin and a range that exclude each other: the pin, with a warning',
    files: { ...engines('>=22'), '.nvmrc': '20' },
    ...node(20),
    warns: [/engines\.node.*asks for >=22/],
  },
  {
    name: 'the file nearest to the target wins over the root',
    files: {
      '.nvmrc': '18',
      'frontend/package.json': pkg({
        scripts: { build: 'vite build' },
        devDependencies: { vite: '^7' },
        engines: { node: '22.x' },
      }),
      'frontend/index.html': '',
    },
    ...node(22),
    because: [['nodeVersion', 'frontend/package.json']],
  },
  {
    name: 'the root counts where the target says nothing',
    files: {
      '.nvmrc': '20',
      'frontend/package.json': pkg({ scripts: { build: 'vite build' }, devDependencies: { vite: '^7' } }),
      'frontend/index.html': '',
    },
    ...node(20),
    because: [['nodeVersion', '.nvmrc']],
  },
  {
    name: 'the request wins over everything',
    files: nvmrc('22'),
    request: { frontend: { nodeVersion: 20 } },
    ...node(20),
    because: [['nodeVersion', undefined]],
  },
  {
    name: 'the request forces a version where the wish cannot be met',
    files: engines('>=26'),
    request: { frontend: { nodeVersion: 24 } },
    ...node(24),
  },
  {
    name: 'frontend and backend each have their own',
    files: {
      'frontend/package.json': pkg({ scripts: { build: 'vite build' }, devDependencies: { vite: '^7' } }),
      'frontend/index.html': '',
      'frontend/.nvmrc': '22',
      'backend/package.json': pkg({
        scripts: { start: 'node index.js' },
        dependencies: { express: '^5' },
        engines: { node: '20' },
      }),
      'backend/index.js': '',
    },
    frontend: { nodeVersion: 22 },
    backend: { nodeVersion: 20 },
  },
];
