import { actionOf, findStatement, type RecordedCall, resourcesOf } from './awsCalls.ts';

const CALL: RecordedCall = {
  host: 'ecs.ap-south-1.amazonaws.com',
  isRoot: false,
  service: 'ecs',
  action: 'RunTask',
  method: 'POST',
  path: '/',
  query: [],
  names: { cluster: 'builder', taskDefinition: 'builder-task-20' },
  status: 200,
};
const DEFINITION = 'arn:aws:ecs:ap-south-1:123456789012:task-definition/builder-task-20:*';
const allow = (Action: string, Resource: string) => ({ Effect: 'Allow', Action, Resource });

it('finds the statement that allows a call', () => {
  expect([actionOf(CALL), resourcesOf(CALL)]).toEqual(['ecs:RunTask', [DEFINITION]]);
  expect(findStatement([allow('ecs:Stop*', '*'), allow('ecs:RunTask', DEFINITION)], 'ecs:RunTask', DEFINITION)).toBe(
    `Allow ecs:RunTask on ${DEFINITION}`,
  );
});

it.each([
  ['another action', allow('ecs:StopTask', '*')],
  ['another resource', allow('ecs:RunTask', DEFINITION.replace('builder-task-20', 'other'))],
  ['a longer name', allow('ecs:RunTask', DEFINITION.replace('20:*', '2'))],
  ['a denial', { Effect: 'Deny', Action: 'ecs:*', Resource: '*' }],
])('finds none in %s', (_, statement) => {
  expect(findStatement([statement], 'ecs:RunTask', DEFINITION)).toBeNull();
});

it('knows objects by their bucket and key', () => {
  const read = { ...CALL, service: 's3', action: undefined, names: {}, host: 'files.s3.ap-south-1.amazonaws.com' };
  expect(resourcesOf({ ...read, path: '/__sweeps/a%2Fb.json' })).toEqual(['arn:aws:s3:::files/__sweeps/a/b.json']);
  expect(resourcesOf({ ...read, path: '/' })).toEqual(['arn:aws:s3:::files']);
});

it('knows calls by their paths where they name no action', () => {
  const rest = (service: string, method: string, path: string, query: string[] = []) =>
    actionOf({ ...CALL, service, action: undefined, method, path, query });
  expect(rest('s3', 'GET', '/', ['list-type', 'prefix'])).toBe('s3:ListBucket');
  expect(rest('s3', 'GET', '/__logs/a')).toBe('s3:GetObject');
  expect(rest('s3', 'POST', '/', ['delete'])).toBe('s3:DeleteObject');
  expect(rest('lambda', 'POST', '/2015-03-31/functions/f/invocations')).toBe('lambda:InvokeFunction');
  expect(rest('lambda', 'GET', '/something')).toBe('lambda:GET /something');
});
