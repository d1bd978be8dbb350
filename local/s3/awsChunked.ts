import { createHash, type Hash } from 'node:crypto';
import { ServiceError } from '../awsProtocol/serviceError.ts';
import { hmacSha256, type SigningSeed, sameText, sha256Hex } from '../awsProtocol/sigv4.ts';

/**
 * Decodes `Content-Encoding: aws-chunked`: chunks of `<hex size>[;chunk-signature=…]\r\n<data>\r\n`, the last of size 0,
 * then trailing headers and an empty line. Source: S3 API reference, "Signature calculations for the authorization
 * header: transferring payload in multiple chunks" and "… with trailing headers".
 */
const MAX_LINE = 4_096;
const MAX_TRAILERS = 16;
const EMPTY_SHA256 = sha256Hex('');
const malformedBody = (what: string) =>
  new ServiceError('IncompleteBody', 400, `The aws-chunked body is malformed: ${what}.`);

export class AwsChunkedDecoder {
  /** Lower-case names. Complete after `finish`. */
  readonly trailers = new Map<string, string>();
  readonly #seed: SigningSeed | undefined;
  #state: 'size' | 'data' | 'dataEnd' | 'trailer' | 'done' = 'size';
  #line = '';
  #left = 0;
  #previousSignature: string;
  #chunkSignature = '';
  #chunkHash: Hash | undefined;
  #signedTrailers = '';
  #trailerSignature: string | undefined;

  /** @param seed Given: every chunk must be signed, beginning from the request's own signature. */
  constructor(seed?: SigningSeed) {
    this.#seed = seed;
    this.#previousSignature = seed?.signature ?? '';
  }

  /** Takes bytes as they come, gives the data among them. */
  push(input: Buffer): Buffer[] {
    const output: Buffer[] = [];
    let at = 0;
    while (at < input.length) {
      if (this.#state === 'done') throw malformedBody('there are bytes after its end');
      if (this.#state === 'data') {
        const data = input.subarray(at, at + this.#left);
        at += data.length;
        this.#left -= data.length;
        this.#chunkHash?.update(data);
        output.push(data);
        if (this.#left === 0) this.#endOfData();
        continue;
      }
      const newline = input.indexOf(10, at);
      const end = newline < 0 ? input.length : newline;
      this.#line += input.toString('latin1', at, end);
      if (this.#line.length > MAX_LINE) throw malformedBody('a line is too long');
      at = end + 1;
      if (newline < 0) break;
      if (!this.#line.endsWith('\r')) throw malformedBody('a line does not end with CR LF');
      const line = this.#line.slice(0, -1);
      this.#line = '';
      this.#onLine(line);
    }
    return output;
  }

  /** Call it at the end of the input. @throws ServiceError where the body is not complete. */
  finish(): void {
    if (this.#state !== 'done') throw malformedBody('it ends too early');
  }

  #onLine(line: string): void {
    if (this.#state === 'size') this.#onSize(line);
    else if (this.#state === 'dataEnd') {
      if (line !== '') throw malformedBody('a chunk is longer than its size');
      this.#state = 'size';
    } else if (line === '') this.#onEnd();
    else this.#onTrailer(line);
  }

  #onSize(line: string): void {
    const match = /^([0-9a-fA-F]{1,12})(?:;chunk-signature=([0-9a-f]{64}))?$/.exec(line);
    if (!match) throw malformedBody('a chunk has no valid size');
    if (this.#seed) {
      if (!match[2]) throw new ServiceError('SignatureDoesNotMatch', 403, 'A chunk is not signed.');
      this.#chunkSignature = match[2];
      this.#chunkHash = createHash('sha256');
    }
    this.#left = Number.parseInt(match[1]!, 16);
    if (this.#left > 0) this.#state = 'data';
    else {
      this.#checkChunk();
      this.#state = 'trailer';
    }
  }

  #endOfData(): void {
    this.#checkChunk();
    this.#state = 'dataEnd';
  }

  #checkChunk(): void {
    if (this.#seed && this.#chunkHash)
      this.#check('PAYLOAD', `${EMPTY_SHA256}\n${this.#chunkHash.digest('hex')}`, this.#chunkSignature);
  }

  #check(kind: 'PAYLOAD' | 'TRAILER', content: string, given: string): void {
    const { key, amzDate, scope } = this.#seed!;
    const text = `AWS4-HMAC-SHA256-${kind}\n${amzDate}\n${scope}\n${this.#previousSignature}\n${content}`;
    const expected = hmacSha256(key, text).toString('hex');
    if (!sameText(expected, given))
      throw new ServiceError('SignatureDoesNotMatch', 403, 'The signature of a chunk does not match.');
    this.#previousSignature = expected;
  }

  #onTrailer(line: string): void {
    const colon = line.indexOf(':');
    if (colon < 1 || this.trailers.size >= MAX_TRAILERS) throw malformedBody('a trailing header is not valid');
    const name = line.slice(0, colon).trim().toLowerCase();
    const value = line.slice(colon + 1).trim();
    if (name === 'x-amz-trailer-signature') this.#trailerSignature = value;
    else {
      this.trailers.set(name, value);
      this.#signedTrailers += `${name}:${value}\n`;
    }
  }

  #onEnd(): void {
    if (this.#seed && this.trailers.size > 0) {
      if (!this.#trailerSignature)
        throw new ServiceError('SignatureDoesNotMatch', 403, 'The trailing headers are not signed.');
      this.#check('TRAILER', sha256Hex(this.#signedTrailers), this.#trailerSignature);
    }
    this.#state = 'done';
  }
}
