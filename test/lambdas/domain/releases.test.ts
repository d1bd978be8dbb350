import fc from 'fast-check';
import { MAX_RELEASES, type ProjectDocument, ProjectDocumentSchema } from '../../../contract/project.ts';
import {
  completeRelease,
  isConsidered,
  pinProject,
  refuseRelease,
  releaseAutomatically,
  releaseBefore,
  releaseOnRequest,
  releaseWith,
  requestRelease,
  unpinProject,
} from '../../../lambdas/domain/releases.ts';

const START = Date.UTC(2026, 0, 1);
const empty: ProjectDocument = {
  ...{ v: 1, projectId: 'shop', owner: 'ada', settings: {}, addressKey: 'k'.repeat(32) },
  ...{ createdAt: new Date(START).toISOString(), updatedAt: new Date(START).toISOString() },
  ...{ release: null, releases: [], pinned: null },
};
const automatic = (project: ProjectDocument, deploymentId: string, at = START) =>
  releaseAutomatically(project, { releaseId: `${deploymentId}-auto`, deploymentId, by: 'veren', at });
let serial = 0;
const asked =
  (kind: 'promote' | 'rollback') =>
  (project: ProjectDocument, deploymentId: string, at = START) =>
    releaseOnRequest(project, { releaseId: `r${serial++}`, deploymentId, kind, by: 'ada', at });
const promote = asked('promote');
const rollback = asked('rollback');

describe('the release of a project', () => {
  test('the newest deployment wins, whoever ends last', () => {
    const project = automatic(automatic(empty, 'd2'), 'd1');
    expect(project.release?.deploymentId).toBe('d2');
    expect(automatic(project, 'd3').releases.map((r) => r.deploymentId)).toEqual(['d3', 'd2']);
  });

  test('a rollback is not undone by what had been there, and is followed by what is newer', () => {
    const back = rollback(automatic(automatic(empty, 'd1'), 'd3'), 'd1');
    expect(automatic(automatic(back, 'd3'), 'd2')).toBe(back);
    expect(automatic(back, 'd4').release?.deploymentId).toBe('d4');
  });

  test('while pinned only requests release, and what ended meanwhile stays unreleased afterwards', () => {
    const pinned = pinProject(automatic(empty, 'd1'), 'ada', START);
    const passed = automatic(pinned, 'd2');
    expect(passed.release?.deploymentId).toBe('d1');
    expect(promote(passed, 'd2').release?.deploymentId).toBe('d2');
    const free = unpinProject(passed);
    expect(automatic(free, 'd2')).toBe(free);
    expect(automatic(free, 'd3').release?.deploymentId).toBe('d3');
  });

  test('the release before is another deployment than the present one', () => {
    expect(() => releaseBefore(empty)).toThrow('no release to go back to');
    expect(() => releaseBefore(automatic(empty, 'd1'))).toThrow('no release to go back to');
    expect(releaseBefore(automatic(automatic(empty, 'd1'), 'd2')).deploymentId).toBe('d1');
  });

  test('the release before may be the same deployment with other variables, and is of the same parts', () => {
    const both = { targets: ['frontend', 'backend'] as ('frontend' | 'backend')[] };
    const of = (deploymentId: string, more: object = {}) => ({
      ...{ releaseId: `${deploymentId}-${serial++}`, deploymentId, kind: 'promote' as const, by: 'ada', at: START },
      ...both,
      ...more,
    });
    const first = releaseOnRequest(empty, of('d1'));
    const changed = releaseOnRequest(first, of('d1', { variables: { version: 2 } }));
    expect(changed.releases).toHaveLength(2);
    expect(releaseBefore(changed)).toMatchObject({ deploymentId: 'd1', ...both });
    expect(releaseBefore(changed).variables).toBeUndefined();
    expect(() => releaseBefore(first)).toThrow('no release to go back to');
    // A promote of what is served leaves its variables, and a rollback to it does not.
    expect(releaseOnRequest(changed, of('d1'))).toBe(changed);
    expect(releaseOnRequest(changed, of('d1', { kind: 'rollback' })).releases).toHaveLength(3);
    // Of the backend alone, below a site of another deployment: a rollback leaves that site.
    const site = releaseOnRequest(first, of('d2', { targets: ['frontend'] }));
    const below = releaseOnRequest(site, of('d1', { targets: ['backend'], variables: { version: 3 } }));
    expect(releaseBefore(below)).toMatchObject({ deploymentId: 'd1', targets: ['backend'] });
    expect(releaseWith(below, 'frontend')?.deploymentId).toBe('d2');
    // And its site can be promoted, although production serves a part of it.
    expect(releaseWith(releaseOnRequest(below, of('d1')), 'frontend')?.deploymentId).toBe('d1');
  });

  test('a release of any kind takes the place of one that waits', () => {
    const next = {
      releaseId: 'n',
      deploymentId: 'd1',
      kind: 'promote' as const,
      by: 'ada',
      at: '2026-01-01T00:00:00Z',
    };
    const waiting = requestRelease(automatic(empty, 'd1'), { ...next, variables: { version: 2 } });
    expect(requestRelease(waiting, { ...next, releaseId: 'm', variables: { version: 2 } })).toBe(waiting);
    expect(automatic(waiting, 'd2').nextRelease).toBeUndefined();
    expect(completeRelease(automatic(waiting, 'd2'), 'n', START).release?.deploymentId).toBe('d2');
    expect(completeRelease(waiting, 'n', START).release).toMatchObject({ releaseId: 'n', variables: { version: 2 } });
    const refused = refuseRelease(waiting, 'n', { code: 'SERVICE_EXITED', message: 'it ended' });
    expect(completeRelease(refused, 'n', START)).toBe(refused);
    expect(
      requestRelease(refused, { ...next, releaseId: 'm', variables: { version: 2 } }).nextRelease?.error,
    ).toBeUndefined();
    expect(ProjectDocumentSchema.parse(refused)).toEqual(refused);
  });

  test('a release without a site leaves the site before where it is', () => {
    const backend = releaseAutomatically(automatic(empty, 'd1'), {
      ...{ releaseId: 'b', deploymentId: 'd2', by: 'veren', at: START, targets: ['backend'] },
    });
    expect(backend.release?.deploymentId).toBe('d2');
    expect(releaseWith(backend, 'frontend')?.deploymentId).toBe('d1');
  });
});

/** One thing that somebody does, at a moment. */
const step = fc.oneof(
  fc.record({
    what: fc.constantFrom('automatic', 'promote', 'rollback'),
    id: fc.integer({ min: 1, max: 12 }),
    /** The job comes twice. */
    twice: fc.boolean(),
  }),
  fc.record({ what: fc.constantFrom('pin', 'unpin', 'back'), id: fc.constant(0), twice: fc.boolean() }),
);

test('any order of ends, requests, pins and repeats gives a consistent history', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      let project = empty;
      const released = new Set<string>();
      steps.forEach(({ what, id, twice }, i) => {
        const deploymentId = `d${String(id).padStart(3, '0')}`;
        const before = project;
        const at = START + i;
        const releaseId = `r${i}`;
        const act = (p: ProjectDocument): ProjectDocument => {
          if (what === 'pin') return pinProject(p, 'ada', at);
          if (what === 'unpin') return unpinProject(p);
          if (what === 'automatic') return automatic(p, deploymentId, at);
          const known = new Set(p.releases.map((r) => r.deploymentId));
          const target = what === 'back' ? (known.size > 1 ? releaseBefore(p).deploymentId : null) : deploymentId;
          if (target === null) return p;
          const kind = what === 'promote' ? ('promote' as const) : ('rollback' as const);
          return releaseOnRequest(p, { releaseId, deploymentId: target, kind, by: 'ada', at });
        };
        project = act(project);
        if (twice && what !== 'back') expect(act(project)).toBe(project);
        // What changes is said once; what production serves is the first line of the history.
        expect(project.release).toBe(project.releases[0] ?? null);
        if (project.release !== before.release) {
          expect(project.releases.slice(1)).toEqual(before.releases.slice(0, MAX_RELEASES - 1));
          expect(project.release?.deploymentId).not.toBe(before.release?.deploymentId);
        } else expect(project.releases).toBe(before.releases);
        if (what === 'automatic') {
          if (before.pinned || isConsidered(before, deploymentId)) expect(project.release).toBe(before.release);
          else expect(project.release?.deploymentId).toBe(deploymentId);
          expect(isConsidered(project, deploymentId)).toBe(true);
        }
        if (project.release) released.add(project.release.deploymentId);
        for (const known of released) expect(isConsidered(project, known)).toBe(true);
      });
      const ids = project.releases.map((r) => r.releaseId);
      expect(new Set(ids).size).toBe(ids.length);
      expect(ProjectDocumentSchema.parse(project)).toEqual(project);
    }),
    { numRuns: 500 },
  );
});

test('the history is cut, and what it no longer has is not released again', () => {
  let project = automatic(empty, 'z9');
  for (let i = 0; i < MAX_RELEASES + 5; i++) project = promote(project, i % 2 ? 'a1' : 'a2');
  expect(project.releases).toHaveLength(MAX_RELEASES);
  expect(automatic(project, 'z8')).toBe(project);
  expect(automatic(project, 'z9')).toBe(project);
});

test('what production shows stays in the history, however many releases of another part follow', () => {
  let project = releaseAutomatically(empty, {
    releaseId: 'r',
    deploymentId: 'a',
    by: 'v',
    at: 0,
    targets: ['frontend'],
  });
  for (let i = 0; i < MAX_RELEASES + 5; i++) {
    const deploymentId = `b${String(i).padStart(4, '0')}`;
    project = releaseAutomatically(project, { releaseId: `r${i}`, deploymentId, by: 'v', at: i, targets: ['backend'] });
  }
  expect(releaseWith(project, 'frontend')?.deploymentId).toBe('a');
  expect(project.releases).toHaveLength(MAX_RELEASES);
  expect(ProjectDocumentSchema.safeParse(project).success).toBe(true);
});
