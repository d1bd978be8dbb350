import type { Case } from './case.ts';
import { pkg, vite } from './case.ts';

const FASTAPI = 'from fastapi import FastAPI\n\napp = FastAPI()\n';
const FLASK = 'from flask import Flask\napp = Flask(__name__)\n';
const MANAGE =
  "import os, sys\nif __name__ == '__main__':\n    os.environ.setdefault('DJANGO_SETTINGS_MODULE', 'shop.settings')\n";
const UVICORN = (object: string, more = '') => `uvicorn ${more}${object} --host 0.0.0.0 --port $PORT`;
const GUNICORN = (object: string, more = '') => `gunicorn ${more}${object} --bind 0.0.0.0:$PORT`;
const python = (version = '3.13') => ({ name: 'python' as const, version });
const go = { name: 'go' as const, version: '1.26' };
const GO_MOD = (...requires: string[]) =>
  `module example.com/shop\n\ngo 1.24\n\nrequire (\n${requires.map((r) => `\t${r} v1.0.0\n`).join('')})\n`;
const LISTENS =
  'package main\n\nimport "net/http"\n\nfunc main() {\n\thttp.ListenAndServe(":"+os.Getenv("PORT"), nil)\n}\n';
const nothing = (says: RegExp) => ({ code: 'NOTHING_TO_DEPLOY' as const, says });
const version = (files: Readonly<Record<string, string>>) => ({
  'requirements.txt': 'fastapi\nuvicorn',
  'main.py': FASTAPI,
  ...files,
});

/** Python and Go services, and what looks like one. */
export const languageCases: readonly Case[] = [
  {
    name: 'FastAPI with uvicorn among the requirements',
    files: { 'requirements.txt': 'fastapi==0.115\nuvicorn[standard]\n', 'main.py': FASTAPI },
    backend: {
      framework: 'fastapi',
      language: 'python',
      runtime: python(),
      installCommand: 'pip install -r requirements.txt',
      buildCommand: null,
      startCommand: UVICORN('main:app'),
      port: 3000,
      packageManager: null,
      nodeVersion: 24,
    },
    frontend: null,
    warns: [],
    because: [
      ['framework', 'requirements.txt'],
      ['startCommand', 'main.py'],
    ],
  },
  {
    name: 'FastAPI without a server: it is installed beside, and the plan says so',
    files: { 'requirements.txt': 'fastapi\n', 'main.py': FASTAPI },
    backend: { installCommand: 'pip install -r requirements.txt uvicorn', startCommand: UVICORN('main:app') },
    warns: [/"uvicorn" serves the application and is not among the requirements \(requirements\.txt\)/],
  },
  {
    name: 'fastapi[standard] brings uvicorn',
    files: { 'requirements.txt': 'fastapi[standard]\n', 'main.py': FASTAPI },
    backend: { installCommand: 'pip install -r requirements.txt' },
    warns: [],
  },
  {
    name: 'Flask',
    files: { 'requirements.txt': 'Flask>=3\ngunicorn\n', 'app.py': FLASK },
    backend: { framework: 'flask', startCommand: GUNICORN('app:app') },
    warns: [],
  },
  {
    name: 'Flask with a factory in a package',
    files: {
      'requirements.txt': 'flask\ngunicorn',
      'shop/__init__.py':
        'from flask import Flask\n\ndef create_app(config=None):\n    app = Flask(__name__)\n    return app\n',
    },
    backend: { startCommand: GUNICORN("'shop:create_app()'") },
  },
  {
    name: 'a factory that needs arguments starts nothing',
    files: { 'requirements.txt': 'flask\n', 'shop/__init__.py': 'def create_app(config):\n    return 1\n' },
    error: nothing(/a Python project \(requirements\.txt\)/),
  },
  {
    name: 'wsgi.py calls the factory',
    files: {
      'requirements.txt': 'flask\ngunicorn',
      'wsgi.py': 'from shop import create_app\napp = create_app()\n',
      'shop/__init__.py': 'def create_app(): pass\n',
    },
    backend: { startCommand: GUNICORN('wsgi:app') },
  },
  {
    name: 'an application in the package app, which imports itself by name',
    files: {
      'requirements.txt': 'fastapi\nuvicorn',
      'app/__init__.py': '',
      'app/main.py': `from app.routes import router\n${FASTAPI}`,
      'app/routes.py': '',
    },
    backend: { startCommand: UVICORN('app.main:app') },
  },
  {
    name: 'an application in a folder whose files import each other by bare names',
    files: {
      'requirements.txt': 'fastapi\nuvicorn',
      'app/main.py': `from database import db\n${FASTAPI}`,
      'app/database.py': '',
    },
    backend: { startCommand: UVICORN('main:app', '--app-dir app ') },
  },
  {
    name: 'src is where imports start',
    files: { 'requirements.txt': 'flask\ngunicorn', 'src/main.py': FLASK },
    backend: { startCommand: GUNICORN('main:app', '--chdir src ') },
  },
  {
    name: 'a package below src',
    files: {
      'pyproject.toml': '[project]\nname = "shop"\ndependencies = ["fastapi", "uvicorn"]\n',
      'src/shop/main.py': `from shop.x import y\n${FASTAPI}`,
      'src/shop/x.py': '',
    },
    backend: {
      startCommand: UVICORN('shop.main:app', '--app-dir src '),
      installCommand: 'pip install uv && uv sync --no-dev --inexact',
    },
  },
  {
    name: 'an application with another name and a type',
    files: {
      'requirements.txt': 'fastapi\nuvicorn',
      'server.py': 'import fastapi\napi: fastapi.FastAPI = fastapi.FastAPI(title="x")\n',
    },
    backend: { startCommand: UVICORN('server:api') },
  },
  {
    name: 'a commented application is none',
    files: { 'requirements.txt': 'fastapi\nuvicorn', 'main.py': '# app = FastAPI()\n' },
    error: nothing(/No service was found in it/),
  },
  {
    name: 'Django by manage.py',
    files: {
      'requirements.txt': 'Django\ngunicorn',
      'manage.py': MANAGE,
      'shop/settings.py': 'DEBUG = False\n',
      'shop/wsgi.py': 'application = 1\n',
    },
    backend: { framework: 'django', startCommand: GUNICORN('shop.wsgi:application'), buildCommand: null },
  },
  {
    name: 'Django collects its static files where it has a place for them',
    files: {
      'requirements.txt': 'Django\ngunicorn',
      'manage.py': MANAGE,
      'shop/settings.py': 'STATIC_ROOT = BASE_DIR / "static"\n',
      'shop/wsgi.py': 'x',
    },
    backend: {
      buildCommand: "python manage.py collectstatic --noinput || echo 'The static files could not be collected.'",
    },
  },
  {
    name: 'Django with asgi.py alone',
    files: { 'requirements.txt': 'Django', 'manage.py': MANAGE, 'shop/asgi.py': 'x' },
    backend: {
      startCommand: UVICORN('shop.asgi:application'),
      installCommand: 'pip install -r requirements.txt uvicorn',
    },
  },
  {
    name: 'the web process of a Procfile wins',
    files: { 'requirements.txt': 'flask\ngunicorn', 'app.py': FLASK, Procfile: 'web: gunicorn app:app --workers 4\n' },
    backend: { startCommand: 'gunicorn app:app --workers 4' },
    because: [['startCommand', 'Procfile']],
  },
  {
    name: 'a Procfile whose module is not there starts nothing',
    files: { 'requirements.txt': 'gunicorn', Procfile: 'web: gunicorn shop.wsgi\n' },
    error: nothing(/a Procfile whose program is there/),
  },
  {
    name: 'uv with a lockfile',
    files: {
      'pyproject.toml':
        '[project]\nname = "x"\nrequires-python = ">=3.12"\ndependencies = ["litestar", "uvicorn>=0.30"]\n',
      'uv.lock': 'version = 1\n',
      'app.py': 'from litestar import Litestar\napp = Litestar([])\n',
    },
    backend: {
      framework: 'litestar',
      runtime: python(),
      installCommand: 'pip install uv && uv sync --frozen --no-dev --inexact',
    },
    because: [['runtime', 'pyproject.toml']],
  },
  {
    name: 'Poetry with a lockfile',
    files: {
      'pyproject.toml':
        '[tool.poetry]\nname = "x"\n[tool.poetry.dependencies]\npython = "^3.11"\nfastapi = {version = "*", extras = ["standard"]}\n',
      'poetry.lock': '',
      'main.py': FASTAPI,
    },
    backend: { installCommand: 'pip install poetry && poetry install --only main --no-root', runtime: python() },
    warns: [],
  },
  {
    name: 'a Pipfile',
    files: {
      Pipfile: '[packages]\nflask = "*"\ngunicorn = "*"\n[requires]\npython_version = "3.12"\n',
      'Pipfile.lock': '{}',
      'app.py': FLASK,
    },
    backend: { installCommand: 'pip install pipenv && pipenv install --deploy', runtime: python('3.12') },
  },
  {
    name: 'requirements in a folder of their own',
    files: {
      'requirements.txt': '-r requirements/base.txt\n',
      'requirements/base.txt': 'flask\ngunicorn\n',
      'app.py': FLASK,
    },
    backend: { framework: 'flask' },
    warns: [],
  },
  {
    name: 'Streamlit',
    files: { 'requirements.txt': 'streamlit', 'home.py': 'import streamlit as st\n' },
    backend: {
      framework: 'streamlit',
      startCommand: 'streamlit run home.py --server.address 0.0.0.0 --server.port $PORT --server.headless true',
    },
  },
  {
    name: 'aiohttp serves by itself, and has to ask for the port',
    files: {
      'requirements.txt': 'aiohttp',
      'main.py': 'from aiohttp import web\nweb.run_app(web.Application(), port=8080)\n',
    },
    backend: { framework: 'aiohttp', startCommand: 'python main.py' },
    warns: [/has to listen on 0\.0\.0\.0/],
  },
  {
    name: '.python-version',
    files: version({ '.python-version': '3.12.4\n' }),
    backend: { runtime: python('3.12') },
    warns: [/3\.12\.4; the builders' version of Python 3\.12/],
    because: [['runtime', '.python-version']],
  },
  { name: 'runtime.txt', files: version({ 'runtime.txt': 'python-3.11\n' }), backend: { runtime: python('3.11') } },
  {
    name: 'asdf',
    files: version({ '.tool-versions': 'nodejs 20\npython 3.14.0 system\n' }),
    backend: { runtime: python('3.14') },
  },
  {
    name: 'mise',
    files: version({ 'mise.toml': '[tools]\npython = { version = "3.12" }\n' }),
    backend: { runtime: python('3.12') },
  },
  ...['.mise.toml', 'mise/config.toml', '.mise/config.toml', '.config/mise.toml', '.config/mise/config.toml'].map(
    (place) => ({
      name: `mise in ${place}`,
      files: version({ [place]: '[tools]\n"core:python" = ["3.12", "3.11"]\n' }),
      backend: { runtime: python('3.12') },
      because: [['runtime', place]] as const,
    }),
  ),
  {
    name: 'the newest that a range allows',
    files: version({ 'pyproject.toml': '[project]\nname = "x"\nrequires-python = ">=3.9,<3.13"\n' }),
    backend: { runtime: python('3.12') },
  },
  {
    name: 'a version past its end of life is warned of',
    files: version({ '.python-version': '3.9' }),
    backend: { runtime: python('3.9') },
    warns: [/no security fixes since 2025-10-31/],
  },
  {
    name: 'Python 2 has no builder',
    files: version({ 'runtime.txt': 'python-3.7.9' }),
    error: {
      code: 'RUNTIME_VERSION_UNSUPPORTED',
      says: /runtime\.txt asks for Python python-3\.7\.9; builders exist for 3\.9/,
    },
  },
  {
    name: 'a version that is none is ignored',
    files: version({ '.python-version': 'system' }),
    backend: { runtime: python() },
    warns: [/"system" \(\.python-version\) is not a Python version/],
  },
  {
    name: 'the request forces a version',
    files: version({ '.python-version': '3.7' }),
    request: { backend: { runtime: { name: 'python', version: '3.12' } } },
    backend: { runtime: python('3.12') },
  },
  {
    name: 'a page and a Python service are two targets',
    files: {
      'frontend/package.json': vite()['package.json'],
      'frontend/index.html': '<div>',
      'backend/requirements.txt': 'fastapi\nuvicorn',
      'backend/main.py': FASTAPI,
    },
    frontend: { path: 'frontend', framework: 'vite', runtime: { name: 'node', version: '24' } },
    backend: { path: 'backend', framework: 'fastapi', installPath: 'backend' },
    warns: [],
  },
  {
    name: 'a page in the root and a Go service below',
    files: { ...vite(), 'api/go.mod': GO_MOD(), 'api/main.go': LISTENS },
    frontend: { path: '.' },
    backend: { path: 'api', runtime: go },
  },
  {
    name: 'a Node server and a Python one: the request chooses by runtime',
    files: {
      'package.json': pkg({ scripts: { start: 'node index.js' }, dependencies: { express: '4' } }),
      'index.js': '',
      'requirements.txt': 'flask\ngunicorn',
      'app.py': FLASK,
    },
    request: { backend: { runtime: { name: 'python' } } },
    backend: { runtime: python(), framework: 'flask' },
  },
  {
    name: 'the same without a request: Node’s',
    files: {
      'package.json': pkg({ scripts: { start: 'node index.js' }, dependencies: { express: '4' } }),
      'index.js': '',
      'requirements.txt': 'flask\ngunicorn',
      'app.py': FLASK,
    },
    backend: { framework: 'express', runtime: { name: 'node', version: '24' } },
  },
  {
    name: 'Node’s version by its new name',
    files: {
      'package.json': pkg({ scripts: { start: 'node index.js' }, dependencies: { express: '4' } }),
      'index.js': '',
    },
    request: { backend: { runtime: { name: 'node', version: '22' } } },
    backend: { nodeVersion: 22, runtime: { name: 'node', version: '22' } },
  },
  {
    name: 'a start command of the request starts what nothing else does',
    files: { 'requirements.txt': 'requests', 'bot.py': 'print(1)\n' },
    request: { backend: { startCommand: 'python bot.py' } },
    backend: { startCommand: 'python bot.py', runtime: python() },
  },
  {
    name: 'a library with FastAPI among its requirements',
    files: { 'pyproject.toml': '[project]\nname = "lib"\ndependencies = ["fastapi"]\n', 'src/lib/__init__.py': '' },
    error: nothing(/a Python project/),
  },
  {
    name: 'examples are no service of the repository',
    files: { 'examples/requirements.txt': 'flask', 'examples/app.py': FLASK },
    error: nothing(/examples/),
  },
  {
    name: 'functions of a cloud',
    files: { 'requirements.txt': 'flask', 'app.py': FLASK, 'serverless.yml': 'service: x' },
    error: nothing(/a Python project/),
  },
  {
    name: 'a hostile pyproject.toml',
    files: { 'pyproject.toml': '[project\n"""', 'main.py': FASTAPI },
    error: nothing(/a Python project/),
  },
  {
    name: 'NUL bytes',
    files: { 'requirements.txt': 'fl\u0000ask\nflask\n', 'app.py': `\u0000\n${FLASK}` },
    backend: { framework: 'flask' },
  },
  {
    name: 'links are not followed',
    files: { 'requirements.txt': { kind: 'symlink' }, 'app.py': FLASK },
    error: nothing(/./),
  },
  {
    name: 'a linked application',
    files: { 'requirements.txt': 'flask', 'app.py': { kind: 'symlink' } },
    error: nothing(/./),
  },
  {
    name: 'requirements that name themselves',
    files: {
      'requirements.txt': '-r requirements.txt\n-r ../../etc/passwd\n-r /etc/passwd\nflask\ngunicorn',
      'app.py': FLASK,
    },
    backend: { framework: 'flask' },
    warns: [],
  },
  {
    name: 'requirements larger than a manifest may be',
    files: { 'requirements.txt': 'a\n'.repeat(700_000), 'app.py': FLASK },
    error: nothing(/./),
  },
  {
    name: 'an application behind a megabyte of text',
    files: { 'requirements.txt': 'flask', 'app.py': `${'#\n'.repeat(40_000)}${FLASK}` },
    error: nothing(/./),
  },
  {
    name: 'a name that is a shell’s word',
    files: { 'requirements.txt': 'flask\ngunicorn', '$(id)/app.py': FLASK, "a'b/app.py": FLASK },
    error: nothing(/./),
  },
  {
    name: 'Go: the module’s own program',
    files: { 'go.mod': GO_MOD(), 'go.sum': '', 'main.go': LISTENS },
    backend: {
      language: 'go',
      framework: null,
      runtime: go,
      installCommand: 'go mod download',
      buildCommand: 'go build -o veren-service .',
      startCommand: './veren-service',
      port: 3000,
    },
    warns: [],
    because: [
      ['runtime', 'go.mod'],
      ['buildCommand', 'main.go'],
    ],
  },
  {
    name: 'Go: gin',
    files: {
      'go.mod': GO_MOD('github.com/gin-gonic/gin'),
      'main.go': 'package main\nimport "github.com/gin-gonic/gin"\nfunc main() {\n\tgin.Default().Run()\n}\n',
    },
    backend: { framework: 'gin' },
  },
  {
    name: 'Go: a framework with a major in its path',
    files: {
      'go.mod': GO_MOD('github.com/labstack/echo/v4'),
      'main.go': 'package main\nfunc main() {\n\te.Start(":1323")\n}\n',
    },
    backend: { framework: 'echo', port: 1323 },
  },
  {
    name: 'Go: a required line of its own',
    files: { 'go.mod': 'module x\nrequire github.com/go-chi/chi/v5 v5.0.0\n', 'main.go': LISTENS },
    backend: { framework: 'chi' },
  },
  {
    name: 'Go: a framework that only a dependency requires',
    files: {
      'go.mod': 'module x\nrequire github.com/gin-gonic/gin v1.0.0 // indirect\n',
      'main.go': 'package main\nfunc main() {}\n',
    },
    error: nothing(/a Go module/),
  },
  {
    name: 'Go: the one program of cmd',
    files: { 'go.mod': GO_MOD(), 'cmd/shop/main.go': LISTENS },
    backend: { buildCommand: 'go build -o veren-service ./cmd/shop' },
  },
  {
    name: 'Go: of several the one that is called as services are',
    files: {
      'go.mod': GO_MOD('github.com/gin-gonic/gin'),
      'cmd/admin/main.go': LISTENS,
      'cmd/server/main.go': LISTENS,
      'cmd/migrate/main.go': 'package main\nfunc main() {}\n',
    },
    backend: { buildCommand: 'go build -o veren-service ./cmd/server' },
    warns: [/"\.\/cmd\/server" of "\." is built, and "\.\/cmd\/admin" could be/],
  },
  {
    name: 'Go: a tool is no service',
    files: {
      'go.mod': GO_MOD('github.com/spf13/cobra'),
      'main.go': 'package main\nfunc main() {\n\tcmd.Execute()\n}\n',
    },
    error: nothing(/a Go module/),
  },
  {
    name: 'Go: a library',
    files: { 'go.mod': GO_MOD('github.com/gin-gonic/gin'), 'lib.go': 'package lib\n' },
    error: nothing(/a Go module/),
  },
  {
    name: 'Go: main in a file of another name',
    files: { 'go.mod': GO_MOD(), 'server.go': LISTENS },
    backend: { buildCommand: 'go build -o veren-service .' },
  },
  {
    name: 'Go: a test is no program',
    files: { 'go.mod': GO_MOD(), 'main_test.go': LISTENS },
    error: nothing(/a Go module/),
  },
  {
    name: 'Go: a comment listens to nothing',
    files: {
      'go.mod': GO_MOD(),
      'main.go': 'package main\nimport "net/http"\n// http.ListenAndServe(":1", nil)\nfunc main() {}\n',
    },
    error: nothing(/a Go module/),
  },
  {
    name: 'Go: a fixed port',
    files: {
      'go.mod': GO_MOD(),
      'main.go': 'package main\nimport "net/http"\nfunc main() {\n\thttp.ListenAndServe(":8080", nil)\n}\n',
    },
    backend: { port: 8080 },
  },
  {
    name: 'Go: vendored',
    files: { 'go.mod': GO_MOD(), 'main.go': LISTENS, 'vendor/modules.txt': '' },
    backend: { installCommand: null },
  },
  {
    name: 'Go: a workspace above',
    files: { 'go.work': 'go 1.24\nuse ./api\n', 'services/api/go.mod': GO_MOD(), 'services/api/main.go': LISTENS },
    backend: { path: 'services/api', installPath: '.', installCommand: "cd 'services/api' && go mod download" },
  },
  {
    name: 'Go: a replaced module beside it',
    files: {
      'api/go.mod': 'module x\nreplace example.com/lib => ../lib\n',
      'api/main.go': LISTENS,
      'lib/go.mod': 'module lib\n',
      'lib/lib.go': 'package lib\n',
    },
    backend: { path: 'api', installPath: '.' },
  },
  {
    name: 'Go: a replaced module outside of the repository',
    files: { 'go.mod': 'module x\nreplace a => ../../../../etc\n', 'main.go': LISTENS },
    backend: { installPath: '.' },
  },
  {
    name: 'Go: a module that is a link',
    files: { 'go.mod': { kind: 'symlink' }, 'main.go': LISTENS },
    error: nothing(/./),
  },
  {
    name: 'another language without a Dockerfile is not built, and the error says what would be',
    files: { 'Cargo.toml': '' },
    error: nothing(/a Rust crate/),
  },
  {
    name: 'a Dockerfile beside a Python service is named as not used',
    files: { ...version({}), Dockerfile: 'FROM python\n', '.dockerignore': 'x' },
    backend: { framework: 'fastapi' },
    warns: [/Dockerfile and \.dockerignore are not used/],
  },
];
