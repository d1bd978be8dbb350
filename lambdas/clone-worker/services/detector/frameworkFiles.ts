import { FRAMEWORKS } from './frameworks/index.ts';

/** Which files of a package are read for what frameworks say in them. Paths are relative to the package. */

const FILES: ReadonlySet<string> = new Set(FRAMEWORKS.flatMap(({ files = [] }) => files));
/** Without the extension. */
const CONFIGS: ReadonlySet<string> = new Set(FRAMEWORKS.flatMap(({ configs = [] }) => configs));
const EXTENSION = /\.[cm]?[jt]s$/;
const MODE = /\.(?:prod|production)$/;

/** A configuration that is a program, that of one mode (`webpack.config.prod.js`), or another file that is named. */
export function isFrameworkFile(path: string): boolean {
  if (FILES.has(path)) return true;
  if (!EXTENSION.test(path)) return false;
  const base = path.replace(EXTENSION, '');
  return CONFIGS.has(base) || CONFIGS.has(base.replace(MODE, ''));
}

const folderOf = (path: string) => path.slice(0, Math.max(0, path.lastIndexOf('/')));
const FOLDERS: ReadonlySet<string> = new Set([...FILES, ...CONFIGS].map(folderOf).filter((folder) => folder !== ''));

/** Whether a folder of a package holds such files. */
export const holdsFrameworkFiles = (name: string): boolean => FOLDERS.has(name);

const DOCUMENTATION: ReadonlySet<string> = new Set(
  FRAMEWORKS.flatMap(({ documents, configs = [] }) => (documents ? configs.map(folderOf) : [])),
);

/** `.vitepress`: the folder of a documentation's settings. */
export const isDocumentationSettings = (name: string): boolean => name !== '' && DOCUMENTATION.has(name);
