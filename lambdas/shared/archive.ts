import { GetObjectCommand, NoSuchKey, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { type LogLine, LogLineSchema } from '../../contract/events.ts';
import { s3Keys } from '../../contract/names.ts';
import { type DeploymentRecord, DeploymentRecordSchema } from '../../contract/record.ts';

/** The cold copies in S3 of a deployment that has ended. */
export interface Archive {
  writeRecord(record: DeploymentRecord): Promise<void>;
  readRecord(deploymentId: string): Promise<DeploymentRecord | null>;
  /** One NDJSON object; replaces an earlier one. */
  writeLog(deploymentId: string, lines: AsyncIterable<readonly LogLine[]>): Promise<void>;
  /** Lines with `seq > after`, oldest first; null where there is no archive. */
  readLog(deploymentId: string, after: number): Promise<LogLine[] | null>;
}

export function s3Archive(s3: S3Client, bucket: string): Archive {
  const put = (key: string, body: string, type: string) =>
    s3.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: Buffer.from(body), ContentType: type }));
  const get = async (key: string): Promise<string | null> => {
    try {
      const answer = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
      return (await answer.Body?.transformToString()) ?? '';
    } catch (e) {
      if (e instanceof NoSuchKey) return null;
      throw e;
    }
  };
  return {
    async writeRecord(record) {
      await put(s3Keys.record(record.deploymentId), JSON.stringify(record), 'application/json');
    },
    async readRecord(deploymentId) {
      const text = await get(s3Keys.record(deploymentId));
      return text === null ? null : DeploymentRecordSchema.parse(JSON.parse(text));
    },
    async writeLog(deploymentId, lines) {
      let body = '';
      for await (const page of lines) for (const line of page) body += `${JSON.stringify(line)}\n`;
      await put(s3Keys.log(deploymentId), body, 'application/x-ndjson');
    },
    async readLog(deploymentId, after) {
      const text = await get(s3Keys.log(deploymentId));
      if (text === null) return null;
      const lines = text.split('\n').filter((l) => l !== '');
      return lines.map((l) => LogLineSchema.parse(JSON.parse(l))).filter((l) => l.seq > after);
    },
  };
}
