/** The groups of the reference page in their order, each with what its paths begin with. */
const GROUPS: readonly (readonly [name: string, paths: RegExp, description: string])[] = [
  ['Deployments', /^\/deployments/, 'One request to build and publish one commit.'],
  ['Releases', /^\/projects\/\{id\}\/(releases|rollback|pin|unpin)/, 'What production serves, and has served.'],
  ['Variables', /^\/projects\/\{id\}\/variables/, 'What builds and services are given.'],
  ['Domains', /^\/projects\/\{id\}\/domains/, 'Host names of your own.'],
  [
    'Git',
    /^\/(hooks|projects\/\{id\}\/(webhook|git|git-token|approvals|deploy-hooks))/,
    'What git hosts tell and are told.',
  ],
  ['Projects', /^\/projects/, 'What a repository is deployed as.'],
  ['People and tokens', /^\/(tokens|members|audit|usage|whoami)/, 'Who may do what, and who has done it.'],
  ['Platform', /^\//, 'What concerns no single project.'],
];

type Item = Partial<Record<string, { tags?: string[] }>>;

/** Gives every operation of an OpenAPI document its group, and the document the list of groups. */
export function groupOperations<D extends { paths?: Record<string, object | undefined> | undefined }>(document: D): D {
  for (const [path, item = {}] of Object.entries(document.paths ?? {})) {
    const [name = ''] = GROUPS.find(([, paths]) => paths.test(path)) ?? [];
    for (const operation of Object.values(item as Item)) if (operation) operation.tags = [name];
  }
  return { ...document, tags: GROUPS.map(([name, , description]) => ({ name, description })) };
}
