import { createHash } from 'node:crypto';
import { XMLParser, XMLValidator } from 'fast-xml-parser';
import type { z } from 'zod';
import { readBody } from '../awsProtocol/body.ts';
import { ServiceError } from '../awsProtocol/serviceError.ts';
import { sha256Hex } from '../awsProtocol/sigv4.ts';
import { requestHeader, type S3Context } from './context.ts';

/** 1,000 keys of 1,024 bytes, each byte as an entity, and markup. */
const MAX_XML = 8 * 1024 * 1024;

const NAMED: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

/** In one pass, numeric ones too (Go's clients write `&#34;`): the library's own decoding knows only the named ones. */
export const decodeEntities = (text: string) =>
  text.replace(/&(?:#x([0-9a-f]{1,6})|#([0-9]{1,7})|(amp|lt|gt|quot|apos));/gi, (whole, hex, decimal, name) => {
    if (name !== undefined) return NAMED[name.toLowerCase()]!;
    const code = hex === undefined ? Number(decimal) : Number.parseInt(hex, 16);
    return code <= 0x10ffff ? String.fromCodePoint(code) : whole;
  });

const parser = new XMLParser({
  parseTagValue: false,
  trimValues: false,
  ignoreAttributes: true,
  ignoreDeclaration: true,
  processEntities: false,
  tagValueProcessor: (_, value) => decodeEntities(value),
  isArray: (name) => name === 'Object' || name === 'Part',
});

/** Reads an XML body and checks its hash (signed hash or MD5) and its shape. */
export async function readXml<T extends z.ZodType>(context: S3Context, schema: T): Promise<z.output<T>> {
  const body = await readBody(context.request, MAX_XML);
  const { payloadHash } = context.verified;
  if (payloadHash !== 'UNSIGNED-PAYLOAD' && payloadHash !== sha256Hex(body))
    throw new ServiceError(
      'XAmzContentSHA256Mismatch',
      400,
      'The provided x-amz-content-sha256 header does not match what was computed.',
    );
  const md5 = requestHeader(context, 'content-md5');
  if (md5 !== undefined && md5 !== createHash('md5').update(body).digest('base64'))
    throw new ServiceError('BadDigest', 400, 'The Content-MD5 you specified did not match what we received.');
  const text = body.toString('utf8');
  // A document type is not allowed, since it could define entities.
  const parsed = text.includes('<!') || XMLValidator.validate(text) !== true ? undefined : parseSafely(text);
  const result = schema.safeParse(parsed);
  if (!result.success)
    throw new ServiceError(
      'MalformedXML',
      400,
      'The XML you provided was not well-formed or did not validate against our published schema',
    );
  return result.data;
}

function parseSafely(text: string): unknown {
  try {
    return parser.parse(text);
  } catch {
    return undefined;
  }
}
