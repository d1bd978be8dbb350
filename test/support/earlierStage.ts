import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DeploymentRecord } from '../../contract/record.ts';
import type { KeptMessage } from '../../operator/rebuild/readTopics.ts';
import { ROOT } from './veren.ts';

/** What commit d91163f has left behind; README.md in it says how it was recorded. */
const FIXTURE = join(ROOT, 'test/fixtures/stage-d91163f');

type Name = 'first' | 'second' | 'failed' | 'backend' | 'canceled' | 'underway';

interface SessionStatement {
  readonly Effect: string;
  readonly Action: readonly string[];
  readonly Resource: string | readonly string[];
  readonly Condition?: object;
}

interface EarlierStage {
  readonly deployments: Readonly<Record<Name, string>>;
  readonly messages: readonly { topic: string; partition: number; offset: number; key: string; value: string }[];
  /** The records as d91163f itself had them. */
  readonly records: Readonly<Record<Name, DeploymentRecord>>;
  readonly logs: Readonly<Record<Name, readonly { seq: number; line: string }[]>>;
  /** Of the build that was under way. */
  readonly builder: {
    readonly startedBy: string;
    readonly notes: { readonly taskArn: string };
    readonly environment: Readonly<Record<string, string>>;
    readonly policy: { readonly Statement: readonly SessionStatement[] };
  };
}

export const earlierStage: EarlierStage = JSON.parse(readFileSync(join(FIXTURE, 'topics.json'), 'utf8'));

/** Its messages as a broker keeps them; none is signed. */
export const earlierMessages = (): KeptMessage[] =>
  earlierStage.messages.map(({ topic, partition, key, value }) => ({
    topic,
    partition,
    key,
    value: Buffer.from(value),
    mac: '',
  }));

const unpack = (name: string, folder: string) => {
  execFileSync('tar', ['-xzf', join(FIXTURE, name), '-C', folder]);
};

/** Its data folder (journal, bucket, tasks), unpacked into this folder; gives the path. */
export function unpackEarlierData(folder: string): string {
  unpack('data.tar.gz', folder);
  return join(folder, 'data');
}

/** Sources of its frontend builder, unpacked into this folder. */
export const unpackEarlierBuilder = (folder: string): void => unpack('builder.tar.gz', folder);

/** A clone of the repository that it has deployed; its path. */
export function cloneEarlierSite(folder: string): string {
  const site = join(folder, 'site');
  execFileSync('git', ['clone', '-q', '-b', 'main', join(FIXTURE, 'site.bundle'), site]);
  return site;
}
