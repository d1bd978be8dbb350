/** Packages published as ES modules only: swc turns them into CommonJS together with our own sources. */
const esmOnly = ['ulid'];

// The SDK is pinned; its advice to upgrade Node would stand between the results of every file.
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true';

export default {
  testEnvironment: 'node',
  roots: ['<rootDir>/test'],
  testMatch: ['**/*.test.ts'],
  // A test that hangs fails late, a busy machine fails none. Tests that take long say so themselves.
  testTimeout: 30_000,
  // Much of the time is spent waiting for processes: a core left free is a core unused.
  maxWorkers: '100%',
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
