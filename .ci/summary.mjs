// Usage: node .ci/summary.mjs RESULTS
// Adds up what jest wrote (*.json) and the steps that failed (failed-steps, one name per line), and says once more what
// failed and why: of a long log, the end is what is kept. Steps that found no time left (not-run) are
// named and are no failures. Last line: "N passed, N failed, N skipped".
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const MAX_EXCERPT = 3_000;
const excerpt = (message) => message.slice(0, MAX_EXCERPT).replace(/^/gm, '    ');

const results = process.argv[2];
let passed = 0;
let failed = 0;
let skipped = 0;
for (const name of readdirSync(results).filter((n) => n.endsWith('.json'))) {
  const run = JSON.parse(readFileSync(join(results, name), 'utf8'));
  passed += run.numPassedTests;
  // A suite that could not even be loaded has no tests that could fail.
  failed += run.numFailedTests + run.numRuntimeErrorTestSuites;
  skipped += run.numPendingTests;
  for (const suite of run.testResults.filter((s) => s.status === 'failed')) {
    console.log(`FAILED  ${suite.name}`);
    const tests = suite.assertionResults.filter((t) => t.status === 'failed');
    for (const test of tests) console.log(`  ${test.fullName}\n${excerpt(test.failureMessages.join('\n'))}`);
    if (tests.length === 0) console.log(excerpt(suite.message));
  }
}

const linesOf = (name) => {
  const file = join(results, name);
  return existsSync(file) ? readFileSync(file, 'utf8').split('\n').filter(Boolean) : [];
};
for (const step of linesOf('not-run')) console.log(`NOT RUN  step: ${step}`);
const steps = linesOf('failed-steps');
for (const step of steps) console.log(`FAILED  step: ${step}`);
// Jest's own failures are counted already; every other step that failed counts as one.
const others = steps.filter((step) => !step.startsWith('jest: '));
if (failed === 0 && steps.length > others.length) failed += steps.length - others.length;
failed += others.length;

console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`);
process.exitCode = failed > 0 || passed === 0 ? 1 : 0;
