import { z } from 'zod';
import { type DeploymentEvent, DeploymentEventSchema, type LogLine, LogLineSchema } from '../../contract/events.ts';
import { s3Keys } from '../../contract/names.ts';
import { type DeploymentRecord, DeploymentRecordSchema } from '../../contract/record.ts';
import type { S3Calls } from './adapters/aws/clients.ts';
import { listObjects } from './listObjects.ts';

/** The cold copies in S3 of a deployment that has ended. */
export interface Archive {
  /** The record, and the events that it is made of. */
  writeRecord(record: DeploymentRecord, events: readonly DeploymentEvent[]): Promise<void>;
  readRecord(deploymentId: string): Promise<DeploymentRecord | null>;
  /** One NDJSON object; replaces an earlier one. */
  writeLog(deploymentId: string, lines: AsyncIterable<readonly LogLine[]>): Promise<void>;
  /** At most `limit` lines with `seq > after`, oldest first; null where there is no archive. Default: all. */
  readLog(deploymentId: string, after: number, limit?: number): Promise<LogLine[] | null>;
}

/** The archive as a rebuild needs it. */
export interface WholeArchive extends Archive {
  readEvents(deploymentId: string): Promise<DeploymentEvent[] | null>;
  /** Ids of the deployments whose events, or whose log, are there. */
  list(what: 'events' | 'log'): AsyncIterable<string>;
}

export function s3Archive(s3: S3Calls, bucket: string): WholeArchive {
  const putObject = async (key: string, body: string, type: string) => {
    const { PutObjectCommand } = await import('@aws-sdk/client-s3');
    await s3.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: Buffer.from(body), ContentType: type }));
  };
  const openObject = async (key: string) => {
    const { GetObjectCommand } = await import('@aws-sdk/client-s3');
    try {
      return (await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }))).Body ?? null;
    } catch (e) {
      if ((e as Error).name === 'NoSuchKey') return null;
      throw e;
    }
  };
  const getText = async (key: string): Promise<string | null> =>
    (await (await openObject(key))?.transformToString()) ?? null;
  return {
    async writeRecord(record, events) {
      // The record is written last, so that a deployment with a record has its events too, and is listed.
      await putObject(s3Keys.archivedOf(record.projectId) + record.deploymentId, '', 'application/json');
      await putObject(s3Keys.events(record.deploymentId), JSON.stringify(events), 'application/json');
      await putObject(s3Keys.record(record.deploymentId), JSON.stringify(record), 'application/json');
    },
    async readRecord(deploymentId) {
      const text = await getText(s3Keys.record(deploymentId));
      return text === null ? null : DeploymentRecordSchema.parse(JSON.parse(text));
    },
    async readEvents(deploymentId) {
      const text = await getText(s3Keys.events(deploymentId));
      return text === null ? null : z.array(DeploymentEventSchema).parse(JSON.parse(text));
    },
    async writeLog(deploymentId, lines) {
      let body = '';
      for await (const page of lines) for (const line of page) body += `${JSON.stringify(line)}\n`;
      await putObject(s3Keys.log(deploymentId), body, 'application/x-ndjson');
    },
    async readLog(deploymentId, after, limit = Number.POSITIVE_INFINITY) {
      const body = await openObject(s3Keys.log(deploymentId));
      if (body === null) return null;
      const lines: LogLine[] = [];
      for await (const text of linesOf(body)) {
        if (lines.length >= limit) break;
        // Most lines of a long log are before or after the page, so they are skipped without parsing them.
        if (Number(SEQ.exec(text)?.[1] ?? Number.POSITIVE_INFINITY) <= after) continue;
        const line = LogLineSchema.parse(JSON.parse(text));
        if (line.seq > after) lines.push(line);
      }
      return lines;
    },
    async *list(what) {
      // A key is a prefix, the id and an extension; the key of an id that cannot exist shows both ends.
      const [prefix = '', extension = ''] = s3Keys[what]('\0').split('\0');
      for await (const { Key = '' } of listObjects(s3, bucket, prefix))
        if (Key.endsWith(extension)) yield Key.slice(prefix.length, -extension.length);
    },
  };
}

const SEQ = /^\{"seq":(\d+),/;

/** The lines of a stream, without the empty ones. Leaving the loop early ends the stream. */
async function* linesOf(body: unknown): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of body as AsyncIterable<Uint8Array>) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    yield* lines.filter((line) => line !== '');
  }
  if (rest !== '') yield rest;
}
