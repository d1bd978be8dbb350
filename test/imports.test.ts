import { readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { parseSync } from '@swc/core';

/**
 * The import rules of docs/architecture.md. Every import counts, those of types too: a type that crosses a border ties both
 * sides together just the same.
 */
interface Rule {
  readonly name: string;
  /** Files that the rule is for. */
  readonly from: RegExp;
  /** What they must not import: a path in the repository, or a package's name. */
  readonly never: RegExp;
}

const RULES: readonly Rule[] = [
  {
    name: 'contract imports zod and nothing else',
    from: /^contract\//,
    never: /^(?!contract\/|zod$)/,
  },
  {
    name: 'handlers and builders know nothing of the infrastructure',
    from: /^(lambdas|builder-images)\//,
    never: /^(lib|bin)\/|^(aws-cdk-lib|aws-cdk|constructs|cdk-nag)(\/|$)/,
  },
  {
    name: 'infrastructure never imports handlers',
    from: /^lib\//,
    never: /^(lambdas|builder-images|local|bin)\//,
  },
  {
    name: 'memory adapters are for the laptop: no handler imports them',
    from: /^(lambdas\/(?!shared\/adapters\/memory\/)|builder-images\/|lib\/)/,
    never: /\/adapters\/memory\//,
  },
  {
    name: 'nothing that is deployed imports the laptop',
    from: /^(contract|lambdas|builder-images|lib)\//,
    never: /^(local|test|bench|examples)\//,
  },
  {
    name: 'builders start processes through one module',
    from: /^builder-images\/(?!shared\/processes\.ts$)/,
    never: /^(?:node:)?(?:child_process|cluster)$|^(?:execa|cross-spawn)$/,
  },
  {
    // Benchmarks need the same git servers and engines that tests start.
    name: 'tests are imported by tests and benchmarks only',
    from: /^(?!test\/|bench\/)/,
    never: /^test\//,
  },
  {
    name: 'imports of our own files carry the extension, as Node wants it',
    from: /./,
    never: /^(?:contract|lambdas|builder-images|lib|local|bin|bench|test)\/(?!.*\.(?:ts|json|mjs|js)$)/,
  },
];

const FOLDERS = ['bin', 'contract', 'lib', 'lambdas', 'builder-images', 'local', 'test', 'bench'];

/** Every module that a file names: import, export from, import(), import types, require(). */
function specifiers(source: string): string[] {
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
  visit(parseSync(source, { syntax: 'typescript', tsx: false }).body);
  return found;
}

/** Relative to the repository for our own files, as it stands for packages. */
const target = (file: string, specifier: string): string =>
  specifier.startsWith('.') ? posix.join(posix.dirname(file), specifier) : specifier;

function violations(sources: ReadonlyMap<string, string>): string[] {
  return [...sources].flatMap(([file, source]) => {
    const rules = RULES.filter((rule) => rule.from.test(file));
    return specifiers(source).flatMap((specifier) =>
      rules
        .filter((rule) => rule.never.test(target(file, specifier)))
        .map((rule) => `${file} imports ${specifier}: ${rule.name}`),
    );
  });
}

function ownSources(): Map<string, string> {
  const root = join(__dirname, '..');
  const found = new Map<string, string>();
  const visit = (folder: string): void => {
    for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
      const path = `${folder}/${entry.name}`;
      if (entry.isDirectory()) {
        if (entry.name !== 'node_modules') visit(path);
      } else if (entry.name.endsWith('.ts')) found.set(path, readFileSync(join(root, path), 'utf8'));
    }
  };
  const folders = new Set(readdirSync(root));
  for (const folder of FOLDERS) if (folders.has(folder)) visit(folder);
  return found;
}

it('keeps the import rules in every file', () => {
  const sources = ownSources();
  for (const folder of ['contract', 'lib', 'lambdas', 'builder-images', 'local'])
    expect([...sources.keys()].some((file) => file.startsWith(`${folder}/`))).toBe(true);
  expect(violations(sources)).toEqual([]);
});

describe('a violation is found', () => {
  it.each([
    ['contract/a.ts', "import { x } from '../lambdas/x.ts';", 'contract imports zod'],
    ['contract/a.ts', "import { join } from 'node:path';", 'contract imports zod'],
    ['lambdas/api/a.ts', "import type { Config } from '../../lib/config.ts';", 'know nothing of the infrastructure'],
    ['lambdas/api/a.ts', "export * from 'aws-cdk-lib/aws-ecs';", 'know nothing of the infrastructure'],
    ['builder-images/x/a.ts', "const cdk = await import('aws-cdk-lib');", 'know nothing of the infrastructure'],
    ['builder-images/x/a.ts', "const c = require('constructs');", 'know nothing of the infrastructure'],
    ['lib/stacks/a.ts', "import { api } from '../../lambdas/api/app.ts';", 'never imports handlers'],
    ['lib/a.ts', "type A = import('../lambdas/api/app.ts').Api;", 'never imports handlers'],
    ['lambdas/api/a.ts', "export { x } from '../shared/adapters/memory/x.ts';", 'memory adapters'],
    ['lambdas/api/a.ts', "import x = require('../../local/x.ts');", 'imports the laptop'],
    ['local/a.ts', "import { x } from '../test/support/x.ts';", 'tests are imported by tests and benchmarks'],
    ['builder-images/x/a.ts', "import { spawn } from 'node:child_process';", 'through one module'],
    ['builder-images/shared/a.ts', "const { exec } = require('child_process');", 'through one module'],
    ['local/a.ts', "import { x } from './b';", 'carry the extension'],
  ])('%s: %s', (file, source, rule) => {
    expect(violations(new Map([[file, source]]))).toEqual([expect.stringContaining(rule)]);
  });

  it('and what is allowed is let through', () => {
    const allowed = new Map([
      ['contract/a.ts', "import { z } from 'zod'; import { b } from './b.ts';"],
      ['lambdas/api/a.ts', "import { b } from '../../contract/b.ts'; // import 'aws-cdk-lib'"],
      ['lambdas/shared/adapters/memory/a.ts', "import { b } from './b.ts'; const s = \"from '../../../../lib/x.ts'\";"],
      ['lib/a.ts', "import { Stack } from 'aws-cdk-lib'; import { b } from '../contract/b.ts';"],
      ['local/a.ts', "import { m } from '../lambdas/shared/adapters/memory/platform.ts';"],
    ]);
    expect(violations(allowed)).toEqual([]);
  });
});
