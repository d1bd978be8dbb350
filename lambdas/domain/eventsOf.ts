import { TARGETS, type Target } from '../../contract/builders.ts';
import { type DeploymentEvent, EVENT_VERSION } from '../../contract/events.ts';
import { PHASES } from '../../contract/record.ts';
import type { AttemptFacts, DeploymentFacts } from './facts.ts';

/**
 * Events that give these facts when they are folded. The archive stores facts in this form, since events have a version
 * and a schema. Empty before the request is known.
 */
export function eventsOf(facts: DeploymentFacts): DeploymentEvent[] {
  const { requested, analyzing, analyzed, failed, canceled, unchanged, expired, updatedAt } = facts;
  if (!requested) return [];
  const { deploymentId, projectId } = requested;
  const common = { v: EVENT_VERSION, deploymentId, projectId } as const;
  return [
    requested,
    ...(analyzing ? [{ ...common, ...analyzing, type: 'deployment.analyzing' } as const] : []),
    ...[analyzed, failed, canceled, unchanged, expired].filter((event) => event !== undefined),
    ...TARGETS.flatMap((target) =>
      Object.entries(facts.attempts[target] ?? {}).flatMap(([n, attempt]) =>
        attemptEvents({ ...common, target, attempt: Number(n) }, attempt),
      ),
    ),
    // A later repeat of the request changes nothing but the time of the last event, which may have been a repeat itself.
    ...(updatedAt > requested.at ? [{ ...requested, at: updatedAt }] : []),
  ];
}

interface Common {
  readonly v: typeof EVENT_VERSION;
  readonly deploymentId: string;
  readonly projectId: string;
  readonly target: Target;
  readonly attempt: number;
}

function attemptEvents(common: Common, facts: AttemptFacts): DeploymentEvent[] {
  const { started, toolchain = {}, phases, stored, ended, undecided, used } = facts;
  const ofToolchain = (['started', 'finished'] as const).flatMap((state): DeploymentEvent[] => {
    const stamp = toolchain[state];
    return stamp ? [{ ...common, ...stamp, type: 'build.toolchain', state }] : [];
  });
  const ofPhases = PHASES.flatMap((phase): DeploymentEvent[] => {
    const known = phases[phase] ?? {};
    const event = { ...common, type: 'build.phase', phase } as const;
    return [
      ...(known.started ? [{ ...event, ...known.started, state: 'started' } as const] : []),
      ...(known.finished ? [{ ...event, ...known.finished, state: 'finished' } as const] : []),
    ];
  });
  return [started, ...ofToolchain, ...ofPhases, stored, undecided, ended, used].filter((event) => event !== undefined);
}
