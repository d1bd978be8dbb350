import { createCredentialStore } from '../local/awsProtocol/credentials.ts';
import { startS3Endpoint } from '../local/s3/endpoint.ts';

/**
 * An S3 endpoint in a process of its own, for benchmarks of its clients. Arguments: data folder, milliseconds before each
 * answer. Tells its parent the access.
 */
const dataDir = process.argv[2]!;
const latencyMs = Number(process.argv[3] ?? 0);
const credentials = await createCredentialStore({ dataDir });
const { url } = await startS3Endpoint({ dataDir, credentials, latencyMs });
process.send?.({ url, ...credentials.root });
process.on('disconnect', () => process.exit(0));
