import { useEffect, useState } from 'preact/hooks';
import { useRoute } from 'preact-iso/router';
import type { Domain, DomainStatus } from '../../../contract/domains.ts';
import { addDomain, checkDomain, listDomains, removeDomain } from '../../api/domains.ts';
import { ProjectFrame } from '../../app/ProjectFrame.tsx';
import { useSession } from '../../session/SessionContext.ts';
import { Button } from '../../ui/Button.tsx';
import { CopyText } from '../../ui/CopyText.tsx';
import { askConfirmation } from '../../ui/confirm.tsx';
import { Empty } from '../../ui/Empty.tsx';
import { ExternalLink } from '../../ui/ExternalLink.tsx';
import { Field } from '../../ui/Field.tsx';
import { FormFailure } from '../../ui/FormFailure.tsx';
import { Loaded } from '../../ui/Loaded.tsx';
import { Tag, type TagKind } from '../../ui/Status.tsx';
import { Table } from '../../ui/Table.tsx';
import { Time } from '../../ui/Time.tsx';
import { useAction } from '../../ui/useAction.ts';
import { useLoadable } from '../../ui/useLoadable.ts';
import { useSubmit } from '../../ui/useSubmit.ts';

const STATES: Readonly<Record<DomainStatus, { kind: TagKind; text: string }>> = {
  'pending-dns': { kind: 'waiting', text: 'Waits for its DNS records' },
  'pending-certificate': { kind: 'running', text: 'Waits for its certificate' },
  live: { kind: 'ok', text: 'Live' },
  failed: { kind: 'bad', text: 'Failed' },
};
/** While something is on its way (ms). */
const CHECK_MS = 15_000;

/** Host names of the user's own, and what to enter at the host of their DNS. */
export function DomainsPage() {
  const { projectId = '' } = useRoute().params;
  const { may } = useSession();
  const domains = useLoadable(`domains/${projectId}`, (signal) => listDomains(projectId, signal));
  const { reload } = domains;
  const pending = domains.value?.domains.some(({ status }) => status.startsWith('pending')) ?? false;
  useEffect(() => {
    if (!pending) return;
    const timer = setInterval(reload, CHECK_MS);
    return () => clearInterval(timer);
  }, [pending, reload]);

  return (
    <ProjectFrame projectId={projectId} tab="domains">
      <Loaded of={domains} what="the domains">
        {(list) => (
          <div class="stack">
            {may('admin') && <AddDomain projectId={projectId} onAdded={reload} />}
            {list.domains.length === 0 && (
              <Empty title="No domains of your own">
                <p>Production then has an address below a name of your own, with a certificate.</p>
              </Empty>
            )}
            {list.domains.map((domain) => (
              <DomainCard key={domain.name} projectId={projectId} domain={domain} onChange={reload} />
            ))}
          </div>
        )}
      </Loaded>
    </ProjectFrame>
  );
}

function AddDomain({ projectId, onAdded }: { readonly projectId: string; readonly onAdded: () => void }) {
  const [name, setName] = useState('');
  const { busy, submit, faultOf, error } = useSubmit(async () => {
    await addDomain(projectId, name.trim());
    setName('');
    onAdded();
  }, 'The domain was added. Enter its DNS records next.');
  return (
    <form class="form" onSubmit={submit} noValidate>
      <Field label="Add a domain" hint="A whole name, such as www.example.com." error={faultOf('name')}>
        {(props) => (
          <div class="field-row">
            <input
              {...props}
              value={name}
              inputMode="url"
              autocomplete="off"
              autocapitalize="off"
              spellcheck={false}
              onInput={(e) => setName(e.currentTarget.value)}
            />
            <Button kind="primary" type="submit" busy={busy} disabled={name.trim() === ''}>
              Add
            </Button>
          </div>
        )}
      </Field>
      <FormFailure error={error} />
    </form>
  );
}

interface DomainCardProps {
  readonly projectId: string;
  readonly domain: Domain;
  readonly onChange: () => void;
}

function DomainCard({ projectId, domain, onChange }: DomainCardProps) {
  const { may } = useSession();
  const { kind, text } = STATES[domain.status];
  const check = useAction(async () => {
    await checkDomain(projectId, domain.name);
    onChange();
  });
  const remove = useAction(async () => {
    const yes = await askConfirmation({
      ...{ title: `Remove ${domain.name}?`, action: 'Remove', danger: true },
      text: 'Visitors who use this name get no answer from then on. The DNS records stay where they are.',
    });
    if (!yes) return false;
    await removeDomain(projectId, domain.name);
    onChange();
  }, 'The domain was removed.');
  return (
    <section class="card" aria-label={domain.name}>
      <div class="section-head">
        <h2>
          {domain.status === 'live' ? (
            <ExternalLink href={`https://${domain.name}`}>{domain.name}</ExternalLink>
          ) : (
            domain.name
          )}
        </h2>
        <Tag kind={kind}>{text}</Tag>
      </div>
      {domain.problem && <p>{domain.problem}</p>}
      {domain.status !== 'live' && domain.dns.length > 0 && (
        <>
          <p class="soft small">Enter these records at the host of the domain's DNS.</p>
          <Table
            caption={`DNS records of ${domain.name}`}
            rows={domain.dns}
            keyOf={({ type, name }) => type + name}
            columns={[
              { title: 'Type', cell: (entry) => entry.type },
              { title: 'Name', cell: (entry) => <CopyText text={entry.name} what="the name" /> },
              { title: 'Value', cell: (entry) => <CopyText text={entry.value} what="the value" /> },
            ]}
          />
        </>
      )}
      <div class="section-foot">
        <span class="soft small">
          Looked at <Time at={domain.checkedAt} />
        </span>
        <div class="actions">
          <Button busy={check.busy} label={`Check again ${domain.name}`} onClick={() => check.run()}>
            Check again
          </Button>
          {may('admin') && (
            <Button kind="quiet" busy={remove.busy} label={`Remove ${domain.name}`} onClick={() => remove.run()}>
              Remove
            </Button>
          )}
        </div>
      </div>
    </section>
  );
}
