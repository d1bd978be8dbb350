import { VerenError } from '../../../contract/errors.ts';
import type { DeliveryAnswer } from '../../../contract/gitApi.ts';
import type { GitDelivery } from '../../../contract/gitHosts.ts';
import type { ProjectDocument } from '../../../contract/project.ts';
import { type HookHeader, hookHost } from '../../shared/gitHosts/hookHost.ts';
import { isSameRepository } from '../../shared/gitHosts/repositoryUrl.ts';
import { parseUrl } from '../../shared/repo/parseUrl.ts';
import type { ApiDeps } from '../deps.ts';
import { parseDelivery } from './parseBody.ts';
import { answerOf, enqueueDeliveries, type HookDeps, NOBODY } from './receiveDelivery.ts';

type Deps = HookDeps & Pick<ApiDeps, 'apps' | 'gitState'>;
type Told = Exclude<GitDelivery, { kind: 'nothing' }>;

const PAGE = 100;
const MAX_PROJECTS = 100;

/**
 * Checks a delivery of an owner's App; which projects it is for, its body says. Throws HOOK_REFUSED for one that is not
 * genuine: its answer does not depend on whether the owner has an App.
 */
export async function receiveAppDelivery(
  deps: Deps,
  { owner, header, body }: { readonly owner: string; readonly header: HookHeader; readonly body: Uint8Array },
): Promise<DeliveryAnswer> {
  const app = await deps.apps.read(owner);
  const secret = (await app?.secrets())?.webhook;
  const now = deps.clock.now();
  const isGenuine = hookHost('github').isGenuine({ header, secret: secret ?? NOBODY, body, now });
  if (!app || secret === undefined || !isGenuine) throw new VerenError('HOOK_REFUSED');
  const read = hookHost('github').read(header, parseDelivery(body));
  const [told] = read.filter((one): one is Told => one.kind !== 'nothing');
  const projects = told ? await findProjects(deps, owner, app.webUrl, told) : [];
  for (const project of projects) await enqueueDeliveries(deps, project, { host: 'github', header, body }, read);
  if (told && projects.length === 0)
    return { status: 'ignored', message: 'No project is connected with this repository by the App.' };
  return answerOf(read, projects.length);
}

/** By the name of the repository, or by the host's id of it, which stays when it is renamed. */
async function findProjects(
  { projects, gitState }: Deps,
  owner: string,
  webUrl: string,
  { repository, ...told }: Told,
): Promise<ProjectDocument[]> {
  const byApp: ProjectDocument[] = [];
  for (let cursor: string | undefined; ; ) {
    const page = await projects.page(owner, { limit: PAGE, ...(cursor !== undefined && { cursor }) });
    byApp.push(...page.items.filter((project) => isByApp(project, webUrl)));
    cursor = page.cursor;
    if (cursor === undefined) break;
  }
  const formerName = told.kind === 'renamed' ? told.formerName : undefined;
  const named = byApp.filter(({ settings }) =>
    [repository.name, formerName].some((name) => name !== undefined && isSameRepository(name, nameOf(settings))),
  );
  if (named.length > 0 || repository.id === undefined) return named.slice(0, MAX_PROJECTS);
  const known = await Promise.all(
    byApp.map(async (project) => ((await gitState.read(project)).repositoryId === repository.id ? project : [])),
  );
  return known.flat().slice(0, MAX_PROJECTS);
}

const nameOf = ({ connection }: ProjectDocument['settings']) => connection?.repository ?? '';

const isByApp = ({ settings, deleting }: ProjectDocument, webUrl: string) =>
  !deleting &&
  settings.connection?.host === 'github' &&
  settings.connection.app === true &&
  parseUrl(settings.gitUrl ?? '')?.origin === new URL(webUrl).origin;
