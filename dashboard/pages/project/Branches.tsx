import type { DeploymentView } from '../../../contract/api.ts';
import { paths } from '../../app/paths.ts';
import { ExternalLink } from '../../ui/ExternalLink.tsx';
import { Status } from '../../ui/Status.tsx';
import { Table } from '../../ui/Table.tsx';
import { Time } from '../../ui/Time.tsx';

/** The newest deployment of each branch among those that are loaded. One branch alone needs no list. */
export function Branches({ deployments }: { readonly deployments: readonly DeploymentView[] }) {
  const newest = new Map<string, DeploymentView>();
  for (const deployment of deployments) {
    const branch = deployment.plan?.branch;
    if (branch !== undefined && !newest.has(branch)) newest.set(branch, deployment);
  }
  if (newest.size < 2) return null;
  return (
    <section class="card" aria-labelledby="branches">
      <h2 id="branches">Branches</h2>
      <Table
        caption="Branches, by their newest deployment"
        keyOf={([branch]) => branch}
        rows={[...newest]}
        columns={[
          { title: 'Branch', cell: ([branch, d]) => <a href={paths.deployment(d.deploymentId)}>{branch}</a> },
          { title: 'State', cell: ([, d]) => <Status of={d.status} /> },
          { title: 'Begun', cell: ([, d]) => <Time at={d.createdAt} /> },
          { title: 'Address', cell: ([, d]) => <BranchAddress of={d} /> },
        ]}
      />
    </section>
  );
}

function BranchAddress({ of }: { readonly of: DeploymentView }) {
  const artifact = of.builds.frontend?.artifact;
  if (artifact?.kind !== 'static') return <>–</>;
  const address = artifact.branchUrl ?? artifact.deploymentUrl;
  return address === undefined ? <>–</> : <ExternalLink href={address} />;
}
