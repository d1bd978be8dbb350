import { createHash, createHmac, pbkdf2Sync, randomBytes, timingSafeEqual } from 'node:crypto';
import { KAFKA_ERROR, KafkaError } from './errorCodes.ts';

/** SCRAM-SHA-512, the server's side: the mechanism of MSK. Source: RFC 5802. */
export const SCRAM_MECHANISM = 'SCRAM-SHA-512';
const HASH = 'sha512';
const ITERATIONS = 4_096;
const GS2_HEADER = 'n,,'; // no channel binding

export interface ScramUser {
  readonly username: string;
  readonly password: string;
}

/** What the server keeps of a password. */
export interface ScramVerifier {
  readonly username: string;
  readonly salt: Buffer;
  readonly storedKey: Buffer;
  readonly serverKey: Buffer;
}

const hmacSha256 = (key: Buffer, text: string) => createHmac(HASH, key).update(text).digest();
const authenticationFailed = () => new KafkaError(KAFKA_ERROR.SASL_AUTHENTICATION_FAILED, 'Authentication failed.');

export function scramVerifier({ username, password }: ScramUser): ScramVerifier {
  const salt = randomBytes(24);
  const salted = pbkdf2Sync(password, salt, ITERATIONS, 64, HASH);
  const storedKey = createHash(HASH).update(hmacSha256(salted, 'Client Key')).digest();
  return { username, salt, storedKey, serverKey: hmacSha256(salted, 'Server Key') };
}

/** One conversation: the client's first message, then its last. */
export class ScramConversation {
  readonly #verifier: ScramVerifier;
  #first: { bare: string; serverFirst: string; nonce: string } | undefined;

  constructor(verifier: ScramVerifier) {
    this.#verifier = verifier;
  }

  /** @throws KafkaError where the client has not proved that it knows the password. */
  answer(message: string): { reply: string; done: boolean } {
    return this.#first ? this.#last(message, this.#first) : this.#begin(message);
  }

  #begin(message: string): { reply: string; done: boolean } {
    const match = /^n,,(n=([^,]{1,255}),r=([\x21-\x2b\x2d-\x7e]{8,255}))$/.exec(message);
    if (!match) throw authenticationFailed();
    const nonce = match[3]! + randomBytes(18).toString('base64');
    const serverFirst = `r=${nonce},s=${this.#verifier.salt.toString('base64')},i=${ITERATIONS}`;
    this.#first = { bare: match[1]!, serverFirst, nonce };
    return { reply: serverFirst, done: false };
  }

  #last(
    message: string,
    first: { bare: string; serverFirst: string; nonce: string },
  ): { reply: string; done: boolean } {
    const match = /^(c=([^,]+),r=([^,]+)),p=([A-Za-z0-9+/=]+)$/.exec(message);
    if (!match) throw authenticationFailed();
    const [, withoutProof, binding, nonce, proof] = match as unknown as [string, string, string, string, string];
    const authMessage = `${first.bare},${first.serverFirst},${withoutProof}`;
    const signature = hmacSha256(this.#verifier.storedKey, authMessage);
    const given = Buffer.from(proof, 'base64');
    const key = Buffer.from(signature.map((byte, i) => byte ^ (given[i] ?? 0)));
    const proved =
      given.length === signature.length &&
      timingSafeEqual(createHash(HASH).update(key).digest(), this.#verifier.storedKey) &&
      Buffer.from(binding, 'base64').toString() === GS2_HEADER &&
      nonce === first.nonce &&
      first.bare.startsWith(`n=${saslName(this.#verifier.username)},`);
    if (!proved) throw authenticationFailed();
    return { reply: `v=${hmacSha256(this.#verifier.serverKey, authMessage).toString('base64')}`, done: true };
  }
}

const saslName = (name: string) => name.replaceAll('=', '=3D').replaceAll(',', '=2C');
