import { join } from '../../../../../contract/repo-fs.ts';
import { PROCFILE, readWebProcess } from '../procfile.ts';
import type { Snapshot } from '../snapshot.ts';
import { findApplication, findDjango, findProgram } from './entry.ts';
import { PYTHON_SERVERS, type PythonFramework } from './frameworks.ts';
import type { Requirements } from './requirements.ts';

export interface PythonStart {
  readonly command: string;
  readonly file: string;
  readonly rule: string;
  /** Packages that the command needs and the requirements do not have. */
  readonly missing: readonly string[];
  readonly buildCommand?: string;
  /** Nothing but a file's name and its text say so. */
  readonly guess?: boolean;
}

const PYTHON_PROGRAM =
  /^(?:exec\s+)?(?:\w+=\S*\s+)*(?:python\d?(?:\.\d+)?|uvicorn|gunicorn|hypercorn|daphne|granian|waitress-serve|streamlit|flask|fastapi|uv|poetry|pipenv|sanic|litestar|quart)\s/;

/** What a Procfile starts as `web`, where it is a program of Python's. */
function fromProcfile(repo: Snapshot, dir: string, requirements: Requirements | undefined): PythonStart | undefined {
  const command = readWebProcess(repo, dir);
  if (command === undefined || !PYTHON_PROGRAM.test(`${command} `)) return undefined;
  if (!hasWhatItStarts(repo, dir, command)) return undefined;
  const server = [...PYTHON_SERVERS].find((name) => new RegExp(`(?:^|\\s)${name}(?:-serve)?\\s`).test(command));
  return {
    command,
    file: join(dir, PROCFILE),
    rule: 'web process',
    missing: server ? absent(requirements, server) : [],
  };
}

/** Whether the file or module that a line starts is in the repository. A line that names none is believed. */
function hasWhatItStarts(repo: Snapshot, dir: string, command: string): boolean {
  const holds = (file: string) => repo.has(join(dir, file)) && repo.text(join(dir, file))?.trim() !== '';
  const words = command.split(/\s+/);
  const file = words.find((word) => /^[\w./-]{1,200}\.py$/.test(word));
  if (file !== undefined) return holds(file.replace(/^\.\//, ''));
  const module = words.find(
    (word) => /^[a-z_]\w*(?:\.[a-z_]\w*)*:[\w.()'"]+$/i.test(word) || /^[a-z_]\w*\.(?:wsgi|asgi)$/i.test(word),
  );
  if (module === undefined) return true;
  const folder = /(?:--chdir|--app-dir)[\s=](?:\.\/)?([\w./-]{1,200})/.exec(command)?.[1]?.replace(/\/$/, '');
  const path = module.split(':')[0]!.replaceAll('.', '/');
  return ['.', ...(folder ? [folder] : [])].some(
    (at) => holds(join(at, `${path}.py`)) || holds(join(at, `${path}/__init__.py`)),
  );
}

/** The start of a project, its server included. Undefined where nothing says how it is started. */
export function pythonStart(
  repo: Snapshot,
  dir: string,
  framework: PythonFramework | undefined,
  requirements: Requirements | undefined,
): PythonStart | undefined {
  return (
    fromProcfile(repo, dir, requirements) ??
    fromDjango(repo, dir, requirements) ??
    (framework && fromFramework(repo, dir, framework, requirements))
  );
}

function fromDjango(repo: Snapshot, dir: string, requirements: Requirements | undefined): PythonStart | undefined {
  const found = findDjango(repo, dir);
  if (!found) return undefined;
  const isAsgi = found.object.includes('.asgi:');
  const settings = found.settings === undefined ? undefined : (repo.text(found.settings) ?? '');
  return {
    command: isAsgi ? uvicorn(found.object, false, '.') : gunicorn(found.object, '.'),
    file: found.file,
    rule: 'Django',
    missing: absent(requirements, isAsgi ? 'uvicorn' : 'gunicorn'),
    // As Heroku does it; settings may need variables that only the running service has.
    ...(settings && /^STATIC_ROOT\b/m.test(settings)
      ? { buildCommand: "python manage.py collectstatic --noinput || echo 'The static files could not be collected.'" }
      : {}),
  };
}

function fromFramework(
  repo: Snapshot,
  dir: string,
  framework: PythonFramework,
  requirements: Requirements | undefined,
): PythonStart | undefined {
  const relative = (file: string) => (dir === '.' ? file : file.slice(dir.length + 1));
  if (framework.serving === 'streamlit') {
    const file = findProgram(repo, dir, /^(?:import|from)[ \t]{1,9}streamlit\b/m);
    return file === undefined
      ? undefined
      : {
          command: `streamlit run ${relative(file)} --server.address 0.0.0.0 --server.port $PORT --server.headless true`,
          file,
          rule: 'imports streamlit',
          missing: [],
        };
  }
  const entry = findApplication(repo, dir, framework);
  if (entry) {
    const isAsgi = framework.serving === 'asgi';
    return {
      command: isAsgi
        ? uvicorn(entry.object, entry.isFactory, entry.importsFrom)
        : gunicorn(entry.isFactory ? `${entry.object}()` : entry.object, entry.importsFrom),
      file: entry.file,
      rule: entry.rule,
      missing: absent(requirements, isAsgi ? 'uvicorn' : 'gunicorn'),
    };
  }
  const file = findProgram(repo, dir, SERVES_BY_ITSELF);
  return file === undefined
    ? undefined
    : { command: `python ${relative(file)}`, file, rule: 'serves when it is run', missing: [], guess: true };
}

/** What a program has at its end that serves by itself. */
const SERVES_BY_ITSELF =
  /\b(?:uvicorn\.run|web\.run_app|serve_forever|run_app|\.listen|app\.run|application\.run|hypercorn\.\w+\.serve|server\.run)\(/;

const uvicorn = (object: string, isFactory: boolean, folder: string) =>
  `uvicorn ${isFactory ? '--factory ' : ''}${folder === '.' ? '' : `--app-dir ${folder} `}${object} --host 0.0.0.0 --port $PORT`;
const gunicorn = (object: string, folder: string) =>
  `gunicorn ${folder === '.' ? '' : `--chdir ${folder} `}${object.endsWith('()') ? `'${object}'` : object} --bind 0.0.0.0:$PORT`;

/** The server, where the requirements do not bring it. */
function absent(requirements: Requirements | undefined, server: string): string[] {
  if (requirements?.names.has(server)) return [];
  // `fastapi[standard]` brings uvicorn.
  if (server === 'uvicorn' && /\b(?:standard|all)\b/.test(requirements?.extras.get('fastapi') ?? '')) return [];
  return [server];
}
