import { VerenError } from '../../../../../contract/errors.ts';
import { join } from '../../../../../contract/repo-fs.ts';
import { RUNTIMES } from '../../../../../contract/runtimes.ts';
import type { Findings } from '../findings.ts';
import type { VersionStatement } from '../managedVersions.ts';
import type { Snapshot } from '../snapshot.ts';
import { readToml } from '../tomlText.ts';
import { firstLine, nearestStatement, shortenText, valueAt } from '../toolVersion.ts';

const OFFERED = RUNTIMES.python.versions!;
const DEFAULT = RUNTIMES.python.defaultVersion!;

/**
 * The Python of a folder: `.python-version`, `runtime.txt`, `requires-python` (or Poetry's), the Pipfile, then asdf and mise, in
 * the folder nearest to it that says anything. Throws RUNTIME_VERSION_UNSUPPORTED.
 */
export function choosePythonVersion(repo: Snapshot, dir: string, today: string, findings: Findings): string {
  const found = nearestStatement(repo, dir, ['python'], (at) => ownStatement(repo, at));
  if (!found) return findings.because('runtime', DEFAULT, 'default');
  const fits = matcherOf(found.text);
  if (!fits) {
    findings.warn(
      `${found.file}: "${shortenText(found.text)}" (${found.rule}) is not a Python version; it was ignored.`,
    );
    return findings.because('runtime', DEFAULT, 'default');
  }
  const fitting = OFFERED.filter((version) => fits(minorOf(version)));
  const isSupported = (version: string) => (RUNTIMES.python.endOfLife[version] ?? '9999') > today;
  const chosen = fitting.includes(DEFAULT) ? DEFAULT : (fitting.findLast(isSupported) ?? fitting.at(-1));
  if (chosen === undefined)
    throw new VerenError('RUNTIME_VERSION_UNSUPPORTED', {
      file: found.file,
      runtime: 'Python',
      wanted: shortenText(found.text),
      offered: OFFERED.join(', '),
    });
  if (!isSupported(chosen))
    findings.warn(
      `${found.file} asks for Python ${shortenText(found.text)}: Python ${chosen} has had no security fixes since ${RUNTIMES.python.endOfLife[chosen]}.`,
    );
  if (/^\d+\.\d+\.\d+$/.test(found.text.replace(/^python-/, '')))
    findings.warn(
      `${found.file} (${found.rule}) asks for Python ${shortenText(found.text)}; the builders' version of Python ${chosen} is used.`,
    );
  return findings.because('runtime', chosen, `${found.rule}: ${shortenText(found.text)}`, found.file);
}

function ownStatement(repo: Snapshot, at: string): VersionStatement | undefined {
  const said = (name: string, rule: string, text: unknown): VersionStatement | undefined =>
    typeof text === 'string' && text !== '' ? { file: join(at, name), rule, text } : undefined;
  const pyproject = readToml(repo.text(join(at, 'pyproject.toml')) ?? '');
  const pipfile = readToml(repo.text(join(at, 'Pipfile')) ?? '');
  return (
    said('.python-version', '.python-version', firstLine(repo.text(join(at, '.python-version')))) ??
    said('runtime.txt', 'runtime.txt', /^python-/.exec(firstLine(repo.text(join(at, 'runtime.txt'))) ?? '')?.input) ??
    said('pyproject.toml', 'requires-python', valueAt(pyproject, 'project', 'requires-python')) ??
    said('pyproject.toml', 'tool.poetry python', valueAt(pyproject, 'tool', 'poetry', 'dependencies', 'python')) ??
    said('Pipfile', 'python_version', valueAt(pipfile, 'requires', 'python_version'))
  );
}

const minorOf = (version: string): number => Number(version.split('.')[1]);

/** Python 3 only; a bound below 3.0 says nothing of the minor, one above 3.x allows all. */
function minorBound(text: string | undefined, major: string | undefined): number {
  if (Number(major) > 3) return Number.POSITIVE_INFINITY;
  return Number(major) < 3 ? -1 : Number(text ?? 0);
}

type Fits = (minor: number) => boolean;

/**
 * Whether a minor of Python 3 has a version that fits, from a version or from the specifiers of PEP 440 and Poetry; undefined
 * where the text is neither.
 */
export function matcherOf(statement: string): Fits | undefined {
  const text = statement.trim().toLowerCase().slice(0, 200);
  const plain = /^(?:python-|cpython-?)?3(?:\.(\d{1,2}))?(?:\.(?:\d{1,3}|x|\*))?(?:[-+]?[a-z]+\d*)?$/.exec(text);
  if (plain) return (minor) => plain[1] === undefined || minor === Number(plain[1]);
  const parts = text.split(/\s*[,\s]\s*(?=[<>=!~^])/).map((part) => oneSpecifier(part));
  if (parts.length === 0 || parts.some((part) => part === undefined)) return undefined;
  return (minor) => parts.every((part) => part!(minor));
}

function oneSpecifier(part: string): Fits | undefined {
  const found = /^(>=|<=|>|<|===?|~=|!=|\^|~)\s*(\d)(?:\.(\d{1,2}))?(?:\.(\d{1,3}|\*))?(?:\.\*)?$/.exec(part.trim());
  if (!found) return undefined;
  const [, operator, major, minorText, patch] = found;
  const bound = minorBound(minorText, major);
  switch (operator) {
    case '>=':
      return (minor) => minor >= bound;
    // 3.11 has versions above 3.11.2; and none above 3.11 is another minor's.
    case '>':
      return (minor) => minor > bound || (minor === bound && patch !== undefined);
    case '<=':
      return (minor) => minor <= bound;
    case '<':
      return (minor) => minor < bound || (minor === bound && patch !== undefined && patch !== '0');
    case '!=':
      return (minor) => minor !== bound || (patch !== undefined && patch !== '*');
    // Poetry's caret stays below 4; PEP 440's `~=3.9` as well, `~=3.9.1` within 3.9.
    case '^':
      return (minor) => minor >= bound;
    case '~=':
      return (minor) => (patch === undefined ? minor >= bound : minor === bound);
    default:
      return (minor) => (minorText === undefined ? true : minor === bound);
  }
}
