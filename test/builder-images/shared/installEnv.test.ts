import fc from 'fast-check';
import {
  changedAtInstall,
  variablesAtInstall,
  variablesAtPreparation,
} from '../../../builder-images/shared/install-env.ts';
import { BuildEnvSchema } from '../../../contract/api.ts';

const gone = (env: Record<string, string>) => changedAtInstall(env);

test.each([
  ['NODE_ENV', 'production'],
  ['node_env', 'production'],
  ['NODE_ENV', 'development'],
  ['NPM_CONFIG_PRODUCTION', 'true'],
  ['npm_config_production', '1'],
  ['Npm_Config_Omit', 'dev'],
  ['npm_config_only', 'prod'],
  ['pnpm_config_prod', 'true'],
  ['npm_config_dev', 'false'],
  ['YARN_PRODUCTION', 'true'],
  ['yarn_production', 'yes'],
])('%s=%s does not reach an installation', (name, value) => {
  expect(variablesAtInstall({ [name]: value, OTHER: 'x' })).toEqual({ OTHER: 'x' });
  expect(gone({ [name]: value, OTHER: 'x' })).toEqual([name]);
});

test.each([
  ['npm_config_omit', 'optional'],
  ['npm_config_include', 'dev'],
  ['npm_config_dev', 'true'],
  ['npm_config_registry', 'https://r'],
  ['YARN_NPM_AUTH_TOKEN', 't'],
  ['NODE_ENVIRONMENT', 'production'],
  ['MY_NODE_ENV', 'production'],
  ['NODE_OPTIONS', '--max-old-space-size=4096'],
])('%s=%s does', (name, value) => {
  expect(variablesAtInstall({ [name]: value })).toEqual({ [name]: value });
  expect(gone({ [name]: value })).toEqual([]);
});

test('only "dev" is taken off a list', () => {
  expect(variablesAtInstall({ npm_config_omit: 'optional\n\ndev\n\npeer' })).toEqual({
    npm_config_omit: 'optional\n\npeer',
  });
});

test('NODE_OPTIONS may be set, and is not there while a package manager is installed', () => {
  expect(BuildEnvSchema.safeParse({ NODE_OPTIONS: '--require ./x.cjs' }).success).toBe(true);
  expect(variablesAtPreparation({ NODE_OPTIONS: '--require ./x.cjs', NODE_ENV: 'production', A: '1' })).toEqual({
    A: '1',
  });
});

test('whatever is set: nothing is added, and values are kept or left out', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.string()), (env) => {
      for (const [name, value] of Object.entries(variablesAtInstall(env)))
        if (!/omit$/i.test(name)) expect(env[name]).toBe(value);
    }),
  );
});
