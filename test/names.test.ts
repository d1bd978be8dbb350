import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Declaration, parseSync } from '@swc/core';

/** Lambda calls it by this name. */
const GIVEN = new Set(['handler']);
const MAX_ONE_WORD = 0.08;

const ROOMS = ['bin', 'contract', 'lib', 'lambdas', 'builder-images', 'local', 'operator', 'cli', 'dashboard'];

interface Exported {
  readonly file: string;
  readonly name: string;
  readonly kind: 'function' | 'type' | 'other';
}

const nameOf = (file: string, name: string, kind: Exported['kind']): Exported => ({ file, name, kind });

function namesOf(file: string, declaration: Declaration): Exported[] {
  switch (declaration.type) {
    case 'FunctionDeclaration':
      return [nameOf(file, declaration.identifier.value, 'function')];
    case 'VariableDeclaration':
      return declaration.declarations.flatMap(({ id, init }) => {
        const isFunction = init?.type === 'ArrowFunctionExpression' || init?.type === 'FunctionExpression';
        return id.type === 'Identifier' ? [nameOf(file, id.value, isFunction ? 'function' : 'other')] : [];
      });
    case 'ClassDeclaration':
      return [nameOf(file, declaration.identifier.value, 'type')];
    case 'TsInterfaceDeclaration':
    case 'TsTypeAliasDeclaration':
      return [nameOf(file, declaration.id.value, 'type')];
    default:
      return [];
  }
}

const exported = ROOMS.filter((room) => existsSync(room))
  .flatMap((room) => readdirSync(room, { recursive: true, encoding: 'utf8' }).map((path) => join(room, path)))
  .filter((path) => /\.tsx?$/.test(path) && !/(^|\/)(node_modules|dist)\//.test(path))
  .flatMap((file) =>
    parseSync(readFileSync(file, 'utf8'), {
      syntax: 'typescript',
      tsx: file.endsWith('.tsx'),
      target: 'es2022',
    }).body.flatMap((item) => (item.type === 'ExportDeclaration' ? namesOf(file, item.declaration) : [])),
  );

describe('names', () => {
  it('of exported functions are a verb and a noun: hardly any is a single word', () => {
    const functions = exported.filter(({ kind, name }) => kind === 'function' && !GIVEN.has(name));
    const oneWord = functions.filter(({ name }) => /^[a-z]+$/.test(name));
    expect(functions.length).toBeGreaterThan(500);
    // The list is what a failure shows.
    if (oneWord.length / functions.length >= MAX_ONE_WORD) expect(oneWord).toEqual([]);
  });

  it('of exported types mean one thing each', () => {
    const places = new Map<string, string[]>();
    for (const { kind, name, file } of exported)
      if (kind === 'type' && !places.get(name)?.includes(file)) places.set(name, [...(places.get(name) ?? []), file]);
    expect([...places].filter(([, files]) => files.length > 1)).toEqual([]);
  });
});
