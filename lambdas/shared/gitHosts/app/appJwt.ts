import { createSign } from 'node:crypto';

/** GitHub takes at most ten minutes, and clocks differ. Source: GitHub, "Generating a JSON Web Token (JWT) for a GitHub App". */
const BACK_SECONDS = 60;
const AHEAD_SECONDS = 540;

const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');

/** What an App proves itself with: RS256, RFC 7515 and 7519. @param now The time as GitHub has it (ms). */
export function signAppJwt({ appId, privateKey }: { appId: number; privateKey: string }, now: number): string {
  const seconds = Math.floor(now / 1_000);
  const claims = { iat: seconds - BACK_SECONDS, exp: seconds + AHEAD_SECONDS, iss: String(appId) };
  const text = `${encode({ alg: 'RS256', typ: 'JWT' })}.${encode(claims)}`;
  return `${text}.${createSign('RSA-SHA256').update(text).sign(privateKey, 'base64url')}`;
}
