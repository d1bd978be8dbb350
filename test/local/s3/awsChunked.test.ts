import fc from 'fast-check';
import type { CredentialStore } from '../../../local/awsProtocol/credentials.ts';
import { ServiceError } from '../../../local/awsProtocol/serviceError.ts';
import { verifySignature } from '../../../local/awsProtocol/sigv4.ts';
import { AwsChunkedDecoder } from '../../../local/s3/awsChunked.ts';

const decode = (pieces: Buffer[], decoder = new AwsChunkedDecoder()): Buffer => {
  const data = pieces.flatMap((piece) => decoder.push(piece));
  decoder.finish();
  return Buffer.concat(data);
};
function cut(bytes: Buffer, sizes: readonly number[]): Buffer[] {
  const pieces: Buffer[] = [];
  for (let at = 0, i = 0; at < bytes.length; at += sizes[i++ % sizes.length]!)
    pieces.push(bytes.subarray(at, at + sizes[i % sizes.length]!));
  return pieces;
}

const chunks = fc.array(fc.uint8Array({ minLength: 1, maxLength: 50 }), { maxLength: 6 });
const trailers = fc.dictionary(fc.stringMatching(/^[a-z][a-z-]{0,10}$/), fc.stringMatching(/^[\x21-\x7e]{0,20}$/), {
  maxKeys: 3,
});
const sizes = fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 5 });
const encode = (parts: readonly Uint8Array[], trailing: Record<string, string>) =>
  Buffer.concat([
    ...parts.flatMap((p) => [Buffer.from(`${p.length.toString(16)}\r\n`), Buffer.from(p), Buffer.from('\r\n')]),
    Buffer.from('0\r\n'),
    ...Object.entries(trailing).map(([name, value]) => Buffer.from(`${name}:${value}\r\n`)),
    Buffer.from('\r\n'),
  ]);

test('the data and the trailing headers come out, however the body is cut', () => {
  fc.assert(
    fc.property(chunks, trailers, sizes, (parts, trailing, lengths) => {
      const decoder = new AwsChunkedDecoder();
      expect(decode(cut(encode(parts, trailing), lengths), decoder)).toEqual(Buffer.concat(parts));
      expect(Object.fromEntries(decoder.trailers)).toEqual(trailing);
    }),
  );
});

test('a body that is cut off or goes on is refused; anything else is refused or decoded, and nothing else happens', () => {
  fc.assert(
    fc.property(chunks, trailers, fc.nat(), (parts, trailing, at) => {
      const body = encode(parts, trailing);
      expect(() => decode([body.subarray(0, at % body.length)])).toThrow(ServiceError);
      expect(() => decode([body, Buffer.from('x')])).toThrow(ServiceError);
    }),
  );
  fc.assert(
    fc.property(
      fc.oneof(
        fc.uint8Array(),
        fc.stringMatching(/^[0-9a-f\r\n;:x]{0,40}$/).map((s) => Buffer.from(s)),
      ),
      (bytes) => {
        try {
          decode([Buffer.from(bytes)]);
        } catch (error) {
          expect(error).toBeInstanceOf(ServiceError);
        }
      },
    ),
  );
  expect(() => decode([Buffer.alloc(100_000, 'a')])).toThrow(/too long/);
});

describe('signed chunks: the examples of the S3 API reference', () => {
  const principal = {
    accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
    secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
    arn: 'arn:aws:iam::000000000000:root',
  };
  const credentials = {
    lookup: (id: string) => (id === principal.accessKeyId ? principal : undefined),
  } as CredentialStore;
  const request = (payload: string, more: Record<string, string>, signature: string) => {
    const headers: Record<string, string> = {
      'content-encoding': 'aws-chunked',
      host: 's3.amazonaws.com',
      'x-amz-content-sha256': payload,
      'x-amz-date': '20130524T000000Z',
      'x-amz-decoded-content-length': '66560',
      'x-amz-storage-class': 'REDUCED_REDUNDANCY',
      ...more,
    };
    const signed = Object.keys(headers).sort().join(';');
    const authorization = `AWS4-HMAC-SHA256 Credential=${principal.accessKeyId}/20130524/us-east-1/s3/aws4_request,SignedHeaders=${signed},Signature=${signature}`;
    return { method: 'PUT', url: '/examplebucket/chunkObject.txt', headers: { ...headers, authorization } };
  };
  const verify = (r: ReturnType<typeof request>) =>
    verifySignature(r, { service: 's3', credentials, now: Date.UTC(2013, 4, 24) }).seed;
  const body = (signatures: [string, string, string], end: string) =>
    Buffer.from(
      `10000;chunk-signature=${signatures[0]}\r\n${'a'.repeat(65_536)}\r\n400;chunk-signature=${signatures[1]}\r\n${'a'.repeat(1_024)}\r\n0;chunk-signature=${signatures[2]}\r\n${end}\r\n`,
    );

  const plain = request(
    'STREAMING-AWS4-HMAC-SHA256-PAYLOAD',
    { 'content-length': '66824' },
    '4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9',
  );
  const plainSignatures: [string, string, string] = [
    'ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648',
    '0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497',
    'b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9',
  ];

  test('without trailing headers', () => {
    const decoded = decode(cut(body(plainSignatures, ''), [1_000, 7]), new AwsChunkedDecoder(verify(plain)));
    expect(decoded).toEqual(Buffer.alloc(66_560, 'a'));
  });

  test('with trailing headers', () => {
    const seed = verify(
      request(
        'STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER',
        { 'x-amz-trailer': 'x-amz-checksum-crc32c' },
        '106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e',
      ),
    );
    const signed = (trailer: string) =>
      body(
        [
          'b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2',
          '1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7',
          '2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992',
        ],
        `${trailer}\r\nx-amz-trailer-signature:d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435\r\n`,
      );
    expect(decode([signed('x-amz-checksum-crc32c:sOO8/Q==')], new AwsChunkedDecoder(seed))).toHaveLength(66_560);
    expect(() => decode([signed('x-amz-checksum-crc32c:sOO8/A==')], new AwsChunkedDecoder(seed))).toThrow(
      /does not match/,
    );
  });

  test('changed data, a changed order, an unsigned chunk and a changed request are refused', () => {
    const seed = verify(plain);
    const good = body(plainSignatures, '').toString();
    for (const bad of [
      good.replace('aaa', 'aab'),
      good.replace(/;chunk-signature=\w+/, ''),
      good.replace('ad80', 'ad81'),
    ])
      expect(() => decode([Buffer.from(bad)], new AwsChunkedDecoder(seed))).toThrow(/match|not signed/);
    const [first, second, third] = plainSignatures;
    expect(() => decode([body([second, first, third], '')], new AwsChunkedDecoder(seed))).toThrow(/does not match/);
    expect(() => verify({ ...plain, url: '/examplebucket/other.txt' })).toThrow(/does not match/);
    const extra = { ...plain, headers: { ...plain.headers, 'x-amz-acl': 'public-read' } };
    expect(() => verify(extra)).toThrow(/not signed/);
  });
});
