import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App } from 'aws-cdk-lib';
import { AWS_POLICIES } from '../../../dashboard/packForAws.ts';
import { longestSessionPolicy } from '../../../lambdas/build-worker/services/longestSessionPolicy.ts';
import { redisRules } from '../../../lambdas/shared/redisUsers.ts';
import { addNag, buildApp, type VerenStacks } from '../../../lib/app.ts';
import { loadConfig, type Stage } from '../../../lib/config.ts';
import { rememberValidation } from '../../../lib/remembered-validation.ts';

/** The parts of a CloudFormation template that tests look at. */
export interface Template {
  Resources: Record<string, Resource>;
  Outputs?: Record<string, { Value: unknown; Export?: { Name: string } }>;
}
export interface Resource {
  Type: string;
  // biome-ignore lint/suspicious/noExplicitAny: templates are untyped JSON
  Properties: Record<string, any>;
  DeletionPolicy?: string;
  UpdateReplacePolicy?: string;
  DependsOn?: string[];
}

export const STACKS = ['Network', 'Data', 'Builders', 'Pipeline', 'Observability'] as const;
export type StackId = (typeof STACKS)[number];
export type Templates = Record<StackId, Template>;

export interface Synthesized {
  readonly templates: Templates;
  readonly terminationProtection: Readonly<Record<StackId, boolean>>;
  /** Stacks that are deployed before each. */
  readonly before: Readonly<Record<StackId, readonly string[]>>;
}

export const ROOT = join(__dirname, '..', '..', '..');
export const cdkJson = () => JSON.parse(readFileSync(join(ROOT, 'cdk.json'), 'utf8'));

export interface SynthOptions {
  /** Changes the stage's entry of cdk.json before it is validated. */
  readonly configure?: (stage: Record<string, unknown>) => void;
  /** Changes the stacks before synth: where deliberate mistakes are made. */
  readonly change?: (stacks: VerenStacks) => void;
  /** Context beside that of cdk.json: a bootstrap qualifier, a permissions boundary. */
  readonly context?: Readonly<Record<string, unknown>>;
  /** Run cdk-nag too; synth throws at a finding. */
  readonly nag?: boolean;
}

/**
 * Templates of a stage as `cdk synth` makes them, except that functions are not bundled: what is in them is tested
 * elsewhere, and their hashes are not compared.
 */
export function synthesize(
  stage: Stage,
  { configure, change, context: more, nag = false }: SynthOptions = {},
): Synthesized {
  const { context } = cdkJson();
  configure?.(context.stages[stage]);
  const outdir = mkdtempSync(join(tmpdir(), 'veren-synth-'));
  try {
    const app = new App({ outdir, context: { ...context, ...more, 'aws:cdk:bundling-stacks': [] } });
    const stacks = buildApp(app, loadConfig(stage, context.stages), {
      redisRules: redisRules(),
      longestSessionPolicy,
      dashboard: { files: new Map(), version: 'any', policies: AWS_POLICIES },
    });
    change?.(stacks);
    if (nag) addNag(app);
    rememberValidation(app);
    const assembly = app.synth();
    const artifacts = STACKS.map((id) => [id, assembly.getStackArtifact(id)] as const);
    return {
      templates: Object.fromEntries(artifacts.map(([id, a]) => [id, a.template])) as Templates,
      terminationProtection: Object.fromEntries(
        artifacts.map(([id, a]) => [id, a.terminationProtection ?? false]),
      ) as Record<StackId, boolean>,
      before: Object.fromEntries(
        artifacts.map(([id, { dependencies }]) => [id, dependencies.map((it) => it.id)]),
      ) as Record<StackId, string[]>,
    };
  } finally {
    rmSync(outdir, { recursive: true, force: true });
  }
}

/** Every resource of a type in all stacks. */
export function resourcesOf(templates: Templates, type: string) {
  return STACKS.flatMap((stack) =>
    Object.entries(templates[stack].Resources)
      .filter(([, resource]) => resource.Type === type)
      .map(([id, resource]) => ({ stack, id, resource, properties: resource.Properties ?? {} })),
  );
}

/**
 * What a value in a template points at: follows references and imports through all stacks to `Stack.LogicalId`, and leaves
 * text as it is.
 */
export function pointsAt(templates: Templates, stack: StackId, value: unknown): string {
  if (typeof value === 'string') return value;
  const [key, argument] = Object.entries(value as object)[0] as [string, unknown];
  if (key === 'Ref') return (argument as string).startsWith('AWS::') ? `<${argument}>` : `${stack}.${argument}`;
  if (key === 'Fn::GetAtt') return `${stack}.${(argument as string[]).join('.')}`;
  if (key === 'Fn::Join') {
    const [delimiter, items] = argument as [string, unknown[]];
    return items.map((item) => pointsAt(templates, stack, item)).join(delimiter);
  }
  if (key === 'Fn::ImportValue') {
    for (const id of STACKS)
      for (const output of Object.values(templates[id].Outputs ?? {}))
        if (output.Export?.Name === argument) return pointsAt(templates, id, output.Value);
    return `<nothing exports ${argument}>`;
  }
  if (key === 'Fn::GetStackOutput') {
    const { StackName, OutputName } = argument as { StackName: string; OutputName: string };
    const id = STACKS.find((s) => StackName.endsWith(`-${s.toLowerCase()}`));
    const output = id && templates[id].Outputs?.[OutputName];
    return id && output ? pointsAt(templates, id, output.Value) : `<${StackName} has no output ${OutputName}>`;
  }
  return JSON.stringify(value);
}
