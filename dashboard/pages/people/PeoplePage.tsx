import { getUsage, listMembers, listTokens } from '../../api/people.ts';
import { useSession } from '../../session/SessionContext.ts';
import { Loaded } from '../../ui/Loaded.tsx';
import { Notice } from '../../ui/Notice.tsx';
import { useLoadable } from '../../ui/useLoadable.ts';
import { useTitle } from '../../ui/useTitle.ts';
import { Members } from './Members.tsx';
import { Tokens } from './Tokens.tsx';
import { UsageMeters } from './UsageMeters.tsx';

/** Who may do what, and what the owner uses. */
export function PeoplePage() {
  useTitle('People and tokens');
  const { caller, may } = useSession();
  const whole = caller.projects === undefined;
  const usage = useLoadable(whole ? 'usage' : null, getUsage);
  const members = useLoadable(whole ? 'members' : null, listMembers);
  const tokens = useLoadable(whole && may('admin') ? 'tokens' : null, listTokens);
  // Tokens go with their member, and both are counted.
  const reload = () => {
    for (const part of [usage, members, tokens]) part.reload();
  };
  return (
    <>
      <div class="page-head">
        <div>
          <h1>People and tokens</h1>
          <p class="soft">
            You are “{caller.name}” of {caller.owner}, with the scope {caller.scope}.
          </p>
        </div>
      </div>
      {whole ? (
        <div class="stack">
          <Loaded of={usage} what="the use">
            {(value) => <UsageMeters usage={value} />}
          </Loaded>
          <Members members={members} onChange={reload} />
          {may('admin') && <Tokens tokens={tokens} onChange={reload} />}
        </div>
      ) : (
        <Notice kind="info" title="Your token is limited to projects">
          <p>
            People, tokens and the use concern the owner as a whole: {caller.projects?.join(', ')} is all that it sees.
          </p>
        </Notice>
      )}
    </>
  );
}
