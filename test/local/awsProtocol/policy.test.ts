import { isAllowed, PolicySchema } from '../../../local/awsProtocol/policy.ts';

const policy = (...Statement: object[]) => PolicySchema.parse({ Version: '2012-10-17', Statement });
const on = (Resource: string | string[], Action: string | string[] = 's3:GetObject', more: object = {}) => ({
  Effect: 'Allow',
  Action,
  Resource,
  ...more,
});
const get = (resource: string, context?: Record<string, string>) => ({
  action: 's3:GetObject',
  resource: `arn:aws:s3:::${resource}`,
  ...(context && { context }),
});

test('what no statement allows is refused; no policy is no limit', () => {
  const own = policy(on('arn:aws:s3:::b/own/*'));
  expect(isAllowed(own, get('b/own/x/y'))).toBe(true);
  expect(isAllowed(own, get('b/own'))).toBe(false);
  expect(isAllowed(own, get('b/other/own/x'))).toBe(false);
  expect(isAllowed(own, { ...get('b/own/x'), action: 's3:PutObject' })).toBe(false);
  expect(isAllowed(undefined, get('b/anything'))).toBe(true);
});

test('wildcards stand for any characters, every other character for itself', () => {
  expect(isAllowed(policy(on('arn:aws:s3:::b/a.b')), get('b/aXb'))).toBe(false);
  expect(isAllowed(policy(on('arn:aws:s3:::b/a?c')), get('b/a/c'))).toBe(true);
  expect(isAllowed(policy(on('*', 'S3:get*')), get('b/x\ny'))).toBe(true);
  const slow = policy(on(`arn:aws:s3:::${'*'.repeat(200)}x`));
  expect(isAllowed(slow, get('a'.repeat(1_000)))).toBe(false);
});

test('a Deny closes what an Allow opens', () => {
  const both = policy(on('*'), { ...on('arn:aws:s3:::b/secret/*'), Effect: 'Deny' });
  expect(isAllowed(both, get('b/x'))).toBe(true);
  expect(isAllowed(both, get('b/secret/x'))).toBe(false);
});

test('conditions hold on the keys of the request; an absent key fails all but IfExists', () => {
  const when = (operator: string, value: string | string[]) =>
    policy(on('*', '*', { Condition: { [operator]: { 's3:prefix': value } } }));
  const at = (prefix: string) => get('b', { 's3:prefix': prefix });
  expect(isAllowed(when('StringLike', ['a/*', 'b/*']), at('b/x'))).toBe(true);
  expect(isAllowed(when('StringLike', 'a/*'), at('b/x'))).toBe(false);
  expect(isAllowed(when('StringLike', '*'), get('b'))).toBe(false);
  expect(isAllowed(when('StringLikeIfExists', 'a/*'), get('b'))).toBe(true);
  expect(isAllowed(when('StringEquals', 'a/*'), at('a/x'))).toBe(false);
  expect(isAllowed(when('StringNotEquals', 'a'), at('a'))).toBe(false);
});

test('what is not understood is refused when the policy is read', () => {
  const bad = [
    { Statement: [] },
    { Statement: [{ Effect: 'Allow', NotAction: '*', Resource: '*' }] },
    { Statement: [{ ...on('*'), Principal: '*' }] },
    { Statement: [on('*', '*', { Condition: { IpAddress: { 'aws:SourceIp': '1.2.3.4' } } })] },
    { Statement: [on('*')], Extra: 1 },
  ];
  for (const document of bad) expect(PolicySchema.safeParse(document).success).toBe(false);
});
