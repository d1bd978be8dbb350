import { createCredentialStore } from '../../../local/awsProtocol/credentials.ts';
import { startS3Endpoint } from '../../../local/s3/endpoint.ts';

/** An S3 endpoint in a process of its own, to be killed. Prints its URL. */
const dataDir = process.argv[2]!;
const { url } = await startS3Endpoint({ dataDir, credentials: await createCredentialStore({ dataDir }) });
console.log(url);
