import { randomBytes } from 'node:crypto';
import { createServer, type Socket } from 'node:net';
import type { z } from 'zod';
import type { KafkaEnvSchema } from '../../contract/kafka-env.ts';
import { BUILDER_TOPICS } from '../../contract/names.ts';
import { type Endpoint, listenOnLoopback } from '../awsProtocol/listen.ts';
import { Connection, type KafkaFault } from './connection.ts';
import { ProduceApi } from './produce.ts';
import type { KafkaMessage } from './recordBatch.ts';
import { type ScramUser, scramVerifier } from './scram.ts';

export interface KafkaEndpointOptions {
  readonly port?: number;
  /** Topics that may be written, each with one partition; every other is refused. Default: those of builders. */
  readonly topics?: readonly string[];
  /** Producers must prove by SCRAM-SHA-512 that they know it. Absent: all programs of this machine may produce. */
  readonly user?: ScramUser;
  /** A batch is acknowledged when this has resolved; a rejection is answered as a fault that producers try again. */
  readonly onMessages: (topic: string, messages: readonly KafkaMessage[]) => Promise<void>;
  /** For tests: asked at each request, with the number of requests of its kind so far (from 1). */
  readonly fault?: (api: string, n: number) => KafkaFault | undefined;
}

export interface KafkaEndpoint extends Endpoint {
  /** `127.0.0.1:<port>`, as `KAFKA_BROKERS` has it. */
  readonly broker: string;
  /** What a builder needs in its environment to produce here. */
  readonly environment: z.input<typeof KafkaEnvSchema>;
}

const MAX_CONNECTIONS = 256;

/**
 * Random, since a build that knew another's id could write batches with its numbers, so that the other's would count as
 * repeats.
 */
const newProducerId = (): bigint => randomBytes(8).readBigUInt64BE() >> 1n;

/** A user for one run of the platform: builds of an earlier run have ended, so nothing has to be stored. */
export const randomScramUser = (): ScramUser => ({
  username: 'builder',
  password: randomBytes(24).toString('base64url'),
});

/**
 * The part of a Kafka broker that a producer needs: ApiVersions, SASL/SCRAM, Metadata, InitProducerId and Produce. So a
 * builder reports on the laptop by the very code that it uses on AWS.
 */
export async function startKafkaEndpoint(options: KafkaEndpointOptions): Promise<KafkaEndpoint> {
  const topics = new Set<string>(options.topics ?? BUILDER_TOPICS);
  const produce = new ProduceApi({ append: options.onMessages, has: (topic) => topics.has(topic) });
  const verifier = options.user && scramVerifier(options.user);
  const calls = new Map<string, number>();

  const server = createServer({ noDelay: true }, (socket: Socket) => {
    const connection = new Connection({
      port: socket.localPort ?? 0,
      topics,
      produce,
      verifier,
      newProducerId,
      fault: (api) => {
        const n = (calls.get(api) ?? 0) + 1;
        calls.set(api, n);
        return options.fault?.(api, n);
      },
    });
    void connection.serve(socket);
  });
  server.maxConnections = MAX_CONNECTIONS;
  const endpoint = await listenOnLoopback(server, options.port);
  const broker = `127.0.0.1:${endpoint.port}`;
  const environment: KafkaEndpoint['environment'] = options.user
    ? {
        KAFKA_BROKERS: broker,
        KAFKA_SECURITY: 'sasl_plaintext',
        KAFKA_USERNAME: options.user.username,
        KAFKA_PASSWORD: options.user.password,
      }
    : { KAFKA_BROKERS: broker, KAFKA_SECURITY: 'plaintext' };
  return { ...endpoint, url: `kafka://${broker}`, broker, environment };
}
