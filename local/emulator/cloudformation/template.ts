/** A CloudFormation template, and what a deployment in phases asks of it: pure. */

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
export interface Resource {
  readonly Type: string;
  readonly Properties?: Readonly<Record<string, Json>>;
  readonly DependsOn?: string | readonly string[];
}
export interface Template {
  readonly Resources: Readonly<Record<string, Resource>>;
  readonly Outputs?: Readonly<Record<string, { readonly Value: Json; readonly [key: string]: Json }>>;
}
/** What a custom resource's function has answered. */
export interface CustomAnswer {
  readonly physicalId: string;
  readonly data: Readonly<Record<string, Json>>;
}
export type CustomAnswers = ReadonlyMap<string, CustomAnswer>;

/** A type that the emulator does not know and the bridge makes, as if it were a custom resource. */
export const KEY_VALUE_STORE = 'AWS::CloudFront::KeyValueStore';

export const isCustom = ({ Type }: Resource): boolean =>
  Type.startsWith('Custom::') || Type === 'AWS::CloudFormation::CustomResource' || Type === KEY_VALUE_STORE;

/** Rebuilds a value; `change` gives what takes the place of an object with one key, or undefined. */
export function mapIntrinsics(value: Json, change: (name: string, argument: Json) => Json | undefined): Json {
  if (Array.isArray(value)) return value.map((item) => mapIntrinsics(item, change));
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value);
  const [name, argument] = entries[0] ?? [];
  if (entries.length === 1 && name !== undefined) {
    const changed = change(name, argument as Json);
    if (changed !== undefined) return changed;
  }
  return Object.fromEntries(entries.map(([key, item]) => [key, mapIntrinsics(item, change)]));
}

/** Logical ids that a value refers to. */
export function referencesOf(value: Json | undefined): Set<string> {
  const found = new Set<string>();
  mapIntrinsics(value ?? null, (name, argument) => {
    if (name === 'Ref') found.add(String(argument));
    if (name === 'Fn::GetAtt') found.add(attributeOf(argument)[0]);
    if (name === 'Fn::Sub') {
      const text = String(Array.isArray(argument) ? argument[0] : argument);
      for (const [, id] of text.matchAll(/\$\{([\w]+)(?:\.[\w.]+)?\}/g)) found.add(id!);
    }
    return undefined;
  });
  return found;
}

function attributeOf(argument: Json): [string, string] {
  const parts = Array.isArray(argument) ? argument.map(String) : String(argument).split('.');
  return [parts[0]!, parts.slice(1).join('.')];
}

function dependenciesOf({ Properties, DependsOn = [] }: Resource): string[] {
  return [...referencesOf({ ...Properties }), ...[DependsOn].flat()];
}

/**
 * The phase of every resource: one after those of the custom resources that it needs, and at least those of the others. A
 * custom resource is made when its own phase is deployed.
 * @throws Error for a circle
 */
export function phasesOf({ Resources }: Template): Map<string, number> {
  const phases = new Map<string, number>();
  function phaseOf(id: string, path: readonly string[]): number {
    const known = phases.get(id);
    if (known !== undefined) return known;
    if (path.includes(id)) throw new Error(`Circular dependency: ${[...path, id].join(' → ')}`);
    const needs = dependenciesOf(Resources[id]!).filter((other) => other in Resources && other !== id);
    const phase = Math.max(
      0,
      ...needs.map((other) => phaseOf(other, [...path, id]) + (isCustom(Resources[other]!) ? 1 : 0)),
    );
    phases.set(id, phase);
    return phase;
  }
  for (const id of Object.keys(Resources)) phaseOf(id, []);
  return phases;
}

/** The value with custom resources' answers in the place of references to them. */
export function withAnswers(value: Json, answers: CustomAnswers): Json {
  return mapIntrinsics(value, (name, argument) => {
    if (name === 'Ref') return answers.get(String(argument))?.physicalId;
    if (name !== 'Fn::GetAtt') return undefined;
    const [id, attribute] = attributeOf(argument);
    const answer = answers.get(id);
    if (answer && !(attribute in answer.data)) throw new Error(`${id} has answered without ${attribute}`);
    return answer?.data[attribute];
  });
}

/**
 * What the emulator gets in a phase: no custom resource, the new version of resources that are due, and the `before` of
 * others, which are not touched yet. Outputs come when all that they refer to is there.
 */
export function templateOfPhase(
  template: Template,
  phase: number,
  answers: CustomAnswers,
  before: Template | undefined,
): Template {
  const phases = phasesOf(template);
  const last = phase >= Math.max(0, ...phases.values());
  const due = Object.entries(template.Resources)
    .filter(([id, resource]) => !isCustom(resource) && phases.get(id)! <= phase)
    .map(([id, resource]) => [id, resolveResource(resource, template, answers)] as const);
  const Resources = { ...(last ? {} : before?.Resources), ...Object.fromEntries(due) };
  const outputs = Object.entries(template.Outputs ?? {}).filter(([, { Value }]) =>
    [...referencesOf(Value)].every((id) => id in Resources || answers.has(id) || !(id in template.Resources)),
  );
  const Outputs = Object.fromEntries(outputs.map(([id, output]) => [id, withAnswers(output, answers)]));
  return { ...template, Resources, Outputs: { ...(last ? {} : before?.Outputs), ...Outputs } } as Template;
}

function resolveResource(resource: Resource, template: Template, answers: CustomAnswers): Resource {
  const { DependsOn, ...rest } = withAnswers(resource as unknown as Json, answers) as unknown as Resource;
  const others = [DependsOn ?? []].flat().filter((id) => !isCustom(template.Resources[id]!));
  return others.length > 0 ? { ...rest, DependsOn: others } : rest;
}

/**
 * Intrinsic functions in a value, each as an output of its own, by which the emulator computes them: `take` puts the results
 * back.
 */
export function outputsFor(value: Json): {
  outputs: Record<string, Json>;
  take: (results: Map<string, string>) => Json;
} {
  const outputs: Record<string, Json> = {};
  const marked = mapIntrinsics(value, (name, argument) => {
    if (name !== 'Ref' && !name.startsWith('Fn::')) return undefined;
    const id = `VerenValue${Object.keys(outputs).length}`;
    outputs[id] = { [name]: argument };
    return { 'Veren::Output': id };
  });
  return {
    outputs,
    take: (results) =>
      mapIntrinsics(marked, (name, id) => (name === 'Veren::Output' ? results.get(String(id)) : undefined)),
  };
}

/** Stacks and outputs that a template reads of others. */
export function stackOutputsIn(template: Template): { stack: string; output: string }[] {
  const found: { stack: string; output: string }[] = [];
  mapIntrinsics(template as unknown as Json, (name, argument) => {
    if (name !== 'Fn::GetStackOutput') return undefined;
    const { StackName, OutputName } = argument as Record<string, string>;
    found.push({ stack: StackName!, output: OutputName! });
    return undefined;
  });
  return found;
}

/** @param values `<stack>/<output>` → value */
export function withStackOutputs(template: Template, values: ReadonlyMap<string, string>): Template {
  return mapIntrinsics(template as unknown as Json, (name, argument) => {
    if (name !== 'Fn::GetStackOutput') return undefined;
    const { StackName, OutputName } = argument as Record<string, string>;
    const value = values.get(`${StackName}/${OutputName}`);
    if (value === undefined) throw new Error(`Stack ${StackName} has no output ${OutputName}`);
    return value;
  }) as unknown as Template;
}
