import { App } from 'aws-cdk-lib';
import { bundleBuilders } from '../builder-images/bundle.ts';
import { FunctionEnvSchemas } from '../contract/function-env.ts';
import { redisRules } from '../lambdas/shared/redisUsers.ts';
import { addNag, buildApp } from '../lib/app.ts';
import { ConfigError, loadConfig } from '../lib/config.ts';
import { prepareBundles } from '../lib/constructs/bundle.ts';

/** The CDK app. Context and environment are read here and nowhere else: `-c stage=dev|prod|local`. */
const app = new App();
try {
  const config = loadConfig(app.node.tryGetContext('stage'), app.node.tryGetContext('stages'));
  // The scripts inside the builder images are part of their build contexts, whose hashes are the images' tags.
  if (config.builders.images === 'codebuild') await bundleBuilders();
  await prepareBundles(Object.keys(FunctionEnvSchemas));
  buildApp(app, config, { redisRules: redisRules() });
  addNag(app);
  app.synth();
} catch (e) {
  // A faulty configuration is answered with its sentences, not with a stack trace.
  if (!(e instanceof ConfigError)) throw e;
  console.error(e.message);
  process.exitCode = 1;
}
