import type { FileContent, RepoFs } from '../../../../contract/repo-fs.ts';
import { join } from '../../../../contract/repo-fs.ts';
import { type PackageJson, readPackageJson } from './packageJson.ts';
import { withoutComments } from './sourceText.ts';

/** The listing and the contents that were read: everything that deciding needs, at hand and unchanging. */
export interface Snapshot {
  readonly fs: RepoFs;
  has(path: string): boolean;
  isDirectory(path: string): boolean;
  /** Text of a manifest; undefined where it is absent, too large or was not among those read. */
  text(path: string): string | undefined;
  /** First bytes of a file, also of one that is too large. */
  head(path: string): string | undefined;
  /** A program's text without comments. */
  code(path: string): string | undefined;
  /** The package.json of a folder; undefined where there is none or it cannot be read (see `faults`). */
  packageJson(dir: string): PackageJson | undefined;
  /** Manifests that could not be read, path → reason. Grows as they are asked for. */
  readonly faults: ReadonlyMap<string, string>;
}

export function makeSnapshot(fs: RepoFs, contents: ReadonlyMap<string, FileContent>): Snapshot {
  const faults = new Map<string, string>();
  const packages = new Map<string, PackageJson | undefined>();
  const codes = new Map<string, string | undefined>();
  const textOf = (path: string) => {
    const content = contents.get(path);
    return content?.kind === 'text' ? content.text : undefined;
  };
  const readPackage = (path: string): PackageJson | undefined => {
    const kind = fs.kind(path);
    if (kind === 'symlink') faults.set(path, 'it is a symbolic link, and links are not followed');
    const content = contents.get(path);
    if (content?.kind === 'too-large') faults.set(path, `it has ${content.bytes} bytes, too many for a manifest`);
    if (content?.kind !== 'text') return undefined;
    try {
      return readPackageJson(content.text);
    } catch (error) {
      faults.set(path, (error as Error).message);
      return undefined;
    }
  };
  return {
    fs,
    faults,
    has: (path) => fs.kind(path) === 'file',
    isDirectory: (path) => fs.kind(path) === 'directory',
    text: textOf,
    head(path) {
      const content = contents.get(path);
      return content?.kind === 'text' ? content.text.slice(0, 4_096) : content?.head;
    },
    code(path) {
      if (!codes.has(path)) {
        const source = textOf(path);
        codes.set(path, source === undefined ? undefined : withoutComments(source));
      }
      return codes.get(path);
    },
    packageJson(dir) {
      const path = join(dir, 'package.json');
      if (!packages.has(path)) packages.set(path, readPackage(path));
      return packages.get(path);
    },
  };
}
