import type { DeploymentView } from '../../contract/api.ts';
import type { Plan, TargetPlan } from '../../contract/plan.ts';
import type { ProjectView } from '../../contract/project.ts';
import { EMPTY_FORM, formOfProject, requestOf } from '../../dashboard/pages/deploy/deployForm.ts';
import { backendPlan, COMMIT, frontendPlan, targetPlan } from '../support/events.ts';

const gitUrl = 'https://git.example/me/site.git';
const project = (settings: ProjectView['settings'] = { gitUrl }) => ({ projectId: 'site', settings }) as ProjectView;
const deployment = (plan: Plan | null, over: Partial<DeploymentView> = {}) =>
  ({ gitUrl, ref: 'main', commit: COMMIT, environment: 'production', plan, ...over }) as DeploymentView;
const part = (path: string, rule: string): TargetPlan =>
  targetPlan({ path, evidence: [{ field: 'path', value: path, rule }] });
const plan = (over: Partial<Plan>): Plan =>
  ({ ...frontendPlan(), frontend: undefined, lane: 'production', ...over }) as Plan;

describe('the form of another deployment', () => {
  it('has the repository, the branch and the folder that production was asked for, and asks for them again', () => {
    const before = deployment(plan({ branch: 'main', frontend: part('apps/web', 'request') }));
    const form = formOfProject(project(), before);
    expect(form).toEqual({ ...EMPTY_FORM, projectId: 'site', gitUrl, ref: 'main', frontendPath: 'apps/web' });
    expect(requestOf(form, project().settings)).toEqual({
      ...{ projectId: 'site', ref: 'main', frontend: { path: 'apps/web' }, backend: false },
    });
  });

  it('names both folders where both were built, and none that was found', () => {
    const both = { frontend: part('web', 'request'), backend: part('.', 'a package.json with a server') };
    const form = formOfProject(project(), deployment(plan(both)));
    expect(requestOf(form)).toMatchObject({ gitUrl, frontend: { path: 'web' }, backend: { path: '.' } });
    const found = formOfProject(project(), deployment(plan({ frontend: part('web', 'the only folder with an app') })));
    expect(requestOf(found, { gitUrl })).toEqual({ projectId: 'site', ref: 'main' });
    const fixed = formOfProject(project(), deployment(plan({ backend: part('server', 'project') })));
    expect(fixed.backendPath).toBe('');
  });

  it('names folders relative to that of the project, as requests do', () => {
    const before = deployment(plan({ frontend: part('shop/web', 'request') }));
    expect(formOfProject(project({ gitUrl, rootDirectory: './shop/' }), before).frontendPath).toBe('web');
  });

  it.each<[string, Partial<DeploymentView>, Partial<Plan>, string]>([
    ['nothing where nothing was asked for', { ref: null }, { branch: 'main' }, ''],
    ['the branch of a redeployed commit', { ref: COMMIT }, { branch: 'main' }, 'main'],
    ['the tag', { ref: 'refs/tags/v1' }, { tag: 'v1' }, 'v1'],
    ['the commit of one that named a commit', { ref: COMMIT }, {}, COMMIT],
  ])('has as ref %s', (_, over, ofPlan, ref) => {
    expect(formOfProject(project(), deployment(plan(ofPlan), over)).ref).toBe(ref);
  });

  it('keeps the environment only where the branch does not say it', () => {
    const isProduction = (lane: Plan['lane']) => formOfProject(project(), deployment(plan({ lane }))).environment;
    expect([isProduction('production'), isProduction('preview')]).toEqual(['', 'production']);
  });

  it('has the repository of the settings alone after a move, and none of an uploaded folder', () => {
    const before = deployment(plan({ frontend: part('web', 'request') }));
    const moved = { gitUrl: 'https://git.example/me/moved.git' };
    expect(formOfProject(project(moved), before)).toEqual({ ...EMPTY_FORM, projectId: 'site', ...moved });
    const upload = deployment(backendPlan(), { gitUrl: `upload:${'0'.repeat(64)}`, ref: null });
    expect(formOfProject(project({}), upload)).toEqual({ ...EMPTY_FORM, projectId: 'site' });
    expect(formOfProject(project(), null)).toEqual({ ...EMPTY_FORM, projectId: 'site', gitUrl });
  });
});
