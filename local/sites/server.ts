import { createServer } from 'node:http';
import type { S3Client } from '@aws-sdk/client-s3';
import { ProjectIdSchema, type SiteAddresses } from '../../contract/api.ts';
import { VerenError } from '../../contract/errors.ts';
import type { ProjectDocument } from '../../contract/project.ts';
import type { Clock, Sites } from '../../lambdas/shared/ports.ts';
import { openProjectStore } from '../../lambdas/shared/projects/projectStore.ts';
import { type AddressedRecord, previewAddresses } from '../../lambdas/shared/sites/siteAddresses.ts';
import { type Endpoint, listenOnLocalhost, MAX_HEADER_BYTES } from '../awsProtocol/listen.ts';
import { SiteHandler } from './handler.ts';
import { SitePorts } from './ports.ts';
import type { ServiceProxy } from './serviceProxy.ts';

export interface SiteServerOptions {
  /** The chosen ports are kept in `<dataDir>/sites.json`. */
  readonly dataDir: string;
  readonly s3: S3Client;
  readonly bucket: string;
  readonly clock?: Clock;
  /** Which host shows which deployment. @default - none is known */
  readonly sites?: Sites;
  /** Running backends. @default - none */
  readonly services?: ServiceProxy | undefined;
  readonly onError?: (error: unknown) => void;
}

export interface SiteServer {
  /**
   * Starts to serve the site at its port, which it keeps after restarts: `http://127.0.0.1:<port>/`, which every client
   * can fetch, `http://<project>.localhost:<port>/`, which shares no cookies, and previews below `localhost`.
   */
  addressesOf(record: AddressedRecord, project: ProjectDocument | null): Promise<SiteAddresses>;
  /** Starts to serve the sites that were served before. */
  resume(): Promise<void>;
  /** Answers nobody from now on, and keeps the ports. */
  silence(): Promise<void>;
  close(): Promise<void>;
}

const NO_SITES: Sites = { point: async () => undefined, find: async () => null, listRoutes: async () => [] };

/**
 * Serves published sites, from `resume` on those of before: one origin for each project, so that absolute paths work and one site cannot script another. On
 * each of the ports every site also answers to `<project>.localhost`, and every deployment to a name of its own.
 */
export async function startSiteServer(options: SiteServerOptions): Promise<SiteServer> {
  const { s3, bucket, clock = { now: Date.now }, onError = () => undefined } = options;
  const ports = await SitePorts.open(options.dataDir);
  const { sites = NO_SITES } = options;
  const projects = openProjectStore({ s3, bucket, clock });
  const { services } = options;
  const handler = new SiteHandler({ s3, bucket, clock, sites, projects, services, onError });
  const listeners = new Map<string, Promise<Endpoint>>();

  async function listenFor(projectId: string): Promise<Endpoint> {
    for (const port of ports.candidates(projectId)) {
      const server = createServer(
        { maxHeaderSize: MAX_HEADER_BYTES },
        // Nothing that a visitor or a service sends may end the platform.
        (request, response) => {
          handler.handle(projectId, request, response).catch(() => response.destroy());
        },
      );
      server.on('upgrade', (request, socket, head) => {
        handler.upgrade(projectId, request, socket, head).catch(() => socket.destroy());
      });
      try {
        return await listenOnLocalhost(server, port);
      } catch (error) {
        if (!(error instanceof VerenError) || error.code !== 'PORT_IN_USE') throw error;
      }
    }
    throw new VerenError('PORT_IN_USE', { port: 0 });
  }

  function listenerOf(projectId: string): Promise<Endpoint> {
    let endpoint = listeners.get(projectId);
    if (!endpoint) {
      endpoint = listenFor(projectId);
      listeners.set(projectId, endpoint);
      endpoint.catch(() => listeners.delete(projectId)); // the next call tries again
    }
    return endpoint;
  }

  const opened = async () =>
    (await Promise.allSettled(listeners.values())).flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  return {
    async resume() {
      await Promise.allSettled(ports.projects().map(listenerOf));
    },
    async silence() {
      for (const endpoint of await opened()) endpoint.silence();
    },
    async addressesOf(record, project) {
      const projectId = ProjectIdSchema.parse(record.projectId);
      const { url, port } = await listenerOf(projectId);
      await ports.keep(projectId, port).catch(onError);
      const urlOf = (host: string) => `http://${host}.localhost:${port}/`;
      const previews = project
        ? previewAddresses(record, project, urlOf)
        : { deploymentUrl: urlOf(`${record.deploymentId}--${projectId}`) };
      return { url: `${url}/`, hostUrl: urlOf(projectId), ...previews };
    },
    async close() {
      await Promise.all((await opened()).map((endpoint) => endpoint.close()));
    },
  };
}
