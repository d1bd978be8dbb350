import type { DeploymentView } from '../../../contract/api.ts';
import type { Failure as FailureRecord } from '../../../contract/record.ts';
import { Notice } from '../../ui/Notice.tsx';
import { ScrollBox } from '../../ui/ScrollBox.tsx';
import { stripAnsi } from './parseAnsi.ts';

const TARGETS = ['frontend', 'backend'] as const;

/** What went wrong, before everything else: the sentence, and the lines around the first error. */
export function Failure({ record }: { readonly record: DeploymentView }) {
  const failures = failuresOf(record);
  if (record.status === 'canceled')
    return (
      <Notice kind="warn" title="Canceled">
        <p>Nothing of it was published. A redeployment builds the same commit.</p>
      </Notice>
    );
  return (
    <>
      {failures.map(({ target, failure }) => (
        <Notice key={target} kind="bad" title={titleOf(target, failure)}>
          <p class="failure-message">{stripAnsi(failure.message)}</p>
          {failure.lastLines && failure.lastLines.length > 0 && (
            <ScrollBox class="last-lines" label="The lines around the first error, and the last ones">
              <pre>{failure.lastLines.map(stripAnsi).join('\n')}</pre>
            </ScrollBox>
          )}
          <p class="small">
            <code>{failure.code}</code>
            {failure.exitCode !== undefined && ` · exit code ${failure.exitCode}`}
          </p>
        </Notice>
      ))}
      {record.outcome === 'partial' && (
        <Notice kind="warn" title="Partly published">
          <p>One part is published and the other is not. A redeployment builds both.</p>
        </Notice>
      )}
    </>
  );
}

function failuresOf(record: DeploymentView): { target: string; failure: FailureRecord }[] {
  const ofBuilds = TARGETS.flatMap((target) => {
    const build = record.builds[target];
    return build?.error && build.status === 'failed' ? [{ target, failure: build.error }] : [];
  });
  const told = new Set(ofBuilds.map(({ failure }) => failure.message));
  if (!record.error || told.has(record.error.message)) return ofBuilds;
  return [{ target: 'deployment', failure: record.error }, ...ofBuilds];
}

const titleOf = (target: string, { phase }: FailureRecord) =>
  target === 'deployment' ? 'The deployment failed' : `The ${target} failed${phase ? ` in phase "${phase}"` : ''}`;
