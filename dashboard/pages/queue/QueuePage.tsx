import { useEffect } from 'preact/hooks';
import type { Queue } from '../../../contract/queue.ts';
import { cancelDeployment } from '../../api/deployments.ts';
import { getQueue } from '../../api/queue.ts';
import { paths } from '../../app/paths.ts';
import { useSession } from '../../session/SessionContext.ts';
import { Button } from '../../ui/Button.tsx';
import { askConfirmation } from '../../ui/confirm.tsx';
import { Empty } from '../../ui/Empty.tsx';
import { Loaded } from '../../ui/Loaded.tsx';
import { Section } from '../../ui/Section.tsx';
import { Tag } from '../../ui/Status.tsx';
import { Table } from '../../ui/Table.tsx';
import { Time } from '../../ui/Time.tsx';
import { useAction } from '../../ui/useAction.ts';
import { useLoadable } from '../../ui/useLoadable.ts';
import { useTitle } from '../../ui/useTitle.ts';

type Item = Queue['items'][number];

/** The queue of all projects is pushed to nobody, so it is asked for while it is looked at (ms). */
const LOOK_MS = 3_000;

/** What runs, what waits and how many may run. */
export function QueuePage() {
  useTitle('Queue');
  const queue = useLoadable('queue', getQueue);
  const { reload } = queue;
  useEffect(() => {
    const timer = setInterval(() => {
      if (document.visibilityState === 'visible') reload();
    }, LOOK_MS);
    return () => clearInterval(timer);
  }, [reload]);
  return (
    <>
      <div class="page-head">
        <h1>Queue</h1>
      </div>
      <Loaded of={queue} what="the queue">
        {({ items, limits }) => {
          const running = items.filter(({ state }) => state === 'running');
          const waiting = items.filter(({ state }) => state === 'waiting');
          const limit =
            limits.builds === undefined
              ? "As many run at once as the stage's limit allows."
              : `At most ${limits.builds} builds run at once.`;
          if (items.length === 0)
            return (
              <Empty title="Nothing runs and nothing waits">
                <p>{limit}</p>
              </Empty>
            );
          return (
            <div class="stack">
              <Section title={`Running: ${running.length}`} note={limit}>
                <Jobs caption="Running" items={running} none="Nothing runs." onChange={reload} />
              </Section>
              <Section
                title={`Waiting: ${waiting.length}`}
                note="In the order in which they are taken. Places count the jobs of all owners."
              >
                <Jobs caption="Waiting" items={waiting} none="Nothing waits." onChange={reload} />
              </Section>
            </div>
          );
        }}
      </Loaded>
    </>
  );
}

interface JobsProps {
  readonly caption: string;
  readonly items: readonly Item[];
  readonly none: string;
  readonly onChange: () => void;
}

function Jobs({ caption, items, none, onChange }: JobsProps) {
  const { may } = useSession();
  const cancel = useAction(async ({ deploymentId, projectId }: Item) => {
    const yes = await askConfirmation({
      ...{ title: `Cancel the deployment of ${projectId}?`, action: 'Cancel it', danger: true },
      text: 'What it has built is not published. What production shows stays.',
    });
    if (!yes) return false;
    await cancelDeployment(deploymentId);
    onChange();
  }, 'The deployment is being canceled.');
  if (items.length === 0) return <p class="soft">{none}</p>;
  return (
    <Table
      caption={caption}
      rows={items}
      keyOf={({ deploymentId, target }) => `${deploymentId} ${target}`}
      columns={[
        { title: 'Project', cell: ({ projectId }) => <a href={paths.project(projectId)}>{projectId}</a> },
        {
          title: 'Deployment',
          cell: ({ deploymentId }) => <a href={paths.deployment(deploymentId)}>{deploymentId}</a>,
        },
        { title: 'Work', cell: workOf },
        { title: 'State', cell: stateOf },
        { title: 'Since', cell: ({ since }) => <Time at={since} /> },
        {
          ...{ title: 'Actions', hideTitle: true, align: 'end' },
          cell: (item) =>
            may('deploy') && (
              <Button label={`Cancel the deployment of ${item.projectId}`} onClick={() => cancel.run(item)}>
                Cancel
              </Button>
            ),
        },
      ]}
    />
  );
}

const workOf = ({ target, attempt }: Item) =>
  `${target === undefined ? 'Look at the repository' : `Build the ${target}`}${attempt > 1 ? `, attempt ${attempt}` : ''}`;

function stateOf({ state, position, notBefore }: Item) {
  if (state === 'running') return <Tag kind="running">Running</Tag>;
  return (
    <span>
      <Tag kind="waiting">{`Place ${position}`}</Tag>
      {notBefore && (
        <span class="soft small">
          {' '}
          not before <Time at={notBefore} />
        </span>
      )}
    </span>
  );
}
