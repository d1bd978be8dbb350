import type { Redis } from 'ioredis';
import { type Bell, Bells } from '../following.ts';
import { withRedisRetry } from './available.ts';

/** Followers also read at this interval, in case a message was lost on a connection that died unnoticed. */
const LOOK_MS = 10_000;

/** Rings followers' bells for messages on their deployments' channels, over one connection that is made when needed. */
export class Wakes {
  readonly #redis: Redis;
  readonly #channel: (deploymentId: string) => string;
  readonly #bells = new Bells();
  #subscriber: Redis | null = null;
  #timer: NodeJS.Timeout | null = null;
  /** Messages received until now. */
  messages = 0;

  constructor(redis: Redis, channel: (deploymentId: string) => string) {
    this.#redis = redis;
    this.#channel = channel;
  }

  /** Resolves once no message can be missed any more. */
  async join(deploymentId: string): Promise<Bell> {
    const bell = this.#bells.join(deploymentId);
    try {
      await withRedisRetry(() => this.#connection().subscribe(this.#channel(deploymentId)));
    } catch (e) {
      await this.leave(deploymentId, bell);
      throw e;
    }
    return bell;
  }

  async leave(deploymentId: string, bell: Bell): Promise<void> {
    if (!this.#bells.leave(deploymentId, bell)) return;
    // A subscription that stays behind costs little, so a failure here is not worth failing the follower.
    await this.#subscriber?.unsubscribe(this.#channel(deploymentId)).catch(() => {});
  }

  close(): void {
    if (this.#timer) clearInterval(this.#timer);
    this.#subscriber?.disconnect();
    this.#subscriber = null;
  }

  #connection(): Redis {
    if (this.#subscriber) return this.#subscriber;
    const subscriber = this.#redis.duplicate({ autoResubscribe: true });
    const start = this.#channel('').length;
    subscriber.on('error', () => {});
    subscriber.on('message', (channel: string, message: string) => {
      this.messages++;
      this.#bells.ring(channel.slice(start), message === 'wake');
    });
    // Messages that were published while the connection was away are lost, so all followers read again.
    let away = false;
    subscriber.on('close', () => {
      away = true;
    });
    subscriber.on('ready', () => {
      if (away) this.#ringAll(true);
      away = false;
    });
    this.#timer = setInterval(() => this.#ringAll(false), LOOK_MS).unref();
    this.#subscriber = subscriber;
    return subscriber;
  }

  #ringAll(wake: boolean): void {
    this.messages++;
    this.#bells.ringAll(wake);
  }
}
