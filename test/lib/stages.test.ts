import { STAGES, type Stage } from '../../lib/config.ts';
import { CHECKS, PRODUCTION_CHECKS } from './support/checks.ts';
import { STACKS, type Synthesized, synthesize } from './support/synth.ts';

const synthesized = new Map<Stage, Synthesized>();
/** With cdk-nag: a finding that nobody answered for throws here. */
const stage = (name: Stage) => {
  const known = synthesized.get(name) ?? synthesize(name, { nag: true });
  synthesized.set(name, known);
  return known;
};

describe.each(STAGES)('stage %s', (name) => {
  test('synthesizes without a finding of cdk-nag', () => {
    expect(Object.keys(stage(name).templates)).toEqual([...STACKS]);
  }, 60_000);

  test.each(Object.entries(CHECKS))('%s', (_, check) => {
    expect(check(stage(name))).toEqual([]);
  });

  test.each(STACKS)('template of %s is the one in the snapshot', (stack) => {
    expect(withoutHashes(stage(name).templates[stack])).toMatchSnapshot();
  });
});

test.each(Object.entries(PRODUCTION_CHECKS))('prod: %s', (_, check) => {
  expect(check(stage('prod'))).toEqual([]);
});

/** Hashes of assets change with every line of the functions; what the infrastructure is does not. */
const withoutHashes = (template: unknown) => JSON.parse(JSON.stringify(template).replaceAll(/[0-9a-f]{64}/g, '<hash>'));
