import { useState } from 'preact/hooks';
import type { CreatedToken, TokenView } from '../../../contract/people.ts';
import { revokeToken } from '../../api/people.ts';
import { useSession } from '../../session/SessionContext.ts';
import { Button } from '../../ui/Button.tsx';
import { askConfirmation } from '../../ui/confirm.tsx';
import { Loaded } from '../../ui/Loaded.tsx';
import { Section } from '../../ui/Section.tsx';
import { ShownOnce } from '../../ui/ShownOnce.tsx';
import { Table } from '../../ui/Table.tsx';
import { Time } from '../../ui/Time.tsx';
import { useAction } from '../../ui/useAction.ts';
import type { Loadable } from '../../ui/useLoadable.ts';
import { useMadeOnce } from '../../ui/useMadeOnce.ts';
import { TokenForm } from './TokenForm.tsx';

interface TokensProps {
  readonly tokens: Loadable<{ items: TokenView[] }>;
  readonly onChange: () => void;
}

/** Named tokens: made, limited, revoked, and when each was used last. */
export function Tokens({ tokens, onChange }: TokensProps) {
  const { caller } = useSession();
  const [making, setMaking] = useState(false);
  const [made, setMade] = useMadeOnce<CreatedToken>(tokens.value?.items);
  const revoke = useAction(async ({ id, name }: TokenView) => {
    const yes = await askConfirmation({
      ...{ title: `Revoke ${name}?`, action: 'Revoke', danger: true },
      text: 'Whoever uses it is refused from now on. It cannot be brought back.',
    });
    if (!yes) return false;
    await revokeToken(id);
    onChange();
  }, 'The token was revoked.');
  return (
    <Section
      title="Tokens"
      note="The stage's own token, or the laptop's, is not listed: the operator keeps it."
      actions={
        <Button kind="primary" onClick={() => setMaking(true)}>
          Make a token
        </Button>
      }
    >
      {made !== null && (
        <ShownOnce
          what="The token"
          text={made.token}
          advice="Give it to whom it is for over a way that only they can read. The platform keeps its hash alone."
          onDone={() => setMade(null)}
        />
      )}
      <Loaded of={tokens} what="the tokens">
        {({ items }) =>
          items.length === 0 ? (
            <p class="soft">
              No named tokens yet. Make one for each person and program, with as little scope as will do.
            </p>
          ) : (
            <Table
              caption="Tokens"
              rows={items}
              keyOf={({ id }) => id}
              columns={[
                {
                  title: 'Name',
                  cell: ({ id, name, member }) => (
                    <span>
                      {name} {member && <span class="soft">of {member}</span>}{' '}
                      {id === caller.tokenId && <span class="badge">yours</span>}
                    </span>
                  ),
                },
                { title: 'Scope', cell: ({ scope }) => scope },
                { title: 'Projects', cell: ({ projects }) => projects?.join(', ') ?? 'All' },
                {
                  title: 'Last used',
                  cell: ({ lastUsedAt }) => (lastUsedAt ? <Time at={lastUsedAt} /> : <span class="soft">never</span>),
                },
                {
                  title: 'Expires',
                  cell: ({ expiresAt }) => (expiresAt ? <Time at={expiresAt} /> : <span class="soft">never</span>),
                },
                {
                  ...{ title: 'Actions', hideTitle: true, align: 'end' },
                  cell: (token) => (
                    <Button kind="quiet" label={`Revoke ${token.name}`} onClick={() => revoke.run(token)}>
                      Revoke
                    </Button>
                  ),
                },
              ]}
            />
          )
        }
      </Loaded>
      {making && (
        <TokenForm
          onMade={(token) => {
            setMade(token);
            setMaking(false);
            onChange();
          }}
          onClose={() => setMaking(false)}
        />
      )}
    </Section>
  );
}
