import { METRICS } from '../../contract/metrics.ts';
import { s3Keys } from '../../contract/names.ts';
import type { S3Calls } from '../shared/adapters/aws/clients.ts';
import type { Measure } from '../shared/metrics.ts';
import { digestOf } from './giveUp.ts';
import type { ProjectorDeps } from './project.ts';

/** Keeps messages that could not be read in the bucket, where an operator can look at them; each has its own key. */
export function parkInBucket(s3: S3Calls, bucket: string, measure: Measure): ProjectorDeps['park'] {
  return async (poison) => {
    const { PutObjectCommand } = await import('@aws-sdk/client-s3');
    await s3.send(
      new PutObjectCommand({
        Bucket: bucket,
        Key: s3Keys.parked(poison.topic, poison.partition, poison.offset, digestOf(poison.value)),
        Body: JSON.stringify(poison),
        ContentType: 'application/json',
      }),
    );
    measure({ [METRICS.parkedMessages]: 1 });
  };
}
