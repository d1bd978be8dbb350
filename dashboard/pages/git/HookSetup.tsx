import { useState } from 'preact/hooks';
import type { GitSetup } from '../../../contract/gitApi.ts';
import { makeHookSecret } from '../../api/git.ts';
import { useSession } from '../../session/SessionContext.ts';
import { Button } from '../../ui/Button.tsx';
import { CopyText } from '../../ui/CopyText.tsx';
import { askConfirmation } from '../../ui/confirm.tsx';
import { Section } from '../../ui/Section.tsx';
import { ShownOnce } from '../../ui/ShownOnce.tsx';
import { Tag } from '../../ui/Status.tsx';
import { Time } from '../../ui/Time.tsx';
import { useAction } from '../../ui/useAction.ts';

interface HookSetupProps {
  readonly projectId: string;
  readonly setup: GitSetup;
  readonly onChange: () => void;
}

/** What the git host is to be told, and what it has told us. */
export function HookSetup({ projectId, setup, onChange }: HookSetupProps) {
  const { may } = useSession();
  const [secret, setSecret] = useState<string | null>(null);
  const { made, formerUntil } = setup.webhook;
  const make = useAction(async () => {
    const yes =
      !made ||
      (await askConfirmation({
        ...{ title: 'Make another secret?', action: 'Make another' },
        text: 'The one before it holds for an hour, so that no delivery is lost while you enter the new one.',
      }));
    if (!yes) return false;
    setSecret((await makeHookSecret(projectId)).secret);
    onChange();
  });
  return (
    <Section title="Webhook" note="Make a hook at the git host with these, of the type application/json.">
      <div class="card">
        <dl class="facts">
          <div class="wide">
            <dt>Address</dt>
            <dd>{setup.hookUrl && <CopyText text={setup.hookUrl} what="the address of the hook" />}</dd>
          </div>
          <div>
            <dt>Events</dt>
            <dd>{setup.events.join(', ')}</dd>
          </div>
          <div>
            <dt>Secret</dt>
            <dd>
              <Tag kind={made ? 'ok' : 'warn'}>{made ? 'Made' : 'Not made yet: deliveries are refused'}</Tag>
              {formerUntil && (
                <span class="soft small">
                  {' '}
                  The one before it holds until <Time at={formerUntil} />.
                </span>
              )}
            </dd>
          </div>
        </dl>
        {secret !== null && (
          <ShownOnce
            what="The secret"
            text={secret}
            advice="Enter it at the git host as the hook's secret."
            onDone={() => setSecret(null)}
          />
        )}
        {may('admin') && (
          <div class="actions">
            <Button kind={made ? 'plain' : 'primary'} busy={make.busy} onClick={() => make.run()}>
              {made ? 'Make another secret' : 'Make the secret'}
            </Button>
          </div>
        )}
      </div>
    </Section>
  );
}
