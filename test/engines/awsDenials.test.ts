import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { temporaryFolder } from '../support/veren.ts';
import { listDenials, readDenials } from './awsDenials.ts';

/** As fakecloud 0.51.0 writes it, colors included. */
const LINE =
  '\x1b[2m2026-11-28T15:54:04.388302Z\x1b[0m \x1b[33m WARN\x1b[0m \x1b[2mfakecloud::iam::audit\x1b[0m\x1b[2m:\x1b[0m ' +
  'IAM policy evaluation denied request \x1b[3mservice\x1b[0m\x1b[2m=\x1b[0ms3 ' +
  '\x1b[3maction\x1b[0m\x1b[2m=\x1b[0ms3:DeleteObject \x1b[3mresource\x1b[0m\x1b[2m=\x1b[0marn:aws:s3:::bucket/key ' +
  '\x1b[3mprincipal\x1b[0m\x1b[2m=\x1b[0marn:aws:sts::123456789012:assumed-role/reader/session ' +
  '\x1b[3mdecision\x1b[0m\x1b[2m=\x1b[0mImplicitDeny \x1b[3mmode\x1b[0m\x1b[2m=\x1b[0msoft';

it('reads what IAM of the emulator has denied, from its log', async () => {
  const { path, remove } = await temporaryFolder();
  try {
    const file = join(path, 'emulator.log');
    await writeFile(file, `another line\n${LINE}\nand another\n`);
    const denied = await readDenials(file);
    expect(denied).toEqual([
      {
        action: 's3:DeleteObject',
        resource: 'arn:aws:s3:::bucket/key',
        principal: 'arn:aws:sts::123456789012:assumed-role/reader/session',
        reason: 'IAM policy evaluation denied request',
      },
    ]);
    expect(listDenials(denied)).toBe(
      's3:DeleteObject arn:aws:s3:::bucket/key → arn:aws:sts::123456789012:assumed-role/reader/session → ' +
        'DENIED: IAM policy evaluation denied request\n',
    );
  } finally {
    await remove();
  }
});
