import { useState } from 'preact/hooks';
import type { AuditEntry } from '../../../contract/people.ts';
import { listAudit } from '../../api/people.ts';
import { paths } from '../../app/paths.ts';
import { Button } from '../../ui/Button.tsx';
import { Empty } from '../../ui/Empty.tsx';
import { Loaded } from '../../ui/Loaded.tsx';
import { Table } from '../../ui/Table.tsx';
import { Time } from '../../ui/Time.tsx';
import { useAction } from '../../ui/useAction.ts';
import { useLoadable } from '../../ui/useLoadable.ts';
import { useTitle } from '../../ui/useTitle.ts';

/** Who has changed what, newest first. It never holds a secret. */
export function AuditPage() {
  useTitle('Audit list');
  const first = useLoadable('audit', (signal) => listAudit({}, signal));
  const [more, setMore] = useState<{ items: AuditEntry[]; cursor: string | undefined } | null>(null);
  const next = useAction(async (cursor: string) => {
    const page = await listAudit({ cursor });
    setMore({ items: [...(more?.items ?? []), ...page.items], cursor: page.cursor });
  });
  return (
    <>
      <div class="page-head">
        <div>
          <h1>Audit list</h1>
          <p class="soft">Who has changed what. Values and secrets are never part of it.</p>
        </div>
      </div>
      <Loaded of={first} what="the audit list">
        {(page) => {
          const rows = [...page.items, ...(more?.items ?? [])].map((entry, index) => ({ ...entry, index }));
          const cursor = more ? more.cursor : page.cursor;
          if (rows.length === 0) return <Empty title="Nothing was changed yet" />;
          return (
            <div class="stack">
              <Table
                caption="Changes"
                rows={rows}
                keyOf={({ index }) => String(index)}
                columns={[
                  {
                    title: 'When',
                    cell: ({ at }) => (
                      <span class="whole">
                        <Time at={at} />
                      </span>
                    ),
                  },
                  { title: 'Who', cell: ({ by }) => <span class="whole">{by}</span> },
                  { title: 'What', cell: ({ action }) => <code class="whole">{action}</code> },
                  {
                    title: 'Project',
                    cell: ({ projectId }) => (projectId ? <a href={paths.project(projectId)}>{projectId}</a> : '–'),
                  },
                  {
                    title: 'Of it',
                    cell: ({ subject, detail }) => (
                      <span>
                        {subject} {detail && <span class="soft">{detail}</span>}
                      </span>
                    ),
                  },
                ]}
              />
              {cursor !== undefined && (
                <Button busy={next.busy} onClick={() => next.run(cursor)}>
                  Show older ones
                </Button>
              )}
            </div>
          );
        }}
      </Loaded>
    </>
  );
}
