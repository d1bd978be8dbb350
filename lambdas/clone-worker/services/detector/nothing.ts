import { VerenError } from '../../../../contract/errors.ts';
import { depth, join } from '../../../../contract/repo-fs.ts';
import type { DetectRequest } from './detectRequest.ts';
import type { Proposal } from './language.ts';
import { namesWhere } from './listedNames.ts';
import { ONLY_BUILDERS, otherLanguages, servedLanguage } from './otherLanguages.ts';
import type { Snapshot } from './snapshot.ts';
import { explainGenerators, explainMarkdown } from './unsupported.ts';

/** The error for a repository that gives no plan: what was looked at, and what would have been found elsewhere. */
export function nothingToDeploy(
  repo: Snapshot,
  scope: string,
  proposals: readonly Proposal[],
  request: DetectRequest,
): VerenError {
  const inScope = (path: string) => scope === '.' || path.startsWith(`${scope}/`);
  const [file, reason] =
    [...repo.faults].filter(([path]) => inScope(path)).sort(([a], [b]) => depth(a) - depth(b))[0] ?? [];
  if (file !== undefined && reason !== undefined) return new VerenError('MANIFEST_INVALID', { file, reason });
  return new VerenError('NOTHING_TO_DEPLOY', { reason: explainNothing(repo, scope, proposals, request) });
}

/** Why projects of other languages are not built: there is no builder, or nothing in them that a service begins with. */
function explainLanguages(others: readonly string[]): string {
  const served = others.filter((what) => servedLanguage(what));
  return served.length > 0
    ? 'No service was found in it: a framework among the requirements with an application in main.py or app.py, manage.py with wsgi.py, a Procfile whose program is there, or for Go a package main that listens. "backend.startCommand" can name what starts it'
    : ONLY_BUILDERS;
}

function explainNothing(repo: Snapshot, scope: string, proposals: readonly Proposal[], request: DetectRequest): string {
  const place = scope === '.' ? 'the repository' : `"${scope}"`;
  if (request.frontend === false && request.backend === false) return 'both "frontend" and "backend" are false';
  if (repo.fs.list(scope).size === 0) return `${place} holds no files`;
  const folders = [...repo.fs.directories()].filter(
    (dir) => (scope === '.' || dir === scope || dir.startsWith(`${scope}/`)) && depth(dir) <= 3,
  );
  const elsewhere = proposals.slice(0, 3).map((p) => `${p.path} (${p.target}: ${p.reason})`);
  if (elsewhere.length > 0) return `not in ${place} as it was asked for; possible are ${elsewhere.join(', ')}`;
  const sites = explainGenerators(repo, folders);
  const others = otherLanguages(repo, folders);
  const programs = others.filter((what) => !/ site /.test(what));
  if (sites.length > 0)
    return `${place} holds ${[...sites, ...(programs.length > 0 ? [`beside it lies ${programs.join(', ')}`] : [])].join('; ')}`;
  if (others.length > 0)
    return `${place} holds ${others.join(', ')}. ${explainLanguages(others)}. Anything else is built by a Dockerfile in its root`;
  const packages = folders.filter((dir) => repo.has(join(dir, 'package.json'))).map((dir) => join(dir, 'package.json'));
  const worker = folders
    .map((dir) =>
      ['wrangler.toml', 'wrangler.json', 'wrangler.jsonc']
        .map((name) => join(dir, name))
        .find((file) => repo.has(file)),
    )
    .find((file) => file !== undefined);
  if (worker !== undefined)
    return `${worker} configures code for Cloudflare Workers, which does not run by itself; add a start script that runs it with Node (for Hono with @hono/node-server)`;
  if (repo.has('rush.json'))
    return 'rush.json belongs to Rush, which is not supported, and no package can be deployed by itself';
  if (packages.length > 0)
    return `${packages.slice(0, 3).join(', ')} ${packages.length === 1 ? 'has' : 'have'} no framework that is known, no page to build and no start script`;
  const submodule = namesWhere(repo.fs, scope, (_name, kind) => kind === 'submodule', 1)[0];
  if (submodule !== undefined)
    return `${place} holds no package.json and no index.html; "${submodule}" is a submodule, and what is in a submodule is not looked at`;
  const markdown = explainMarkdown(repo, place, folders);
  if (markdown !== undefined) return markdown;
  return `${place} holds no package.json and no index.html (${folders.length} folders were looked at)`;
}
