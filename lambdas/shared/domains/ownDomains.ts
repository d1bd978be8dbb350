import { createHmac } from 'node:crypto';
import type { DnsEntry, Domain, DomainDocument } from '../../../contract/domains.ts';
import { DomainDocumentSchema, MAX_DOMAINS } from '../../../contract/domains.ts';
import { VerenError } from '../../../contract/errors.ts';
import { s3Keys } from '../../../contract/names.ts';
import type { ProjectDocument } from '../../../contract/project.ts';
import type { Documents } from '../documents.ts';
import type { Clock, DomainProgress, Domains, Sites } from '../ports.ts';
import type { ProjectStore } from '../projects/projectStore.ts';
import { showAtDomains } from './followRelease.ts';

type Holder = NonNullable<DomainDocument['holder']>;

/** The domains of projects: who has which, and how far it is. */
export interface OwnDomains {
  /** Adds a name, or looks again how far it is. Throws DOMAIN_TAKEN and DOMAIN_REFUSED. */
  add(project: ProjectDocument, name: string): Promise<Domain>;
  /** Null where the project has no such domain. */
  look(project: ProjectDocument, name: string): Promise<Domain | null>;
  /** In the order in which they were added. */
  list(project: ProjectDocument): Promise<Domain[]>;
  /** False where the project has no such domain. */
  remove(project: ProjectDocument, name: string): Promise<boolean>;
  /**
   * Removes what the platform still keeps of names that nobody has any more; what cannot go yet is left to the next
   * call. @returns The names of which nothing is left.
   */
  sweep(mayGoOn: () => boolean): Promise<string[]>;
}

export interface OwnDomainsDeps {
  readonly documents: Documents;
  readonly projects: ProjectStore;
  readonly domains: Domains;
  readonly clock: Clock;
  /** The stage's own domain for sites, which no project may have a part of. @default - none */
  readonly siteDomain?: string | undefined;
  readonly sites: Sites;
}

/** Names that AWS gives, and those of every machine itself. */
const RESERVED = ['cloudfront.net', 'amazonaws.com', 'api.aws', 'localhost'];

/** Where the proof of a name is entered, and what: nobody without the project's key can make it. */
function proofOf(project: ProjectDocument, name: string): DnsEntry {
  const value = createHmac('sha256', project.addressKey).update(`domain:${name}`).digest('base64url').slice(0, 32);
  return { type: 'TXT', name: `_veren.${name}`, value: `veren=${value}` };
}

const shownOf = (name: string, { owner: _, proved: __, ...shown }: Holder): Domain => ({ name, ...shown });

/** A name that another project has taken over is no longer this one's, nor one of an earlier project of its name. */
const ownHolder = (project: ProjectDocument, holder: Holder | null | undefined): Holder | null =>
  holder && holder.projectId === project.projectId && holder.owner === project.owner ? holder : null;

export function openOwnDomains(deps: OwnDomainsDeps): OwnDomains {
  const { documents, projects, domains, clock, siteDomain } = deps;
  const now = () => new Date(clock.now()).toISOString();
  const refuse = (name: string, reason: string) => new VerenError('DOMAIN_REFUSED', { name, reason });
  const read = async (name: string) => (await documents.read(s3Keys.domain(name), DomainDocumentSchema))?.holder;

  /** How far a name is. Nothing answers for it before its DNS has named the project. */
  async function examine(
    name: string,
    proof: DnsEntry,
    wasProved: boolean,
  ): Promise<DomainProgress & { proved: boolean }> {
    const proved = wasProved || (await domains.proves(proof));
    if (proved) return { proved, ...(await domains.attach(name)) };
    return {
      proved,
      status: 'pending-dns',
      problem: `There is no TXT record ${proof.name} with the value ${proof.value}.`,
    };
  }

  /** Writes what was found, unless the name has gone to another project meanwhile. */
  async function write(
    project: ProjectDocument,
    name: string,
    found: Omit<Holder, 'addedAt'>,
    rival?: string,
  ): Promise<Domain> {
    const { name: record, value } = proofOf(project, name);
    const taken = new VerenError('DOMAIN_TAKEN', { name, record, value });
    const after = await documents.change(s3Keys.domain(name), DomainDocumentSchema, (before) => {
      const holder = before?.holder;
      const own = ownHolder(project, holder);
      if (holder && !own && holder.projectId !== rival) throw taken;
      return { v: 1 as const, name, holder: { ...found, addedAt: own?.addedAt ?? found.checkedAt } };
    });
    return shownOf(name, after?.holder as Holder);
  }

  async function keepsProof(holder: Holder, name: string): Promise<boolean> {
    const project = holder.proved ? await projects.get(holder.projectId) : null;
    return project?.owner === holder.owner && domains.proves(proofOf(project, name));
  }

  async function check(project: ProjectDocument, name: string, before: Holder | undefined): Promise<Domain> {
    const { projectId, owner } = project;
    const proof = proofOf(project, name);
    const own = ownHolder(project, before);
    const { name: record, value } = proof;
    const rival = own ? undefined : before;
    // A name goes to whom its DNS names, unless it still names the project that has it.
    if (rival && (!(await domains.proves(proof)) || (await keepsProof(rival, name))))
      throw new VerenError('DOMAIN_TAKEN', { name, record, value });
    const entries = await domains.entries(name);
    const { status, problem, proved } = await examine(name, proof, own?.proved ?? false);
    // A platform on which every name works asks for no records, and for no proof.
    const dns = entries.length > 0 ? [...entries, proof] : [];
    const found = {
      projectId,
      owner,
      status,
      proved,
      dns,
      checkedAt: now(),
      ...(problem !== undefined && { problem }),
    };
    return write(project, name, found, rival?.projectId);
  }

  const follow = (project: Pick<ProjectDocument, 'projectId'>) => showAtDomains(deps, project);

  /** The list of the project is what releases follow; the name's own document decides whose it is. */
  const setListed = (project: ProjectDocument, name: string, isListed: boolean) =>
    projects.change(project.projectId, (before) => {
      const others = (before.domains ?? []).filter((one) => one !== name);
      if (isListed === before.domains?.includes(name)) return before;
      if (isListed && others.length >= MAX_DOMAINS) throw refuse(name, `a project has at most ${MAX_DOMAINS} domains.`);
      return { ...before, domains: isListed ? [...others, name] : others };
    });

  return {
    async add(project, name) {
      const reserved = [...RESERVED, ...(siteDomain === undefined ? [] : [siteDomain])];
      const parent = reserved.find((one) => name === one || name.endsWith(`.${one}`));
      if (parent !== undefined) throw refuse(name, `${parent} is not yours to give names in.`);
      const before = (await read(name)) ?? undefined;
      const domain = await check(project, name, before);
      try {
        await setListed(project, name, true);
      } catch (error) {
        await this.remove(project, name);
        throw error;
      }
      const loser = before?.projectId === project.projectId ? undefined : before?.projectId;
      if (loser !== undefined)
        await projects.change(loser, (project) => ({
          ...project,
          domains: (project.domains ?? []).filter((one) => one !== name),
        }));
      if (domain.status === 'live' || domain.status === 'pending-certificate') await follow(project);
      return domain;
    },
    async look(project, name) {
      const holder = ownHolder(project, await read(name));
      if (!holder) return null;
      if (holder.status === 'live') return shownOf(name, holder);
      const domain = await check(project, name, holder);
      if (domain.status !== holder.status) await follow(project);
      return domain;
    },
    async list(project) {
      const holders = await Promise.all(
        (project.domains ?? []).map(async (name) => ({ name, holder: await read(name) })),
      );
      return holders.flatMap(({ name, holder }) =>
        ownHolder(project, holder) ? [shownOf(name, holder as Holder)] : [],
      );
    },
    async remove(project, name) {
      if (!ownHolder(project, await read(name))) return false;
      // First no release points it anywhere again, then nothing answers, and last the name is free for others.
      // One that is being removed is pointed nowhere again, and its next try finds the name in its list.
      if (!project.deleting) await setListed(project, name, false);
      await deps.sites.point([{ host: name, route: null }]);
      await domains.detach(name);
      await documents.change(s3Keys.domain(name), DomainDocumentSchema, (before) =>
        before && ownHolder(project, before.holder) ? { ...before, holder: null } : before,
      );
      const next = await read(name);
      // Another project has taken the name over meanwhile, and this removal may have switched it off.
      if (next && !ownHolder(project, next) && next.proved) {
        await domains.attach(name);
        await follow(next);
      }
      return true;
    },
    async sweep(mayGoOn) {
      const removed: string[] = [];
      for await (const name of domains.listDetached()) {
        if (!mayGoOn()) break;
        const document = await documents.read(s3Keys.domain(name), DomainDocumentSchema);
        // One that an operator has switched off belongs to its project, and one without a document to nobody of us.
        if (document?.holder !== null) continue;
        if (await domains.removeDetached(name)) removed.push(name);
      }
      return removed;
    },
  };
}
