import { detectProjectType } from '../../../../../lambdas/clone-worker/services/detector/detectProjectType.ts';
import { memoryFs } from '../../../../support/memoryFs.ts';

const marks = Array.from({ length: 100 }, (_, i) => `a${i}${'!'.repeat(120)}$`);
const goMod = (line: string) => ({ 'go.mod': `module x\n${line}\n`, 'main.go': 'package main\nfunc main() {}' });

test.each([
  [
    'requirements of MkDocs that are nearly one',
    {
      'mkdocs.yml': 'site_name: x',
      'docs/index.md': '# x',
      'pyproject.toml': `[project]\nname = "x"\ndependencies = ${JSON.stringify(['mkdocs', ...marks])}`,
    },
  ],
  ['slashes and a separator in a go.mod', goMod(`${'/'.repeat(400_000)}\u2028`)],
  ['dots in a go.mod', goMod('.'.repeat(400_000))],
])('%s cost no time', async (_name, files) => {
  const started = performance.now();
  await detectProjectType(memoryFs(files), { today: '2026-11-28', maxFileBytes: 1024 * 1024 }).catch(() => undefined);
  expect(performance.now() - started).toBeLessThan(2_000);
});
