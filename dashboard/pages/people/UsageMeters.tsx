import type { Usage } from '../../../contract/people.ts';
import { formatBytes } from '../../ui/formats.ts';
import { Section } from '../../ui/Section.tsx';

/** What is used of what is allowed. Without a limit there is no bar. */
export function UsageMeters({ usage }: { readonly usage: Usage }) {
  const { builds, requestsPerMinute, deploymentsPerHour, storageBytes, members, tokens } = usage;
  return (
    <Section title="Use and limits">
      <dl class="meters">
        <Meter title="Builds at once" {...builds} note={builds.waiting > 0 ? `${builds.waiting} waiting` : undefined} />
        <Meter title="Deployments in this hour" {...deploymentsPerHour} />
        <Meter title="Requests in this minute" {...requestsPerMinute} />
        <Meter
          title="Storage"
          {...storageBytes}
          format={formatBytes}
          note={
            storageBytes.uncountedProjects > 0
              ? `${storageBytes.uncountedProjects} projects not counted yet`
              : undefined
          }
        />
        <Meter title="Members" {...members} />
        <Meter title="Tokens" {...tokens} />
      </dl>
    </Section>
  );
}

interface MeterProps {
  readonly title: string;
  readonly used: number;
  readonly limit?: number | undefined;
  readonly format?: (amount: number) => string;
  readonly note?: string | undefined;
}

function Meter({ title, used, limit, format = String, note }: MeterProps) {
  return (
    <div class="card meter">
      <dt class="soft small">{title}</dt>
      <dd>
        <span class="meter-used">{format(used)}</span>{' '}
        <span class="soft">{limit === undefined ? 'without a limit' : `of ${format(limit)}`}</span>
        {limit !== undefined && (
          <meter aria-label={title} min={0} max={limit} high={limit * 0.8} optimum={0} value={Math.min(used, limit)} />
        )}
        {note && <span class="soft small">{note}</span>}
      </dd>
    </div>
  );
}
