import { createCredentialStore } from '../../../local/awsProtocol/credentials.ts';
import { startEcsEndpoint } from '../../../local/ecs/endpoint.ts';
import { definitions } from './definitions.fixture.ts';

/** An ECS endpoint in a process of its own, to be killed. Prints its URL and keys. */
const dataDir = process.argv[2]!;
const credentials = await createCredentialStore({ dataDir });
const { url } = await startEcsEndpoint({
  dataDir,
  credentials,
  taskDefinitions: definitions(),
  onTaskStateChange: () => undefined,
});
console.log(JSON.stringify({ url, root: credentials.root }));
