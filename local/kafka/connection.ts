import type { Socket } from 'node:net';
import { KAFKA_ERROR, KafkaError } from './errorCodes.ts';
import { readFrames } from './frames.ts';
import type { ProduceApi } from './produce.ts';
import { SCRAM_MECHANISM, ScramConversation, type ScramVerifier } from './scram.ts';
import { WireReader, WireWriter } from './wire.ts';

/** `retriable`: answered as "not the leader". `drop…`: the connection breaks before or after the request was carried out. */
export type KafkaFault = 'retriable' | 'drop' | 'drop-after';

interface ConnectionOptions {
  readonly port: number;
  readonly topics: ReadonlySet<string>;
  readonly produce: ProduceApi;
  readonly verifier: ScramVerifier | undefined;
  readonly newProducerId: () => bigint;
  readonly fault: (api: string) => KafkaFault | undefined;
}

interface Request {
  readonly body: WireReader;
  readonly version: number;
  readonly fault: KafkaFault | undefined;
}

interface Api {
  readonly name: string;
  readonly versions: readonly [min: number, max: number];
  /** False: no answer is sent. */
  readonly answer: (request: Request, response: WireWriter) => Promise<boolean> | boolean;
}

const MAX_FRAME = 8 * 1024 * 1024;
/** Limits of memory and time for clients that have not logged in. */
const MAX_FRAME_BEFORE_LOGIN = 16 * 1024;
const LOGIN_TIMEOUT_MS = 20_000;
const API_VERSIONS = 18;

/** One producer's connection. Requests are carried out one after the other, as a broker does. */
export class Connection {
  readonly #options: ConnectionOptions;
  readonly #apis: ReadonlyMap<number, Api>;
  #conversation: ScramConversation | undefined;
  #trusted: boolean;

  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.#trusted = options.verifier === undefined;
    this.#apis = new Map<number, Api>([
      [0, { name: 'Produce', versions: [3, 7], answer: (request, response) => this.#produce(request, response) }],
      [3, { name: 'Metadata', versions: [4, 4], answer: (request, response) => this.#metadata(request, response) }],
      [
        17,
        { name: 'SaslHandshake', versions: [1, 1], answer: (request, response) => this.#handshake(request, response) },
      ],
      [
        API_VERSIONS,
        { name: 'ApiVersions', versions: [0, 2], answer: (request, response) => this.#apiVersions(request, response) },
      ],
      [
        22,
        {
          name: 'InitProducerId',
          versions: [0, 1],
          answer: (request, response) => this.#initProducerId(request, response),
        },
      ],
      [
        36,
        {
          name: 'SaslAuthenticate',
          versions: [0, 1],
          answer: (request, response) => this.#authenticate(request, response),
        },
      ],
    ]);
  }

  /** Runs until the connection ends. Invalid or forbidden requests close it from this side. */
  async serve(socket: Socket): Promise<void> {
    socket.on('error', () => socket.destroy());
    const deadline = setTimeout(() => this.#trusted || socket.destroy(), LOGIN_TIMEOUT_MS);
    deadline.unref();
    try {
      for await (const frame of readFrames(socket, () => (this.#trusted ? MAX_FRAME : MAX_FRAME_BEFORE_LOGIN))) {
        const answer = await this.#answer(new WireReader(frame));
        if (answer && !socket.write(answer))
          await new Promise((resume) => socket.once('drain', resume).once('close', resume));
      }
    } catch {
      // An invalid frame, a wrong password, or the other side has closed the connection: there is no answer to send.
    } finally {
      clearTimeout(deadline);
      socket.destroySoon();
    }
  }

  async #answer(body: WireReader): Promise<Buffer | undefined> {
    const key = body.int16();
    const version = body.int16();
    const response = new WireWriter().int32(body.int32());
    const api = this.#apis.get(key);
    if (!api) throw new RangeError(`Request ${key} is not known here.`);
    if (version < api.versions[0] || version > api.versions[1]) {
      // The one request that clients send before they know what is known here. Source: KIP-511.
      if (key !== API_VERSIONS) throw new RangeError(`${api.name} has no version ${version} here.`);
      return this.#writeApiVersions(response.int16(KAFKA_ERROR.UNSUPPORTED_VERSION)).frame();
    }
    if (!this.#trusted && !['ApiVersions', 'SaslHandshake', 'SaslAuthenticate'].includes(api.name))
      throw new KafkaError(KAFKA_ERROR.ILLEGAL_SASL_STATE, 'Log in first.');
    body.nullableString(); // client id
    const fault = this.#options.fault(api.name);
    if (fault === 'drop') throw new Error('A test breaks the connection.');
    const wanted = await api.answer({ body, version, fault }, response);
    if (fault === 'drop-after') throw new Error('A test breaks the connection.');
    return wanted ? response.frame() : undefined;
  }

  #apiVersions({ version }: Request, response: WireWriter): boolean {
    this.#writeApiVersions(response.int16(KAFKA_ERROR.NONE));
    if (version >= 1) response.int32(0);
    return true;
  }

  #writeApiVersions(response: WireWriter): WireWriter {
    return response.array([...this.#apis], ([key, { versions }]) =>
      response.int16(key).int16(versions[0]).int16(versions[1]),
    );
  }

  #metadata({ body }: Request, response: WireWriter): boolean {
    const { topics, port } = this.#options;
    const wanted = body.array(() => body.string()) ?? [...topics];
    response.int32(0);
    response.array([0], (id) => response.int32(id).string('127.0.0.1').int32(port).string(null));
    response.string('veren-local').int32(0);
    response.array(wanted, (topic) => {
      const known = topics.has(topic);
      response
        .int16(known ? KAFKA_ERROR.NONE : KAFKA_ERROR.TOPIC_AUTHORIZATION_FAILED)
        .string(topic)
        .int8(0);
      response.array(known ? [0] : [], (partition) => {
        response.int16(KAFKA_ERROR.NONE).int32(partition).int32(0);
        for (const _replicas of ['all', 'in sync']) response.array([0], (id) => response.int32(id));
      });
    });
    return true;
  }

  #initProducerId({ body }: Request, response: WireWriter): boolean {
    body.nullableString();
    response.int32(0).int16(KAFKA_ERROR.NONE).int64(this.#options.newProducerId()).int16(0);
    return true;
  }

  #produce({ body, version, fault }: Request, response: WireWriter): Promise<boolean> {
    const code = fault === 'retriable' ? KAFKA_ERROR.NOT_LEADER_OR_FOLLOWER : undefined;
    return this.#options.produce.answer(body, response, version, code);
  }

  #handshake({ body }: Request, response: WireWriter): boolean {
    const { verifier } = this.#options;
    const possible = verifier !== undefined && body.string() === SCRAM_MECHANISM;
    if (possible) this.#conversation = new ScramConversation(verifier);
    response.int16(possible ? KAFKA_ERROR.NONE : KAFKA_ERROR.UNSUPPORTED_SASL_MECHANISM);
    response.array(verifier ? [SCRAM_MECHANISM] : [], (name) => response.string(name));
    return true;
  }

  #authenticate({ body, version }: Request, response: WireWriter): boolean {
    const writeAnswer = (code: number, message: string | null, reply: string) => {
      response.int16(code).string(message).bytes(Buffer.from(reply));
      if (version >= 1) response.int64(0n);
      return true;
    };
    const conversation = this.#conversation;
    if (!conversation) return writeAnswer(KAFKA_ERROR.ILLEGAL_SASL_STATE, 'Send a SaslHandshake first.', '');
    try {
      const { reply, done } = conversation.answer((body.nullableBytes() ?? Buffer.alloc(0)).toString('utf8'));
      if (done) this.#trusted = true;
      return writeAnswer(KAFKA_ERROR.NONE, null, reply);
    } catch (error) {
      if (!(error instanceof KafkaError)) throw error;
      this.#conversation = undefined; // one guess for each handshake
      return writeAnswer(error.code, error.message, '');
    }
  }
}
