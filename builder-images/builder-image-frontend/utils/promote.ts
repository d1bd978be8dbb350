import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Manifest, ManifestSchema, type Promotion, PromotionSchema } from '../../../contract/manifest.ts';
import { s3Keys } from '../../../contract/names.ts';
import { forEachParallel } from '../../../lambdas/shared/async.ts';
import type { Objects } from '../../shared/object-calls.ts';
import { planPromotion, type SiteState } from './promotion-plan.ts';

/** A holder that has not renewed for so long has died; one that finds itself late stops by itself. */
const LEASE_MS = 60_000;
const POLL_MS = 250;
const AT_ONCE = 96;
/** Objects between two looks at the lease. */
const CHUNK = 1_000;

export interface PromoteInput {
  readonly objects: CopyObjects;
  readonly projectId: string;
  readonly manifest: Manifest;
  /** One that has been read already, perhaps the live one: a manifest never changes. */
  readonly base?: Manifest | null;
  readonly now: () => number;
  readonly signal: AbortSignal;
  readonly leaseMs?: number;
}

export interface Promoted {
  readonly copied: number;
  readonly removed: number;
  readonly unchanged: number;
}

/** The calls that a copy needs. */
export type CopyObjects = Pick<Objects, 'get' | 'putIf' | 'copy' | 'remove' | 'list'>;

export async function readManifest(
  objects: Pick<Objects, 'get'>,
  projectId: string,
  id: string,
): Promise<Manifest | null> {
  const found = await objects.get(s3Keys.deploymentManifest(projectId, id));
  return found && ManifestSchema.parse(JSON.parse(found.body.toString()));
}

export async function readPromotion(
  objects: Pick<Objects, 'get'>,
  projectId: string,
): Promise<{ record: Promotion; etag: string | null }> {
  const found = await objects.get(s3Keys.promotion(projectId));
  if (!found) return { record: { v: 1, live: null, pending: null, updatedAt: new Date(0).toISOString() }, etag: null };
  return { record: PromotionSchema.parse(JSON.parse(found.body.toString())), etag: found.etag };
}

/**
 * Makes `__outputs/` a copy of the deployment, whatever it holds: which one it has to be is the project's document's
 * matter. One promotion of a project at a time (a lease in `promotion.json`, changed by conditional writes); what an
 * interrupted one has left is cleared away by the next.
 */
export async function promoteDeployment(input: PromoteInput): Promise<Promoted> {
  for (;;) {
    input.signal.throwIfAborted();
    const { record, etag } = await readPromotion(input.objects, input.projectId);
    const { live, pending } = record;
    if (pending && pending.leaseUntil > input.now()) {
      await sleep(POLL_MS, undefined, { signal: input.signal }).catch(() => undefined);
      continue;
    }
    if (!pending && live === input.manifest.deploymentId)
      return { copied: 0, removed: 0, unchanged: input.manifest.objects.length };
    const holding = await Holding.take(input, record, etag);
    if (holding) return holding.run();
  }
}

/** One promotion, by the one who holds the lease. */
class Holding {
  readonly #o: PromoteInput;
  #record: Promotion;
  #etag: string;

  private constructor(input: PromoteInput, record: Promotion, etag: string) {
    this.#o = input;
    this.#record = record;
    this.#etag = etag;
  }

  /** Null where somebody else was faster. */
  static async take(o: PromoteInput, before: Promotion, etag: string | null): Promise<Holding | null> {
    const { pending } = before;
    const dirty = pending ? [...new Set([...pending.dirty, pending.deploymentId])] : [];
    const record: Promotion = {
      ...before,
      pending: { deploymentId: o.manifest.deploymentId, holder: randomUUID(), leaseUntil: leaseEnd(o), dirty },
      updatedAt: new Date(o.now()).toISOString(),
    };
    const written = await o.objects.putIf(s3Keys.promotion(o.projectId), JSON.stringify(record), etag);
    return written === null ? null : new Holding(o, record, written);
  }

  async run(): Promise<Promoted> {
    const { objects, projectId, signal } = this.#o;
    const site = s3Keys.site(projectId);
    const plan = planPromotion(this.#o.manifest, await this.#siteState());
    try {
      await this.#inChunks(plan.additions, (object) => objects.copy(object.key, site + object.path), signal);
    } catch (error) {
      // Nothing is seen yet: it is taken back. Where that fails too, the record tells the next promotion.
      await this.#rollBack(plan.additions.map((object) => site + object.path)).catch(() => undefined);
      throw error;
    }
    // The switch: from here to the end it is faster to finish than to go back.
    for (const step of [plan.changes, plan.pages])
      await this.#inChunks(step, (object) => objects.copy(object.key, site + object.path));
    await objects.remove(plan.stale.map((path) => site + path));
    await this.#write({ live: this.#o.manifest.deploymentId, pending: null });
    const copied = plan.additions.length + plan.changes.length + plan.pages.length;
    return { copied, removed: plan.stale.length, unchanged: plan.unchanged };
  }

  async #siteState(): Promise<SiteState> {
    const { objects, projectId, base } = this.#o;
    const readKnown = (id: string) => (base?.deploymentId === id ? base : readManifest(objects, projectId, id));
    const { live: liveId, pending } = this.#record;
    const [live, dirty] = await Promise.all([
      liveId === null ? null : readKnown(liveId),
      Promise.all(pending!.dirty.map(readKnown)),
    ]);
    const known = dirty.filter((manifest) => manifest !== null);
    if (live && known.length === dirty.length) return { live, dirty: known, listed: [] };
    // No record of what is there: look, and trust nothing of it.
    const site = s3Keys.site(projectId);
    const listed = (await objects.list(site)).map((key) => key.slice(site.length));
    return { live: null, dirty: known, listed };
  }

  async #inChunks<T>(items: readonly T[], work: (item: T) => Promise<void>, signal?: AbortSignal): Promise<void> {
    for (let i = 0; i < items.length; i += CHUNK) {
      await this.#renew();
      await forEachParallel(items.slice(i, i + CHUNK), AT_ONCE, work, signal);
    }
  }

  async #rollBack(keys: readonly string[]): Promise<void> {
    const { dirty } = this.#record.pending!;
    await this.#o.objects.remove(keys);
    // An earlier interrupted promotion is still to be cleared away: its note stays, with a lease that has ended.
    const pending = dirty.length > 0 ? { ...this.#record.pending!, leaseUntil: 0 } : null;
    await this.#write({ pending });
  }

  async #renew(): Promise<void> {
    const left = this.#record.pending!.leaseUntil - this.#o.now();
    if (left > (this.#o.leaseMs ?? LEASE_MS) / 2) return;
    await this.#write({ pending: { ...this.#record.pending!, leaseUntil: leaseEnd(this.#o) } });
  }

  async #write(change: Partial<Promotion>): Promise<void> {
    const { objects, projectId, now } = this.#o;
    const record = { ...this.#record, ...change, updatedAt: new Date(now()).toISOString() };
    const etag = await objects.putIf(s3Keys.promotion(projectId), JSON.stringify(record), this.#etag);
    if (etag === null) throw new Error('another process has taken over the promotion');
    this.#record = record;
    this.#etag = etag;
  }
}

const leaseEnd = (o: PromoteInput) => o.now() + (o.leaseMs ?? LEASE_MS);
