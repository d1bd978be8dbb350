import { App } from 'aws-cdk-lib';
import { bundleBuilders } from '../builder-images/bundle.ts';
import { FunctionEnvSchemas } from '../contract/function-env.ts';
import { packForAws } from '../dashboard/packForAws.ts';
import { longestSessionPolicy } from '../lambdas/build-worker/services/longestSessionPolicy.ts';
import { redisRules } from '../lambdas/shared/redisUsers.ts';
import { addNag, buildApp } from '../lib/app.ts';
import { ConfigError, loadConfig, loadOtherStages } from '../lib/config.ts';
import { prepareBundles } from '../lib/constructs/bundle.ts';
import { findNameCollisions } from '../lib/names.ts';
import { rememberValidation } from '../lib/remembered-validation.ts';

/** The CDK app. Context and environment are read here and nowhere else: `-c stage=dev|prod|local`. */
const app = new App();
try {
  const stages = app.node.tryGetContext('stages');
  const config = loadConfig(app.node.tryGetContext('stage'), stages);
  const { certain, possible } = findNameCollisions(config, loadOtherStages(config.stage, stages));
  if (certain.length > 0) throw new ConfigError(certain.join('\n'));
  for (const sentence of possible) console.warn(sentence);
  // The scripts inside the builder images are part of their build contexts, whose hashes are the images' tags.
  if (config.builders.images === 'codebuild') await bundleBuilders();
  await prepareBundles(Object.keys(FunctionEnvSchemas));
  const dashboard = await packForAws();
  buildApp(app, config, { redisRules: redisRules(), longestSessionPolicy, dashboard });
  addNag(app);
  if (process.env.CDK_VALIDATION !== 'false') rememberValidation(app);
  app.synth();
} catch (e) {
  // Faults of the configuration are shown as sentences, without a stack trace.
  if (!(e instanceof ConfigError)) throw e;
  console.error(e.message);
  process.exitCode = 1;
}
