import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { logOwn, nameBuild, nameTarget } from '../../builder-images/shared/own-log.ts';
import { VerenError } from '../../contract/errors.ts';
import { fieldsOfBuild } from '../../lambdas/domain/events.ts';
import { jsonLog, withLogFields } from '../../lambdas/shared/logger.ts';
import { apiApp } from '../support/api.ts';

const TEXT = readFileSync(join(__dirname, '../../docs/operations.md'), 'utf8');
const QUERIES = [...TEXT.matchAll(/```insights\n([\s\S]*?)```/g)].map(([, query = '']) => query);
/** What CloudWatch adds, the words of the language, and the names that a query gives itself. */
const WORDS = new Set([
  'fields',
  'filter',
  'sort',
  'stats',
  'by',
  'as',
  'in',
  'asc',
  'desc',
  'count',
  'count_distinct',
]);

/** The fields of logs that a query names. */
function fieldsOf(query: string): string[] {
  const given = new Set([...query.matchAll(/\bas (\w+)/g)].map(([, name]) => name));
  const names = query.replace(/"[^"]*"/g, '').match(/@?[A-Za-z_][\w.]*/g) ?? [];
  return [...new Set(names)].filter((name) => !WORDS.has(name) && !given.has(name) && !name.startsWith('@'));
}

const paths = (value: object, prefix = ''): string[] =>
  Object.entries(value).flatMap(([name, v]) => [
    `${prefix}${name}`,
    ...(v && typeof v === 'object' ? paths(v, `${prefix}${name}.`) : []),
  ]);

test('three queries are told, and each names only fields that lines have', async () => {
  const lines: Record<string, unknown>[] = [];
  const log = (name: string) => jsonLog(name, (line) => lines.push(JSON.parse(line)));
  const { app } = await apiApp({ log: log('api') });
  const response = await app.request('/deployments', {
    method: 'POST',
    headers: { Authorization: 'Bearer token-of-ada', 'Content-Type': 'application/json', 'X-Request-Id': 'r-1' },
    body: JSON.stringify({ projectId: 'site', gitUrl: 'https://git.example/x.git' }),
  });
  const { deploymentId } = (await response.json()) as { deploymentId: string };
  const build = { deploymentId, projectId: 'site', target: 'frontend', attempt: 1, correlationId: 'r-1' } as const;
  const error = new VerenError('UNAVAILABLE', { reason: 'r' });
  withLogFields(fieldsOfBuild(build), () => log('build-worker').warn('A build could not be started', { error }));

  const write = jest.spyOn(console, 'log').mockImplementation((line) => void lines.push(JSON.parse(line)));
  nameBuild({ CORRELATION_ID: 'r-1', DEPLOYMENTID: deploymentId, PROJECT_ID: 'site', ATTEMPT: '1' });
  nameTarget('frontend');
  logOwn('INFO', 'The build was published', { artifact: '3 files' });
  write.mockRestore();

  // Of all three: both ids find them.
  expect(lines.map((line) => [line.function, line.deploymentId, line.correlationId])).toEqual(
    ['api', 'build-worker', 'builder'].map((name) => [name, deploymentId, 'r-1']),
  );
  const known = new Set(lines.flatMap((line) => paths(line)));
  expect(QUERIES).toHaveLength(3);
  expect(QUERIES[0]).toContain('filter deploymentId =');
  for (const query of QUERIES) {
    const fields = fieldsOf(query);
    expect(fields.length).toBeGreaterThan(2);
    expect(fields.filter((field) => !known.has(field))).toEqual([]);
  }
});

test('messages are sentences: no id or name is put into them', () => {
  const { execFileSync } = jest.requireActual<typeof import('node:child_process')>('node:child_process');
  const call = String.raw`(log|deps\.log|watcher\.log)\.(info|warn|error)\(\``;
  const found = execFileSync('bash', ['-c', `grep -rnE '${call}' lambdas local --include=*.ts || true`], {
    cwd: join(__dirname, '../..'),
    encoding: 'utf8',
  });
  expect(found).toBe('');
});
