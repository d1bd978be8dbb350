import fc from 'fast-check';
import { PROJECT_ID } from '../../../contract/api.ts';
import { branchLabel, deploymentLabel, previewHost } from '../../../lambdas/shared/addresses.ts';

const LABEL = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;
const projectIds = fc.stringMatching(/^[a-z0-9](-?[a-z0-9])*$/).map((id) => id.slice(0, 63).replace(/-$/, ''));

test('every branch of every project has a valid label that is no project id', () => {
  fc.assert(
    fc.property(fc.string({ minLength: 1 }), projectIds, (branch, projectId) => {
      const host = previewHost(branchLabel('key', branch), projectId);
      expect(host).toMatch(LABEL);
      expect(host).not.toMatch(PROJECT_ID);
      expect(previewHost(deploymentLabel('key', branch), projectId)).toMatch(LABEL);
    }),
  );
});

test('branches that look alike after shortening keep addresses of their own', () => {
  const branches = ['feature/a', 'feature-a', 'Feature/A', `${'x'.repeat(30)}1`, `${'x'.repeat(30)}2`, 'ä', 'ö'];
  expect(new Set(branches.map((branch) => branchLabel('key', branch))).size).toBe(branches.length);
});

test('projects that look alike after shortening keep addresses of their own', () => {
  const ids = ['1', '2', '3'].map((end) => 'p'.repeat(62) + end);
  expect(new Set(ids.map((id) => previewHost('label', id))).size).toBe(ids.length);
});

test('labels are the same every time, and another key gives others', () => {
  expect(deploymentLabel('key', '01h')).toBe(deploymentLabel('key', '01h'));
  expect(deploymentLabel('key', '01h')).toMatch(/^[a-z2-7]{12}$/);
  expect(deploymentLabel('another', '01h')).not.toBe(deploymentLabel('key', '01h'));
  expect(branchLabel('another', 'main')).not.toBe(branchLabel('key', 'main'));
});
