import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describeWith, tooSlow } from '../support/engines.ts';
import { missingServiceImages, useServices } from '../support/serviceImages.ts';

/** The stand-ins for Python's and Go's images that .ci/kaniko.sh makes besides those of Node. */
const missingLanguages = (): string | null => {
  const image = join(process.env.KANIKO_HOME ?? '', 'registry/docker/registry/v2/repositories/library/python');
  return (
    missingServiceImages() ??
    (existsSync(image) ? null : 'KANIKO_HOME has no images of Python: run .ci/kaniko.sh again')
  );
};

/** Services in Python and Go, each deployed by HTTP from its URL alone and started as a container. */
describeWith(tooSlow ?? missingLanguages(), 'services that are not JavaScript', () => {
  const { deploy, serve } = useServices();

  test('FastAPI: packages, the version that the repository names, and no root', async () => {
    const { record, answer, stop } = await serve(
      'fastapi',
      {
        '.python-version': '3.11\n',
        'requirements.txt': 'fastapi==0.115.6\n',
        'main.py': [
          'import os, sys',
          'from fastapi import FastAPI',
          'app = FastAPI()',
          '@app.get("/")',
          'def home():',
          '    return {"python": sys.version_info[:2], "uid": os.getuid(), "secret": os.environ.get("SECRET"),',
          '            "owned": [p for p in ("/opt/veren", "/opt/veren/tools", "/etc", "/usr/bin") if os.access(p, os.W_OK)]}',
          '',
        ].join('\n'),
      },
      { env: { SECRET: 'of-the-build' } },
    );
    expect(JSON.parse(answer)).toEqual({ python: [3, 11], uid: 1000, secret: null, owned: [] });
    expect(record.builds.backend?.runtime).toEqual({ name: 'python', version: '3.11' });
    expect(record.plan?.warnings).toContainEqual(expect.stringMatching(/"uvicorn" serves the application/));
    expect((await stop()).ms).toBeLessThan(9_000);
  }, 600_000);

  test('Flask, with a page beside it, and a library of the system that only the build’s image has', async () => {
    const { record, answer } = await serve('flask', {
      'frontend/index.html': '<title>page</title>',
      'backend/requirements.txt': 'flask==3.0.3\ngunicorn==22.0.0\npsycopg2==2.9.10\n',
      'backend/.python-version': '3.11',
      'backend/app.py':
        'import psycopg2\nfrom flask import Flask\napp = Flask(__name__)\n\n@app.get("/")\ndef home():\n    return f"flask {psycopg2.__libpq_version__ > 0}"\n',
    });
    expect(answer).toBe('flask True');
    expect(record.plan).toMatchObject({
      frontend: { path: 'frontend' },
      backend: { path: 'backend', framework: 'flask' },
    });
    expect(record.builds.frontend).toMatchObject({ status: 'succeeded' });
  }, 600_000);

  test('Go: a dependency, a template beside the program, the time zones', async () => {
    const { answer, record } = await serve('goservice', {
      'go.mod': 'module example.com/shop\n\ngo 1.22\n\nrequire github.com/go-chi/chi/v5 v5.1.0\n',
      'go.sum':
        'github.com/go-chi/chi/v5 v5.1.0 h1:acVI1TYaD+hhedDJ3r54HyA6sExp3HfXq7QWEEY/xMw=\ngithub.com/go-chi/chi/v5 v5.1.0/go.mod h1:DslCQbL2OYiznFReuXYUmQ2hGd1aDpCnlMNITLSKoi8=\n',
      'page.tmpl': 'go {{.}}',
      'cmd/server/main.go': [
        'package main',
        'import ("html/template"; "net/http"; "os"; "time"; "github.com/go-chi/chi/v5")',
        'func main() {',
        '\tr := chi.NewRouter()',
        '\tr.Get("/", func(w http.ResponseWriter, q *http.Request) {',
        '\t\tzone, err := time.LoadLocation("Europe/Berlin")',
        '\t\tif err != nil { http.Error(w, err.Error(), 500); return }',
        '\t\ttemplate.Must(template.ParseFiles("page.tmpl")).Execute(w, zone.String())',
        '\t})',
        '\tif err := http.ListenAndServe(":"+os.Getenv("PORT"), r); err != nil { panic(err) }',
        '}',
        '',
      ].join('\n'),
    });
    expect(answer).toBe('go Europe/Berlin');
    expect(record.builds.backend?.runtime).toEqual({ name: 'go', version: '1.26' });
  }, 600_000);

  test('what fails says where: a package that does not exist, and Go that does not compile', async () => {
    const missing = await deploy('nopackage', {
      '.python-version': '3.11',
      'requirements.txt': 'flask\nthis-package-does-not-exist-veren==9.9.9\n',
      'app.py': 'from flask import Flask\napp = Flask(__name__)\n',
    });
    expect(missing.record.builds.backend?.error).toMatchObject({ code: 'INSTALL_FAILED', phase: 'install' });
    expect(missing.log).toContain('No matching distribution found for this-package-does-not-exist-veren');
    const broken = await deploy('broken', {
      'go.mod': 'module example.com/broken\n\ngo 1.22\n',
      'main.go': 'package main\nimport "net/http"\nfunc main() {\n\thttp.ListenAndServe(":1", undefinedName)\n}\n',
    });
    expect(broken.record.builds.backend?.error).toMatchObject({ code: 'BUILD_FAILED', phase: 'build', exitCode: 1 });
    expect(broken.log).toContain('undefined: undefinedName');
  }, 600_000);
});
