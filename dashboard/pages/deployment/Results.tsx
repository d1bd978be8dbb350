import type { DeploymentView } from '../../../contract/api.ts';
import { countOf } from '../../../contract/count.ts';
import { paths } from '../../app/paths.ts';
import { ExternalLink } from '../../ui/ExternalLink.tsx';
import { formatBytes } from '../../ui/formats.ts';
import { Notice } from '../../ui/Notice.tsx';
import { stripAnsi } from './parseAnsi.ts';

const TARGETS = ['frontend', 'backend'] as const;

/** What was made: addresses, files and sizes, and what to look at. */
export function Results({ record }: { readonly record: DeploymentView }) {
  const made = TARGETS.flatMap((target) => {
    const artifact = record.builds[target]?.artifact;
    return artifact ? [{ target, artifact }] : [];
  });
  if (made.length === 0) return null;
  return (
    <section class="card" aria-labelledby="results">
      <h2 id="results">Result</h2>
      {record.sameAs && (
        <p>
          Nothing was built: <a href={paths.deployment(record.sameAs)}>an earlier deployment</a> was built from the same
          {record.released ? ', and production serves it.' : '.'}
        </p>
      )}
      {made.map(({ target, artifact }) => (
        <dl key={target} class="facts">
          <div>
            <dt>{target === 'frontend' ? 'Site' : 'Backend'}</dt>
            <dd>{sizeOf(artifact)}</dd>
          </div>
          {artifact.kind === 'static' && (
            <>
              {artifact.deploymentUrl && (
                <div>
                  <dt>This deployment</dt>
                  <dd>
                    <ExternalLink href={artifact.deploymentUrl} />
                  </dd>
                </div>
              )}
              {artifact.branchUrl && (
                <div>
                  <dt>Newest of its branch</dt>
                  <dd>
                    <ExternalLink href={artifact.branchUrl} />
                  </dd>
                </div>
              )}
              <div>
                <dt>{record.released ? 'Production (this)' : 'Production'}</dt>
                <dd>
                  <ExternalLink href={artifact.url} />
                </dd>
              </div>
            </>
          )}
          {artifact.kind === 'image' && (
            <div>
              <dt>Image</dt>
              <dd>
                <code>{artifact.uri}</code>
              </dd>
            </div>
          )}
          {artifact.kind !== 'static' && (
            <div>
              <dt>Digest</dt>
              <dd>
                <code>{artifact.digest}</code>
              </dd>
            </div>
          )}
        </dl>
      ))}
      {made.flatMap(({ target, artifact }) =>
        (artifact.warnings ?? []).map((warning) => (
          <Notice key={target + warning} kind="warn">
            <p>{stripAnsi(warning)}</p>
          </Notice>
        )),
      )}
    </section>
  );
}

type Artifact = NonNullable<NonNullable<DeploymentView['builds']['frontend']>['artifact']>;

const sizeOf = (artifact: Artifact) =>
  artifact.kind === 'static'
    ? `${countOf(artifact.files, 'file')}, ${formatBytes(artifact.bytes)}`
    : formatBytes(artifact.bytes);
