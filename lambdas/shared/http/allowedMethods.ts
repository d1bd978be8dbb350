import type { RouterRoute } from 'hono/types';

/** The methods of a path, which RFC 9110 requires in `Allow` beside 405. Empty where there is no such path. */
export function allowedMethods(routes: readonly RouterRoute[], path: string): string[] {
  const methods = new Set<string>();
  for (const route of routes) {
    // Handlers registered with `use` apply to every method and are not routes.
    if (route.method === 'ALL' || !matchesPath(route.path, path)) continue;
    methods.add(route.method);
    if (route.method === 'GET') methods.add('HEAD');
  }
  return [...methods].sort();
}

function matchesPath(pattern: string, path: string): boolean {
  const wanted = pattern.split('/');
  const given = path.split('/');
  return (
    wanted.length === given.length && wanted.every((part, i) => (part.startsWith(':') ? given[i] : part === given[i]))
  );
}
