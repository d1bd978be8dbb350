import type { RouterRoute } from 'hono/types';

/** Methods that a path has: what RFC 9110 wants in `Allow` beside 405. Empty where there is no such path. */
export function allowedMethods(routes: readonly RouterRoute[], path: string): string[] {
  const methods = new Set<string>();
  for (const route of routes) {
    // What was given with `use` is for every method, and no route of its own.
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
