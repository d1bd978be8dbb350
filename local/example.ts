import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

/** What the laptop suggests to deploy first: a folder of this repository, which every clone has. */
export const EXAMPLE = {
  projectId: 'hello',
  gitUrl: pathToFileURL(resolve(import.meta.dirname, '..')).href,
  path: 'examples/react-vite',
};
