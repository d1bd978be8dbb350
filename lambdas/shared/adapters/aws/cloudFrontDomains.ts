import type { DistributionTenant } from '@aws-sdk/client-cloudfront';
import type { DomainProgress, Domains } from '../../ports.ts';
import { asAwsOutage } from './awsOutage.ts';
import type { CloudFrontCalls } from './clients.ts';

/** The multi-tenant distribution of a stage, and where names of projects lead. */
export interface TenantsOf {
  readonly distributionId: string;
  readonly connectionGroupId: string;
  /** `d….cloudfront.net` of the connection group. */
  readonly endpoint: string;
}

/** Lookups in the public DNS; a name without such a record has none. */
export interface DnsLookups {
  texts(name: string): Promise<string[]>;
  cnames(name: string): Promise<string[]>;
  addresses(name: string): Promise<string[]>;
}

/** The state of a tenant whose last change is not at all edges yet. */
const IN_PROGRESS = 'InProgress';

const isFault = (e: unknown, ...names: string[]) => names.includes((e as Error).name);

/**
 * Domains by CloudFront's multi-tenant distributions: a name is a distribution tenant, whose certificate CloudFront gets
 * and renews by itself once the name leads to the connection group.
 */
export function cloudFrontDomains(client: CloudFrontCalls, dns: DnsLookups, stage: TenantsOf): Domains {
  const sdk = () => import('@aws-sdk/client-cloudfront');

  async function findTenant(name: string): Promise<{ tenant: DistributionTenant; tag: string | undefined } | null> {
    const { GetDistributionTenantByDomainCommand } = await sdk();
    try {
      const found = await client.send(new GetDistributionTenantByDomainCommand({ Domain: name }));
      return found.DistributionTenant ? { tenant: found.DistributionTenant, tag: found.ETag } : null;
    } catch (e) {
      if (isFault(e, 'EntityNotFound')) return null;
      throw e;
    }
  }

  /** Undefined where the name leads here; else where it leads, in a sentence. */
  async function whereElse(name: string): Promise<string | undefined> {
    const [cnames, own, ours] = await Promise.all([
      dns.cnames(name),
      dns.addresses(name),
      dns.addresses(stage.endpoint),
    ]);
    if (cnames.some((cname) => cname.toLowerCase().replace(/\.$/, '') === stage.endpoint)) return undefined;
    // The zone's own name can have no CNAME: its DNS host then gives the addresses that ours has.
    if (own.some((address) => ours.includes(address))) return undefined;
    const there = cnames[0] ?? own[0];
    if (there === undefined) return `${name} leads nowhere yet: enter the CNAME ${stage.endpoint}.`;
    return `${name} leads to ${there}, not to ${stage.endpoint}.`;
  }

  const managedCertificate = (name: string) => ({
    ValidationTokenHost: 'cloudfront' as const,
    PrimaryDomainName: name,
  });

  async function createTenant(name: string): Promise<DomainProgress> {
    const { CreateDistributionTenantCommand } = await sdk();
    const elsewhere = await whereElse(name);
    if (elsewhere !== undefined) return { status: 'pending-dns', problem: elsewhere };
    try {
      await client.send(
        new CreateDistributionTenantCommand({
          DistributionId: stage.distributionId,
          ConnectionGroupId: stage.connectionGroupId,
          Name: name,
          Domains: [{ Domain: name }],
          ManagedCertificateRequest: managedCertificate(name),
          Enabled: true,
        }),
      );
    } catch (e) {
      if (isFault(e, 'EntityAlreadyExists')) return { status: 'pending-certificate' };
      if (isFault(e, 'CNAMEAlreadyExists'))
        return { status: 'failed', problem: `${name} is in use at another CloudFront distribution: remove it there.` };
      throw e;
    }
    return { status: 'pending-certificate' };
  }

  async function updateTenant(tenant: DistributionTenant, tag: string | undefined, change: object): Promise<void> {
    const { UpdateDistributionTenantCommand } = await sdk();
    await client.send(new UpdateDistributionTenantCommand({ Id: tenant.Id, IfMatch: tag, ...change }));
  }

  async function followTenant(
    name: string,
    tenant: DistributionTenant,
    tag: string | undefined,
  ): Promise<DomainProgress> {
    if (tenant.DistributionId !== stage.distributionId)
      return { status: 'failed', problem: `${name} is in use at another distribution of this AWS account.` };
    if (tenant.Enabled === false) {
      await updateTenant(tenant, tag, { Enabled: true });
      return { status: 'pending-certificate' };
    }
    if (tenant.Domains?.some(({ Domain, Status }) => Domain === name && Status === 'active')) return { status: 'live' };
    const { GetManagedCertificateDetailsCommand } = await sdk();
    const { ManagedCertificateDetails: certificate } = await client.send(
      new GetManagedCertificateDetailsCommand({ Identifier: tenant.Id }),
    );
    const { CertificateStatus: status, CertificateArn: arn } = certificate ?? {};
    if (status === 'issued') {
      await updateTenant(tenant, tag, { Customizations: { ...tenant.Customizations, Certificate: { Arn: arn } } });
      return { status: 'pending-certificate' };
    }
    const elsewhere = await whereElse(name);
    if (elsewhere !== undefined) return { status: 'pending-dns', problem: elsewhere };
    if (status === undefined || status === 'pending-validation') return { status: 'pending-certificate' };
    // It was not validated in time, or not at all: now the name leads here, and another one is asked for.
    await updateTenant(tenant, tag, { ManagedCertificateRequest: managedCertificate(name) });
    return {
      status: 'pending-certificate',
      problem: `The certificate was not issued (${status}); it is asked for again.`,
    };
  }

  /**
   * Deletes a tenant that is disabled, in the version that was read: one that is enabled again meanwhile has another.
   * False where it has to stay. Source: CloudFront developer guide, "Delete a distribution" (disabled first; the change
   * takes minutes to reach all edges), and API reference, `DeleteDistributionTenant`.
   */
  async function deleteTenant(tenant: DistributionTenant, tag: string | undefined): Promise<boolean> {
    const { DeleteDistributionTenantCommand } = await sdk();
    try {
      await client.send(new DeleteDistributionTenantCommand({ Id: tenant.Id, IfMatch: tag }));
      return true;
    } catch (e) {
      if (isFault(e, 'EntityNotFound')) return true;
      if (isFault(e, 'ResourceNotDisabled', 'PreconditionFailed', 'InvalidIfMatchVersion')) return false;
      throw e;
    }
  }

  const orOutage = async <T>(call: () => Promise<T>): Promise<T> => {
    try {
      return await call();
    } catch (e) {
      throw asAwsOutage('CloudFront', e);
    }
  };

  return {
    entries: async (name) => [{ type: 'CNAME', name, value: stage.endpoint }],
    proves: async ({ name, value }) => (await dns.texts(name)).includes(value),
    attach: (name) =>
      orOutage(async () => {
        const found = await findTenant(name);
        if (!found) return createTenant(name);
        try {
          return await followTenant(name, found.tenant, found.tag);
        } catch (e) {
          // What was left of a detached name has just been removed.
          if (!isFault(e, 'EntityNotFound')) throw e;
          return createTenant(name);
        }
      }),
    detach: (name) =>
      orOutage(async () => {
        const found = await findTenant(name);
        if (found?.tenant.DistributionId !== stage.distributionId) return;
        if (found.tenant.Enabled !== false) await updateTenant(found.tenant, found.tag, { Enabled: false });
        // It serves nothing from now on. Where CloudFront does not let it go yet, the sweep removes it.
        const disabled = await findTenant(name);
        if (disabled) await deleteTenant(disabled.tenant, disabled.tag);
      }),
    async *listDetached() {
      const { ListDistributionTenantsCommand } = await sdk();
      let marker: string | undefined;
      do {
        const query = { AssociationFilter: { DistributionId: stage.distributionId }, Marker: marker };
        const page = await orOutage(() => client.send(new ListDistributionTenantsCommand(query)));
        for (const { Name, Enabled, Status } of page.DistributionTenantList ?? [])
          if (Name !== undefined && Enabled === false && Status !== IN_PROGRESS) yield Name;
        marker = page.NextMarker;
      } while (marker);
    },
    removeDetached: (name) =>
      orOutage(async () => {
        const found = await findTenant(name);
        if (!found) return true;
        const { tenant, tag } = found;
        if (tenant.DistributionId !== stage.distributionId || tenant.Enabled !== false) return false;
        return deleteTenant(tenant, tag);
      }),
  };
}
