import fc from 'fast-check';
import { readDockerfile } from '../../contract/dockerfile.ts';

const read = (...lines: string[]) => readDockerfile(lines.join('\n'));

test('stages, arguments, the ports of the last stage', () => {
  const facts = read(
    'ARG VERSION=1',
    'from node:$VERSION as Build',
    'ARG TOKEN',
    'ARG A=1 B="2 3"',
    'EXPOSE 9999',
    'FROM scratch',
    'ENV PORT 8080',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: of the Dockerfile
    'EXPOSE ${PORT}/tcp ${OTHER:-9090} $NONE nonsense 0 70000',
    'ENTRYPOINT ["x"]',
  );
  expect(facts).toMatchObject({ stages: 2, ports: [8080, 9090], hasCommand: true, syntax: null });
  expect([...facts.args]).toEqual(['VERSION', 'TOKEN', 'A', 'B']);
});

test('a stage has what the stage has that it is made from', () => {
  const facts = read(
    'FROM a AS base',
    'ENV PORT=3000',
    'EXPOSE $PORT',
    'CMD x',
    'FROM b',
    'FROM --platform=linux/amd64 BASE',
  );
  expect(facts).toMatchObject({ stages: 3, ports: [3000], hasCommand: true });
});

test('continued lines, comments within them, here-documents and another escape', () => {
  expect(read('FROM a', 'RUN x \\', '# EXPOSE 1', '', '  && EXPOSE 2 \\', 'EXPOSE 3', 'EXPOSE 4').ports).toEqual([4]);
  expect(read('FROM a', 'RUN <<A <<"B"', 'EXPOSE 1', 'A', 'EXPOSE 2', 'B', 'EXPOSE 3').ports).toEqual([3]);
  expect(read('FROM a', 'RUN <<A', 'EXPOSE 1').ports).toEqual([]);
  expect(read('# escape=`', '# syntax=docker/dockerfile:1', 'FROM a', 'RUN x `', 'EXPOSE 1', 'EXPOSE 2')).toMatchObject(
    {
      ports: [2],
      syntax: 'docker/dockerfile:1',
    },
  );
});

test('mounts, and nothing after the flags', () => {
  const facts = read(
    'FROM a',
    'RUN --mount=type=cache,target=/c --network=none --mount=target=/x make --mount=type=ssh',
  );
  expect([...facts.mounts]).toEqual(['cache', 'bind']);
});

test('any text is read, in time that grows with its length', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 2_000 }), (text) => {
      expect(readDockerfile(text).ports.every((port) => port >= 1 && port <= 65_535)).toBe(true);
    }),
  );
  const bytes = 256 * 1024;
  const hostile = [
    '$',
    '${',
    '\\\n',
    ' ',
    'A=',
    'A="',
    '<<A ',
    'ARG A',
    'ENV A ',
    '--mount=',
    'EXPOSE 1 ',
    'FROM a AS b\n',
    '\n',
  ];
  for (const part of hostile)
    for (const before of ['', 'FROM a\nRUN ', 'FROM a\nENV ', 'FROM a\nEXPOSE ', 'FROM a\nARG ']) {
      const started = performance.now();
      readDockerfile(before + part.repeat(bytes / part.length));
      expect(performance.now() - started).toBeLessThan(2_000);
    }
});
