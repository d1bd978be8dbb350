import type { ProjectSettings } from '../../contract/project.ts';
import { changeOf, formOf } from '../../dashboard/pages/settings/formOf.ts';

const SETTINGS: ProjectSettings = {
  gitUrl: 'https://git.example/shop.git',
  frontend: { path: 'web', nodeVersion: 22 },
  backend: false,
  previews: { protection: 'link' },
  usesCommit: true,
};

test('a form that was not changed changes nothing', () => {
  expect(changeOf(formOf(SETTINGS), formOf(SETTINGS))).toEqual({});
  expect(changeOf(formOf({}), formOf({}))).toEqual({});
});

test('only what was changed is sent; what is emptied is taken away; what the form does not show stays', () => {
  const before = formOf(SETTINGS);
  const change = changeOf(before, { ...before, gitUrl: ' ', frontendPath: 'site', previewDays: '12' });
  expect(change).toEqual({
    gitUrl: null,
    // A merge patch: `nodeVersion` is not named and stays.
    frontend: { path: 'site', installCommand: null, buildCommand: null, outputDirectory: null },
    previews: { keepDays: 12 },
  });
});

test('what is no number is left to the platform to refuse', () => {
  const before = formOf(SETTINGS);
  expect(changeOf(before, { ...before, keep: 'many' })).toEqual({ releases: { keep: 'many' } });
});

test('a budget is set, changed and taken away as a whole', () => {
  const before = formOf({ budget: { monthlyUsd: 20 } });
  expect(before.budget).toBe('20');
  expect(changeOf(before, { ...before, budget: '30' })).toEqual({ budget: { monthlyUsd: 30 } });
  expect(changeOf(before, { ...before, budget: ' ' })).toEqual({ budget: null });
});

test('a part is found out, entered or left out', () => {
  const before = formOf(SETTINGS);
  expect([before.frontend, before.backend]).toEqual(['given', 'off']);
  expect(changeOf(before, { ...before, frontend: 'detect', backend: 'given', startCommand: 'npm start' })).toEqual({
    frontend: null,
    backend: { path: null, startCommand: 'npm start' },
  });
  expect(changeOf(before, { ...before, frontend: 'off' })).toEqual({ frontend: false });
});
