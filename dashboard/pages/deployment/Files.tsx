import { useState } from 'preact/hooks';
import type { DeploymentView } from '../../../contract/api.ts';
import { countOf } from '../../../contract/count.ts';
import type { PublishedFiles } from '../../../contract/files.ts';
import { listFiles } from '../../api/deployments.ts';
import { Button } from '../../ui/Button.tsx';
import { ExternalLink } from '../../ui/ExternalLink.tsx';
import { formatBytes } from '../../ui/formats.ts';
import { Loaded } from '../../ui/Loaded.tsx';
import { SelectField } from '../../ui/SelectField.tsx';
import { Table } from '../../ui/Table.tsx';
import { useAction } from '../../ui/useAction.ts';
import { useLoadable } from '../../ui/useLoadable.ts';
import { addressOfFile } from './addressOfFile.ts';

const PAGE = 20;
const ORDERS = { size: 'Largest first', path: 'By name' } as const;

/** The files of its site, with their sizes; nothing for a deployment without one. */
export function Files({ record }: { readonly record: DeploymentView }) {
  const site = record.builds.frontend?.artifact;
  const [isOpen, setOpen] = useState(false);
  if (site?.kind !== 'static' || record.expired) return null;
  return (
    <section class="card" aria-labelledby="files">
      <h2 id="files">Files</h2>
      <details onToggle={(e) => setOpen(e.currentTarget.open)}>
        <summary>
          {countOf(site.files, 'file')}, {formatBytes(site.bytes)}
        </summary>
        {isOpen && <FileList deploymentId={record.deploymentId} site={site.deploymentUrl} />}
      </details>
    </section>
  );
}

interface FileListProps {
  readonly deploymentId: string;
  /** Where the deployment is served. */
  readonly site: string | undefined;
}

function FileList({ deploymentId, site }: FileListProps) {
  const [sort, setSort] = useState<keyof typeof ORDERS>('size');
  const files = useLoadable(`files/${deploymentId}/${sort}`, (signal) =>
    listFiles(deploymentId, { sort, limit: PAGE }, signal),
  );
  const more = useAction(async ({ items, cursor }: PublishedFiles) => {
    if (cursor === undefined) return;
    const next = await listFiles(deploymentId, { sort, limit: 10 * PAGE, cursor });
    files.replace({ ...next, items: [...items, ...next.items] });
  });
  return (
    <>
      <div class="file-order">
        <SelectField label="Order" options={ORDERS} value={sort} onChange={setSort} />
      </div>
      <Loaded of={files} what="the files">
        {(page) => (
          <>
            <Table
              caption="Files of the site"
              rows={page.items}
              keyOf={({ path }) => path}
              columns={[
                {
                  title: 'File',
                  cell: ({ path }) => (
                    <span class="file-path">
                      {site ? <ExternalLink href={addressOfFile(site, path)}>{path}</ExternalLink> : path}
                    </span>
                  ),
                },
                { title: 'Size', align: 'end', cell: ({ bytes }) => formatBytes(bytes) },
                {
                  title: 'Compressed',
                  align: 'end',
                  cell: ({ compressedBytes }) => (compressedBytes === undefined ? '–' : formatBytes(compressedBytes)),
                },
              ]}
            />
            {page.cursor !== undefined && (
              <Button busy={more.busy} onClick={() => more.run(page)}>
                {`More of ${page.files} files`}
              </Button>
            )}
          </>
        )}
      </Loaded>
    </>
  );
}
