import type { DeploymentView } from '../../../contract/api.ts';
import type { Evidence, TargetPlan } from '../../../contract/plan.ts';
import { Notice } from '../../ui/Notice.tsx';
import { Table } from '../../ui/Table.tsx';

const TARGETS = ['frontend', 'backend'] as const;

/** What was decided to be built, and the evidence for every choice. */
export function PlanView({ record: { plan } }: { readonly record: DeploymentView }) {
  if (!plan) return null;
  return (
    <section class="card" aria-labelledby="plan">
      <h2 id="plan">Plan</h2>
      {plan.warnings.map((warning) => (
        <Notice key={warning} kind="warn">
          <p>{warning}</p>
        </Notice>
      ))}
      {TARGETS.map((target) => {
        const part = plan[target];
        return part && <Part key={target} target={target} plan={part} />;
      })}
      {plan.candidates.length > 0 && (
        <details>
          <summary>
            {plan.candidates.length} {plan.candidates.length === 1 ? 'folder was' : 'folders were'} considered
          </summary>
          <Table
            caption="Folders that were considered"
            keyOf={({ target, path }) => `${target} ${path}`}
            rows={plan.candidates}
            columns={[
              { title: 'Folder', cell: ({ path }) => <code>{path}</code> },
              { title: 'Part', cell: ({ target }) => target },
              { title: 'Framework', cell: ({ framework }) => framework ?? '–' },
              { title: 'Why', cell: ({ reason }) => reason },
            ]}
          />
        </details>
      )}
    </section>
  );
}

function Part({ target, plan }: { readonly target: string; readonly plan: TargetPlan }) {
  const runtime = runtimeText(plan);
  const facts: [string, string | null | undefined][] = [
    ['Folder', plan.path],
    ['Framework', plan.framework],
    ['Runtime', runtime],
    [
      'Package manager',
      plan.packageManager && [plan.packageManager.name, plan.packageManager.version].filter(Boolean).join(' '),
    ],
    ['Install', plan.installCommand],
    ['Build', plan.buildCommand],
    ['Output', plan.outputDirectory],
    ['Dockerfile', plan.dockerfile],
    ['Start', plan.startCommand],
  ];
  return (
    <div class="plan-part">
      <h3 class="part">{target === 'frontend' ? 'Frontend' : 'Backend'}</h3>
      <dl class="facts">
        {facts.map(
          ([name, value]) =>
            value && (
              <div key={name}>
                <dt>{name}</dt>
                <dd>
                  <code>{value}</code>
                </dd>
              </div>
            ),
        )}
      </dl>
      <details>
        <summary>Why: {plan.evidence.length} choices with their evidence</summary>
        <EvidenceTable of={plan.evidence} />
      </details>
    </div>
  );
}

const EvidenceTable = ({ of }: { readonly of: readonly Evidence[] }) => (
  <Table
    caption="Evidence"
    keyOf={({ field, rule, value }) => `${field} ${rule} ${value}`}
    rows={of}
    columns={[
      { title: 'Choice', cell: ({ field }) => field },
      { title: 'Value', cell: ({ value }) => (value === '' ? 'nothing' : <code>{value}</code>) },
      { title: 'Rule', cell: ({ rule }) => rule },
      { title: 'File', cell: ({ file }) => (file ? <code>{file}</code> : '–') },
    ]}
  />
);

function runtimeText(plan: TargetPlan): string {
  const { name, version } = plan.runtime ?? { name: 'node', version: String(plan.nodeVersion) };
  return [name, version].filter(Boolean).join(' ');
}
