/** Packages published as ES modules only: swc turns them into CommonJS together with our own sources. */
const esmOnly = ['execa', 'ulid', 'p-limit', '@sindresorhus', 'unicorn-magic', 'npm-run-path', 'path-key', 'strip-final-newline', 'is-stream', 'is-plain-obj', 'human-signals', 'get-stream', 'figures', 'pretty-ms', 'parse-ms', 'yoctocolors', 'is-unicode-supported', 'is-fullwidth-code-point', 'signal-exit', 'yocto-queue'];

export default {
  testEnvironment: 'node',
  roots: ['<rootDir>/test'],
  testMatch: ['**/*.test.ts'],
  transform: {
    '^.+\\.[cm]?[jt]s$': [
      '@swc/jest',
      {
        jsc: { parser: { syntax: 'typescript' }, target: 'es2022' },
        module: { type: 'commonjs' },
      },
    ],
  },
  transformIgnorePatterns: [`/node_modules/(?!(${esmOnly.join('|')})/)`],
};
