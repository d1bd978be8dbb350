import { describeAsker } from '../../dashboard/pages/deployment/describeAsker.ts';

test.each([
  ['ada, in the dashboard', { askedBy: { token: 'ada', client: 'dashboard' } }],
  [
    'grace (token laptop), with the command veren',
    { askedBy: { token: 'laptop', member: 'grace', client: 'command' } },
  ],
  ['ci, by a call of the API', { askedBy: { token: 'ci' } }],
  ['a git push of ada', { trigger: { kind: 'push', by: 'ada' } }],
  ['a git push', { trigger: { kind: 'push' } }],
  ['pull request #7 of eve', { trigger: { kind: 'pullRequest', number: 7, by: 'eve' } }],
  ['deploy hook “cms”', { trigger: { kind: 'deployHook', by: 'cms' } }],
  ['a call of the API', {}],
] as const)('a deployment was asked for by %s', (text, record) => {
  expect(describeAsker(record)).toBe(text);
});
