import type { ApprovalList } from '../../../contract/gitApi.ts';
import { approve, listApprovals } from '../../api/git.ts';
import { Button } from '../../ui/Button.tsx';
import { askConfirmation } from '../../ui/confirm.tsx';
import { shortCommit } from '../../ui/formats.ts';
import { Loaded } from '../../ui/Loaded.tsx';
import { Section } from '../../ui/Section.tsx';
import { Table } from '../../ui/Table.tsx';
import { Time } from '../../ui/Time.tsx';
import { useAction } from '../../ui/useAction.ts';
import { useLoadable } from '../../ui/useLoadable.ts';

type Held = ApprovalList['items'][number];

/** Pull requests of strangers: their code runs in our builders only after somebody has looked at it. */
export function Approvals({ projectId }: { readonly projectId: string }) {
  const held = useLoadable(`approvals/${projectId}`, (signal) => listApprovals(projectId, signal));
  const build = useAction(async ({ number, commit, from }: Held) => {
    const yes = await askConfirmation({
      ...{ title: `Build pull request ${number} of ${from}?`, action: 'Build it' },
      text: `At commit ${shortCommit(commit)} alone, without secrets and with caches of its own. Look at the changes first.`,
    });
    if (!yes) return false;
    await approve(projectId, { number, commit });
    held.reload();
  }, 'It is being built.');
  return (
    <Section title="Pull requests of forks" note="Each commit waits until a member has looked at it.">
      <Loaded of={held} what="what waits">
        {({ items }) =>
          items.length === 0 ? (
            <p class="soft">Nothing waits.</p>
          ) : (
            <Table
              caption="Pull requests of forks"
              rows={items}
              keyOf={({ number, commit }) => `${number} ${commit}`}
              columns={[
                {
                  title: 'Pull request',
                  cell: ({ number, title }) => (
                    <span>
                      #{number} {title}
                    </span>
                  ),
                },
                {
                  title: 'From',
                  cell: ({ from, branch, author }) => (
                    <span>
                      {from}, branch {branch} {author && <span class="soft">by {author}</span>}
                    </span>
                  ),
                },
                { title: 'Commit', cell: ({ commit }) => <code title={commit}>{shortCommit(commit)}</code> },
                { title: 'Since', cell: ({ at }) => <Time at={at} /> },
                {
                  ...{ title: 'Actions', hideTitle: true, align: 'end' },
                  cell: (item) => (
                    <Button label={`Build pull request ${item.number}`} onClick={() => build.run(item)}>
                      Build it
                    </Button>
                  ),
                },
              ]}
            />
          )
        }
      </Loaded>
    </Section>
  );
}
