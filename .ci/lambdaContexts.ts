import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { prepareBundles } from '../lib/constructs/bundle.ts';
import { GIT_FUNCTIONS, writeImageContext } from '../lib/constructs/git-function-image.ts';

/** Writes the build context of every function that runs git below a folder, each under the function's name. */
const [folder] = process.argv.slice(2);
if (!folder) throw new Error('usage: lambdaContexts.ts <folder>');
rmSync(folder, { recursive: true, force: true });
await prepareBundles(GIT_FUNCTIONS);
for (const name of GIT_FUNCTIONS) writeImageContext(name, join(folder, name));
