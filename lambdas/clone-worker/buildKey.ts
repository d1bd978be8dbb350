import type { DeploymentRequest } from '../../contract/jobs.ts';
import type { Plan, TargetPlan } from '../../contract/plan.ts';
import { uploadIdOf } from '../../contract/uploads.ts';
import type { SecretBox } from '../shared/secretBox.ts';

/** Grows when the same key would mean something else. */
const VERSION = 2;

/** Of a request what does not say what is built. */
const NOT_BUILT_FROM = new Set([
  ...[
    'projectId',
    'gitUrl',
    'ref',
    'resolved',
    'gitToken',
    'gitApp',
    'sealed',
    'cache',
    'force',
    'lane',
    'environment',
  ],
  ...['commit', 'trigger', 'upload'],
  ...['fromProject', 'path', 'productionBranch'],
]);

const sorted = (_name: string, value: unknown) =>
  value && typeof value === 'object' && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)))
    : value;

/** Another upload is another state of the same source, as another commit is. */
const sourceOf = ({ gitUrl }: DeploymentRequest) => (uploadIdOf(gitUrl) === undefined ? gitUrl : 'upload');

const builtFrom = ({ evidence: _, ...target }: TargetPlan) => target;

/** What a build depends on besides its request and its plan. */
export interface BuildContext {
  readonly builders: string;
  readonly usesCommit: boolean;
  /** The version of the project's variables; undefined where it has none. */
  readonly variables: number | undefined;
}

/**
 * What a deployment is built from, as one text: two of the same project and lane with equal keys would build the same.
 * Undefined where that cannot be told. Made with a key, since it is made of variables too and is no secret.
 */
export async function buildKeyOf(
  box: SecretBox,
  request: DeploymentRequest,
  plan: Plan,
  { builders, usesCommit, variables }: BuildContext,
): Promise<string | undefined> {
  if (plan.inputs === undefined) return undefined;
  const asked = Object.entries(request).filter(([name]) => !NOT_BUILT_FROM.has(name));
  const text = JSON.stringify(
    {
      ...{ VERSION, builders, inputs: plan.inputs, gitUrl: sourceOf(request), lane: plan.lane },
      commit: usesCommit ? [plan.commit, plan.branch, plan.tag] : null,
      frontend: plan.frontend && builtFrom(plan.frontend),
      backend: plan.backend && builtFrom(plan.backend),
      git: plan.git,
      variables,
      publication: plan.publication,
      asked: Object.fromEntries(asked),
    },
    sorted,
  );
  return box.fingerprint(text);
}
