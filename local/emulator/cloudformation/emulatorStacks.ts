/** The emulator's own CloudFormation, called in its query protocol with the account's root key. */

export type Form = Readonly<Record<string, string>>;

export interface EmulatorStacks {
  /** @returns the answer's XML. @throws Error with the emulator's message */
  call(action: string, form: Form): Promise<string>;
  outputs(stack: string): Promise<Map<string, string>>;
  putTemplate(name: string, body: string): Promise<string>;
  readTemplate(url: string): Promise<string>;
}

const VERSION = '2010-05-15';

/** Emulators take this key without a signature. */
export const rootAuthorization = (service: string, region: string): string =>
  `AWS4-HMAC-SHA256 Credential=test/20260101/${region}/${service}/aws4_request, SignedHeaders=host, Signature=0`;

export function emulatorStacks({ emulator, region }: { emulator: string; region: string }): EmulatorStacks {
  const bucket = 'veren-bridge-templates';
  const s3 = (path: string, init: RequestInit = {}) =>
    fetch(`${emulator}/${path}`, { ...init, headers: { Authorization: rootAuthorization('s3', region) } });
  async function call(action: string, form: Form): Promise<string> {
    const answer = await fetch(emulator, {
      method: 'POST',
      headers: { Authorization: rootAuthorization('cloudformation', region) },
      body: new URLSearchParams({ ...form, Action: action, Version: VERSION }),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(decodeXml(/<Message>([\s\S]*?)<\/Message>/.exec(text)?.[1] ?? text));
    return text;
  }
  return {
    call,
    async outputs(stack) {
      const text = await call('DescribeStacks', { StackName: stack });
      const members = text.matchAll(/<OutputKey>([^<]*)<\/OutputKey>\s*<OutputValue>([^<]*)<\/OutputValue>/g);
      return new Map([...members].map(([, key, value]) => [key!, decodeXml(value!)]));
    },
    async putTemplate(name, body) {
      const place = `<LocationConstraint>${region}</LocationConstraint>`;
      await s3(bucket, { method: 'PUT', body: `<CreateBucketConfiguration>${place}</CreateBucketConfiguration>` });
      const answer = await s3(`${bucket}/${name}`, { method: 'PUT', body });
      if (!answer.ok) throw new Error(`The emulator's S3 takes no template: ${answer.status}`);
      return `${emulator}/${bucket}/${name}`;
    },
    async readTemplate(url) {
      const { host, pathname } = new URL(url);
      const name = /^(.+)\.s3[.-]/.exec(host)?.[1];
      const answer = await s3(name ? `${name}${pathname}` : pathname.slice(1));
      if (!answer.ok) throw new Error(`The template is not at ${url}: ${answer.status}`);
      return answer.text();
    },
  };
}

export const decodeXml = (text: string): string =>
  text.replace(/&(lt|gt|quot|apos|amp|#39|#x27);/g, (_, name: string) => ENTITIES[name]!);
export const encodeXml = (text: string): string =>
  text.replace(/[<>&"]/g, (sign) => `&${{ '<': 'lt', '>': 'gt', '&': 'amp', '"': 'quot' }[sign]};`);
const ENTITIES: Readonly<Record<string, string>> = {
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
  amp: '&',
  '#39': "'",
  '#x27': "'",
};
