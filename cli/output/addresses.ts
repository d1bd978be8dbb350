import type { DeploymentView } from '../../contract/api.ts';

/** Of a deployment that has ended well: where its site, else its backend, else its image is. */
export function addressOf(
  record: DeploymentView,
  { production }: { readonly production: boolean },
): string | undefined {
  const site = record.builds.frontend?.artifact;
  const { service } = record;
  if (site?.kind === 'static') return production ? site.url : (site.deploymentUrl ?? site.url);
  const backend = production ? service?.url : (service?.deploymentUrl ?? service?.url);
  if (backend) return backend;
  const image = record.builds.backend?.artifact;
  return image?.kind === 'image' ? image.uri : undefined;
}
