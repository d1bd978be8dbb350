import { withSessions } from '../../../local/emulator/roleSessions.ts';

const ROLE = 'arn:aws:iam::123456789012:role/worker';
const SESSION = 'arn:aws:sts::123456789012:assumed-role/worker/build-worker';
const sessions = new Map([[ROLE, [SESSION]]]);
const policy = (AWS: string | string[]) =>
  JSON.stringify({ Statement: [{ Effect: 'Allow', Action: 'sts:AssumeRole', Principal: { AWS } }] });

it('adds the sessions of a role that is trusted, once, and changes nothing else', () => {
  expect(withSessions(policy(ROLE), sessions)).toBe(policy([ROLE, SESSION]));
  expect(withSessions(policy([ROLE, SESSION]), sessions)).toBeNull();
  expect(withSessions(policy('arn:aws:iam::123456789012:root'), sessions)).toBeNull();
  expect(withSessions(JSON.stringify({ Statement: { Principal: { Service: 'lambda' } } }), sessions)).toBeNull();
});
