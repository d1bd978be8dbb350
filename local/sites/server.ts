import { createServer } from 'node:http';
import type { S3Client } from '@aws-sdk/client-s3';
import { ProjectIdSchema } from '../../contract/api.ts';
import { VerenError } from '../../contract/errors.ts';
import type { Clock } from '../../lambdas/shared/ports.ts';
import { type Endpoint, listenOnLoopback } from '../awsProtocol/listen.ts';
import { SiteHandler } from './handler.ts';
import { SitePorts } from './ports.ts';

/**
 * Limit for headers: cookies ignore ports, so those of every page on 127.0.0.1 are sent here too and must not block
 * requests.
 */
const MAX_HEADER_BYTES = 256 * 1024;

export interface SiteServerOptions {
  /** The chosen ports are kept in `<dataDir>/sites.json`. */
  readonly dataDir: string;
  readonly s3: S3Client;
  readonly bucket: string;
  readonly clock?: Clock;
  readonly onError?: (error: unknown) => void;
}

export interface SiteServer {
  /** Starts to serve the site at its port, which it keeps after restarts. */
  addressesOf(projectId: string, deploymentId: string): Promise<SiteListener>;
  close(): Promise<void>;
}

export interface SiteListener {
  /** `http://127.0.0.1:<port>/`, which every client can fetch. */
  readonly url: string;
  /** `http://<project>.localhost:<port>/`: the same under a name that shares no cookies; browsers and curl know it. */
  readonly hostUrl: string;
  /** `http://<deployment>--<project>.localhost:<port>/`: the files of this deployment, whatever is live. */
  readonly deploymentUrl: string;
}

/**
 * Serves published sites: one origin for each project, so that absolute paths work and one site cannot script another. On
 * each of the ports every site also answers to `<project>.localhost`, and every deployment to a name of its own.
 */
export async function startSiteServer(options: SiteServerOptions): Promise<SiteServer> {
  const { s3, bucket, clock = { now: Date.now }, onError = () => undefined } = options;
  const ports = await SitePorts.open(options.dataDir);
  const handler = new SiteHandler({ s3, bucket, clock, onError });
  const listeners = new Map<string, Promise<Endpoint>>();

  async function listenFor(projectId: string): Promise<Endpoint> {
    for (const port of ports.candidates(projectId)) {
      const server = createServer(
        { maxHeaderSize: MAX_HEADER_BYTES },
        (request, response) => void handler.handle(projectId, request, response),
      );
      try {
        const endpoint = await listenOnLoopback(server, port);
        await ports.keep(projectId, endpoint.port);
        return endpoint;
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

  await Promise.allSettled(ports.projects().map(listenerOf));
  return {
    async addressesOf(projectId, deploymentId) {
      const { url, port } = await listenerOf(ProjectIdSchema.parse(projectId));
      const hostUrl = `http://${projectId}.localhost:${port}/`;
      return { url: `${url}/`, hostUrl, deploymentUrl: hostUrl.replace('//', `//${deploymentId}--`) };
    },
    async close() {
      const open = await Promise.allSettled(listeners.values());
      await Promise.all(open.map((result) => (result.status === 'fulfilled' ? result.value.close() : undefined)));
    },
  };
}
