/** How likely a folder is the one that is meant, from its path alone. Added to what its contents say. */

const FRONTEND: Readonly<Record<string, number>> = {
  frontend: 20,
  client: 18,
  web: 18,
  webapp: 16,
  app: 14,
  www: 14,
  website: 12,
  site: 12,
  ui: 10,
  dashboard: 6,
  spa: 10,
  public: 2,
  admin: -4,
  docs: -12,
  doc: -12,
  documentation: -12,
  landing: 4,
  storybook: -25,
};
const BACKEND: Readonly<Record<string, number>> = {
  backend: 20,
  server: 18,
  api: 18,
  service: 10,
  app: 6,
  services: 4,
  worker: -6,
  gateway: 6,
  functions: -6,
};
/** Never what is deployed unless there is nothing else. */
const ASIDE =
  /^(?:examples?|demos?|samples?|playgrounds?|sandbox|templates?|fixtures?|__fixtures__|tests?|__tests__|e2e|cypress|benchmarks?|bench|scripts?|tools?|tooling|config|configs|starters?|integrations?|integration[-_]?tests?|tutorials?|test[-_]?(?:data|utils?|helpers?|assets|resources)|specs?|coverage|htmlcov|lcov-report|bower_components|node_modules|pods|(?:test|playwright|coverage|lighthouse)[-_]?reports?|benches|testing|stubs?|(?:mock|fake|stub|dummy)[-_][\w-]{1,60}|mocks?|__mocks__|themes|layouts|_layouts|archetypes|boilerplate|mobile|extension|plugins?|vendor|third[_-]?party|legacy|archive|old|deprecated)$/i;
/** Ends of names that say the same: `store-e2e`, `online-playground`. */
const ASIDE_END =
  /[-_.](?:e2e|cypress|playwright|tests?|testing|mocks?|playgrounds?|examples?|demos?|fixtures?|samples?|sandbox|benchmarks?|starter|template|storybook)$/i;
/** What documents the product is not the product. */
const DOCUMENTATION = /^(?:docs?|documentation)[-_.]|[-_.](?:docs?|documentation)$/i;
const ROOT = 25;

/** A folder's own name says that browsers show what is in it. */
export const isNamedAsFrontend = (dir: string): boolean =>
  (FRONTEND[dir.slice(dir.lastIndexOf('/') + 1).toLowerCase()] ?? 0) > 0;

export function pathScore(target: 'frontend' | 'backend', dir: string): number {
  if (dir === '.') return ROOT;
  const parts = dir.toLowerCase().split('/');
  const names = target === 'frontend' ? FRONTEND : BACKEND;
  const last = parts.at(-1)!;
  const documents = target === 'frontend' && DOCUMENTATION.test(last) ? FRONTEND.docs! : 0;
  const own = Object.hasOwn(names, last) ? names[last]! : documents;
  const group = parts.includes('apps') ? 8 : parts.includes('packages') || parts.includes('libs') ? -4 : 0;
  const aside = parts.some((part) => ASIDE.test(part) || ASIDE_END.test(part)) ? -100 : 0;
  return own + group + aside - 3 * (parts.length - 1);
}
