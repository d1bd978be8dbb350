import { type Manifest, type PublishedObject, sameObject } from '../../../contract/manifest.ts';
import { isHtml } from './content.ts';

/** What the site's prefix may hold when a promotion begins. */
export interface SiteState {
  /** What the site shows; null before the first deployment. */
  readonly live: Manifest | null;
  /** Deployments whose interrupted promotion may have changed any of their objects' paths, or removed any of the live's. */
  readonly dirty: readonly Manifest[];
  /** Paths found by listing, where no record tells what is there. */
  readonly listed: readonly string[];
}

/** The steps in their order. A visitor who loads a page at any moment finds the assets that it names. */
export interface PromotionPlan {
  /** New paths that no page names yet: nobody sees them. */
  readonly additions: PublishedObject[];
  /** From here it is seen: assets whose content changes under the same name … */
  readonly changes: PublishedObject[];
  /** … then pages, the front page last. */
  readonly pages: PublishedObject[];
  /** Paths that the new deployment does not have. */
  readonly stale: string[];
  readonly unchanged: number;
}

const depthOf = (path: string) => path.split('/').length;
const frontPageLast = (a: PublishedObject, b: PublishedObject) =>
  Number(a.path === 'index.html') - Number(b.path === 'index.html') || depthOf(b.path) - depthOf(a.path);
/** A page's precompressed variant is switched with the page; it carries the page's content type. */
const isPage = (object: PublishedObject) => isHtml(object.contentType);

export function planPromotion(target: Manifest, site: SiteState): PromotionPlan {
  const indexObjects = (manifest: Manifest) => new Map(manifest.objects.map((object) => [object.path, object]));
  const live = site.live && indexObjects(site.live);
  const dirty = site.dirty.map(indexObjects);
  const states = live ? [live, ...dirty] : dirty;
  /** Certain only where every state that the path may be in is the wanted one. */
  const isCertain = (object: PublishedObject) =>
    live !== null &&
    states.every((state) => {
      const there = state.get(object.path);
      return there !== undefined && sameObject(there, object);
    });
  const needed = target.objects.filter((object) => !isCertain(object));
  const taken = new Set([...(live?.keys() ?? []), ...site.listed]);
  const wanted = new Set(target.objects.map((object) => object.path));
  const present = new Set([...states.flatMap((state) => [...state.keys()]), ...site.listed]);
  const assets = needed.filter((object) => !isPage(object));
  return {
    additions: assets.filter((object) => !taken.has(object.path)),
    changes: assets.filter((object) => taken.has(object.path)),
    pages: needed.filter(isPage).sort(frontPageLast),
    stale: [...present].filter((path) => !wanted.has(path)),
    unchanged: target.objects.length - needed.length,
  };
}
