import { readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { parseSync } from '@swc/core';

/**
 * The import rules. Which room may import what is read from the table in docs/architecture.md. Every import counts, those
 * of types too: a type that crosses a border ties both sides together just the same.
 */
const ROOT = join(__dirname, '..');

interface Room {
  /** As the table has it; `<name>` stands for any one folder. */
  readonly path: string;
  /** Paths of ours that it may import besides its own. */
  readonly imports: readonly string[] | 'all';
  readonly packages: readonly string[] | 'all' | 'all but CDK';
}

function readRooms(markdown: string): Room[] {
  const section = markdown.split('\n## ').find((part) => part.startsWith('Rooms\n')) ?? '';
  const rows = section.split('\n').filter((line) => line.startsWith('| `'));
  return rows.map((row) => {
    const [path = '', , imports = '', packages = ''] = row
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim());
    const names = (cell: string) => cell.split(',').map((name) => name.trim().replaceAll('`', ''));
    return {
      path: path.replaceAll('`', ''),
      imports: imports === 'all' ? 'all' : imports === '–' ? [] : names(imports),
      packages: packages === 'all' || packages === 'all but CDK' ? packages : names(packages),
    };
  });
}

const ROOMS = readRooms(readFileSync(join(ROOT, 'docs/architecture.md'), 'utf8'));

/** The folder (or file) of a room that holds the file; undefined where the file is in another room. */
const folderIn = (room: Room, file: string): string | undefined =>
  new RegExp(`^${room.path.replace('<name>', '[^/]+')}`).exec(file)?.[0];

/** The room with the longest path that fits, a named one before `<name>`. */
function roomOf(file: string): { room: Room; folder: string } | undefined {
  const found = ROOMS.flatMap((room) => {
    const folder = folderIn(room, file);
    return folder ? [{ room, folder }] : [];
  });
  return found.toSorted(
    (a, b) =>
      b.folder.length - a.folder.length || Number(a.room.path.includes('<')) - Number(b.room.path.includes('<')),
  )[0];
}

const CDK = /^(aws-cdk-lib|aws-cdk|constructs|cdk-nag)(\/|$)/;

/** Why the room may not import this; null where it may. */
function refusal(file: string, specifier: string): string | null {
  const from = roomOf(file);
  if (!from) return 'it is in no room of docs/architecture.md';
  const { room, folder } = from;
  if (specifier.startsWith('.')) {
    const target = posix.join(posix.dirname(file), specifier);
    if (room.imports === 'all') return null;
    if ([folder, ...room.imports].some((path) => target.startsWith(path))) return null;
    return `${room.path} may not import ${roomOf(target)?.folder ?? target}`;
  }
  if (room.packages === 'all' || specifier.startsWith('node:')) return purity(room, specifier);
  if (room.packages === 'all but CDK') return CDK.test(specifier) ? `${room.path} may not import the CDK` : null;
  const name = specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
  return room.packages.includes(name) ? null : `${room.path} may not import ${name}`;
}

/** Rooms that name their packages are pure: of Node they have what computes and touches nothing. */
const purity = ({ path, packages }: Room, specifier: string): string | null =>
  Array.isArray(packages) && !/^node:(path|util)$/.test(specifier) ? `${path} may not import ${specifier}` : null;

interface Rule {
  readonly name: string;
  /** Files that the rule is for. */
  readonly from: RegExp;
  /** What they must not import: a path in the repository, or a package's name. */
  readonly never: RegExp;
}

/** What no table of rooms says. */
const RULES: readonly Rule[] = [
  {
    name: 'builders start processes through one module',
    from: /^builder-images\/(?!shared\/processes\.ts$)/,
    never: /^(?:node:)?(?:child_process|cluster)$|^(?:execa|cross-spawn)$/,
  },
  {
    name: 'imports of our own files carry the extension, as Node wants it',
    from: /./,
    never:
      /^(?:contract|lambdas|builder-images|lib|local|operator|bin|bench|test|dashboard)\/(?!.*\.(?:tsx?|json|mjs|js)$)/,
  },
];

/** Folders whose sources have other rules than ours, or are no part of Veren. */
const NOT_OURS = new Set(['node_modules', 'examples', 'cdk.out', 'docs']);

/** Every module that a file names: import, export from, import(), import types, require(). */
function specifiers(file: string, source: string): string[] {
  const found: string[] = [];
  const visit = (node: unknown): void => {
    if (typeof node !== 'object' || node === null) return;
    const n = node as Record<string, unknown>;
    const text = (value: unknown): void => {
      const literal = value as { type?: string; value?: unknown } | null | undefined;
      if (literal?.type === 'StringLiteral') found.push(String(literal.value));
    };
    if (n.type === 'ImportDeclaration' || n.type === 'ExportAllDeclaration' || n.type === 'ExportNamedDeclaration')
      text(n.source);
    if (n.type === 'TsImportType') text(n.argument);
    if (n.type === 'TsExternalModuleReference') text(n.expression);
    if (n.type === 'CallExpression') {
      const callee = n.callee as { type?: string; value?: unknown };
      const [argument] = n.arguments as { expression?: unknown }[];
      if (callee.type === 'Import' || (callee.type === 'Identifier' && callee.value === 'require'))
        text(argument?.expression);
    }
    for (const child of Object.values(n)) visit(child);
  };
  visit(parseSync(source, { syntax: 'typescript', tsx: file.endsWith('.tsx') }).body);
  return found;
}

/** Relative to the repository for our own files, as it stands for packages. */
const target = (file: string, specifier: string): string =>
  specifier.startsWith('.') ? posix.join(posix.dirname(file), specifier) : specifier;

function violations(sources: ReadonlyMap<string, string>): string[] {
  return [...sources].flatMap(([file, source]) => {
    const rules = RULES.filter((rule) => rule.from.test(file));
    return specifiers(file, source).flatMap((specifier) =>
      [
        refusal(file, specifier),
        ...rules.filter((rule) => rule.never.test(target(file, specifier))).map((rule) => rule.name),
      ].flatMap((reason) => (reason === null ? [] : [`${file} imports ${specifier}: ${reason}`])),
    );
  });
}

function ownSources(): Map<string, string> {
  const found = new Map<string, string>();
  const visit = (folder: string): void => {
    for (const entry of readdirSync(join(ROOT, folder), { withFileTypes: true })) {
      const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
      if (entry.isDirectory()) {
        if (!NOT_OURS.has(entry.name) && !entry.name.startsWith('.')) visit(path);
      } else if (/\.tsx?$/.test(entry.name)) found.set(path, readFileSync(join(ROOT, path), 'utf8'));
    }
  };
  visit('');
  return found;
}

it('reads URLs by one function, since URL.canParse of Node 20 errs', () => {
  const users = [...ownSources()].filter(([file, text]) => /URL\.canParse\(/.test(text) && !file.startsWith('test/'));
  expect(users.map(([file]) => file)).toEqual([]);
});

it('keeps the import rules in every file', () => {
  const sources = ownSources();
  expect(sources.size).toBeGreaterThan(500);
  expect(violations(sources)).toEqual([]);
});

it('the table has a row for what exists, and none for what does not', () => {
  const sources = [...ownSources().keys()];
  expect(ROOMS.length).toBeGreaterThan(10);
  for (const room of ROOMS) {
    expect({ room: room.path, files: sources.some((file) => roomOf(file)?.room === room) }).toEqual({
      room: room.path,
      files: true,
    });
    const named = room.imports === 'all' ? [] : room.imports;
    for (const path of named)
      expect({ path, files: sources.some((file) => file.startsWith(path)) }).toEqual({ path, files: true });
  }
});

describe('a violation is found', () => {
  it.each([
    ['contract/a.ts', "import { x } from '../lambdas/x.ts';", 'contract/ may not import'],
    ['contract/a.ts', "import { join } from 'node:fs';", 'contract/ may not import'],
    ['contract/a.ts', "import semver from 'semver';", 'contract/ may not import semver'],
    ['lambdas/api/a.ts', "import type { Config } from '../../lib/config.ts';", 'may not import lib/'],
    ['lambdas/api/a.ts', "export * from 'aws-cdk-lib/aws-ecs';", 'may not import the CDK'],
    ['lambdas/api/a.ts', "import { x } from '../websocket/handle.ts';", 'may not import lambdas/websocket/'],
    ['lambdas/api/a.ts', "import type { X } from '../clone-worker/workers/clone.ts';", 'lambdas/clone-worker/'],
    ['lambdas/repo-analyzer/a.ts', "import { x } from '../api/app.ts';", 'may not import lambdas/api/'],
    ['lambdas/repo-analyzer/a.ts', "import { x } from '../clone-worker/workers/clone.ts';", 'lambdas/clone-worker/'],
    ['lambdas/shared/a.ts', "import type { X } from '../api/deps.ts';", 'may not import lambdas/api/'],
    ['lambdas/domain/a.ts', "import type { Clock } from '../shared/ports.ts';", 'may not import lambdas/shared/'],
    ['lambdas/domain/a.ts', "import { readFile } from 'node:fs/promises';", 'may not import node:fs'],
    [
      'lambdas/clone-worker/services/detector/a.ts',
      "import { x } from '../../workers/clone.ts';",
      'may not import lambdas/clone-worker/',
    ],
    ['builder-images/x/a.ts', "const cdk = await import('aws-cdk-lib');", 'may not import the CDK'],
    ['builder-images/x/a.ts', "const c = require('constructs');", 'may not import the CDK'],
    ['builder-images/x/a.ts', "import { x } from '../y/a.ts';", 'may not import builder-images/y/'],
    ['builder-images/x/a.ts', "import { x } from '../../lambdas/shared/a.ts';", 'may not import lambdas/shared/'],
    ['lib/stacks/a.ts', "import { api } from '../../lambdas/api/app.ts';", 'may not import lambdas/api/'],
    ['lib/a.ts', "type A = import('../lambdas/api/app.ts').Api;", 'may not import lambdas/api/'],
    ['lambdas/api/a.ts', "import x = require('../../local/x.ts');", 'may not import local/'],
    ['local/a.ts', "import { x } from '../test/support/x.ts';", 'may not import test/'],
    ['dashboard/ui/a.tsx', "import { x } from '../../cli/client/http.ts';", 'may not import cli/'],
    ['dashboard/ui/a.tsx', "import { z } from 'zod';", 'may not import zod'],
    ['operator/a.ts', "import { x } from '../local/x.ts';", 'may not import local/'],
    ['elsewhere/a.ts', "import { x } from './x.ts';", 'in no room'],
    ['builder-images/x/a.ts', "import { spawn } from 'node:child_process';", 'through one module'],
    ['builder-images/shared/a.ts', "const { exec } = require('child_process');", 'through one module'],
    ['local/a.ts', "import { x } from './b';", 'carry the extension'],
  ])('%s: %s', (file, source, rule) => {
    expect(violations(new Map([[file, source]]))).toContainEqual(expect.stringContaining(rule));
  });

  it('and what is allowed is let through', () => {
    const allowed = new Map([
      ['contract/a.ts', "import { z } from 'zod'; import { b } from './b.ts';"],
      ['lambdas/api/a.ts', "import { b } from '../../contract/b.ts'; // import 'aws-cdk-lib'"],
      ['lambdas/api/routes/a.ts', "import { b } from '../app.ts'; import { c } from '../../domain/facts.ts';"],
      ['lambdas/shared/a.ts', "import { b } from './b.ts'; const s = \"from '../../lib/x.ts'\";"],
      ['lambdas/clone-worker/a.ts', "import { d } from './services/detector/detectProjectType.ts';"],
      ['lambdas/repo-analyzer/a.ts', "import { a } from '../clone-worker/analyzeRepository.ts';"],
      ['lib/a.ts', "import { Stack } from 'aws-cdk-lib'; import { b } from '../contract/b.ts';"],
      ['local/a.ts', "import { m } from '../lambdas/api/app.ts'; import { n } from './adapters/memory/platform.ts';"],
    ]);
    expect(violations(allowed)).toEqual([]);
  });
});
