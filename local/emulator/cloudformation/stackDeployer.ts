import type { CustomResources } from './customResources.ts';
import type { EmulatorStacks, Form } from './emulatorStacks.ts';
import {
  type CustomAnswer,
  isCustom,
  type Json,
  outputsFor,
  phasesOf,
  type Resource,
  stackOutputsIn,
  type Template,
  templateOfPhase,
  withAnswers,
  withStackOutputs,
} from './template.ts';
import { translateForEmulator } from './translate.ts';

interface MadeCustom extends CustomAnswer {
  readonly type: string;
  readonly properties: Readonly<Record<string, Json>>;
}
interface Stack {
  /** As it was given, for GetTemplate. */
  body: string;
  /** What the emulator has at the end. */
  deployed: Template | undefined;
  readonly customs: Map<string, MadeCustom>;
  /** While it is worked on, or when that failed: what DescribeStacks says instead of the emulator. */
  status: { readonly name: string; readonly reason?: string } | undefined;
}

/**
 * Deploys stacks to an emulator whose CloudFormation neither waits for custom resources nor knows Fn::GetStackOutput: in
 * phases, each with what the custom resources before it have answered.
 */
export class StackDeployer {
  readonly #stacks = new Map<string, Stack>();
  /** Of templates: a change set may read its own late. */
  #count = 0;
  readonly #emulator: EmulatorStacks;
  readonly #customs: CustomResources;
  readonly #settle: () => Promise<void>;
  readonly #log: (message: string) => void;

  /** @param settle waits for what the emulator has made and does not wait for */
  constructor(
    emulator: EmulatorStacks,
    customs: CustomResources,
    settle: () => Promise<void>,
    log: (message: string) => void,
  ) {
    this.#emulator = emulator;
    this.#customs = customs;
    this.#settle = settle;
    this.#log = log;
  }

  status = (stack: string) => this.#stacks.get(stack)?.status;
  body = (stack: string) => this.#stacks.get(stack)?.body;

  /** A change set for the first phase of a template; gives its text for `execute`. */
  async prepare(stack: string, body: string): Promise<{ template: Template; firstUrl: string }> {
    const template = translateForEmulator(await this.#resolveStackOutputs(JSON.parse(body) as Template));
    const { deployed, customs = new Map() } = this.#stacks.get(stack) ?? {};
    const first = this.#phase(template, 0, customs, deployed);
    return { template, firstUrl: await this.#put(stack, first) };
  }

  /** Runs all phases. `first` deploys the first, by the change set that was made for it. */
  async execute(
    stack: string,
    body: string,
    template: Template,
    form: Form,
    first: () => Promise<unknown>,
  ): Promise<void> {
    const existing = this.#stacks.get(stack);
    const entry: Stack = existing ?? { body, deployed: undefined, customs: new Map(), status: undefined };
    this.#stacks.set(stack, entry);
    entry.status = { name: existing?.deployed ? 'UPDATE_IN_PROGRESS' : 'CREATE_IN_PROGRESS' };
    try {
      const last = Math.max(0, ...phasesOf(template).values());
      for (let phase = 0; phase <= last; phase++) {
        if (phase === 0) await first();
        else await this.#update(stack, this.#phase(template, phase, entry.customs, entry.deployed), form);
        await this.#settle();
        await this.#makeCustoms(stack, entry, template, phase, form);
      }
      // Custom resources that nothing waits for may have answered after the last phase: outputs can name them.
      const final = templateOfPhase(template, last + 1, entry.customs, undefined);
      await this.#update(stack, final, form);
      await this.#removeCustoms(stack, entry, (id) => !(id in template.Resources));
      Object.assign(entry, { body, deployed: final, status: undefined });
    } catch (e) {
      const reason = (e as Error).message;
      this.#log(`stack ${stack} failed: ${reason}`);
      entry.status = { name: entry.deployed ? 'UPDATE_FAILED' : 'CREATE_FAILED', reason };
    }
  }

  async remove(stack: string, remove: () => Promise<unknown>): Promise<void> {
    const entry = this.#stacks.get(stack);
    if (entry) entry.status = { name: 'DELETE_IN_PROGRESS' };
    try {
      if (entry) await this.#removeCustoms(stack, entry, () => true);
      await remove();
      this.#stacks.delete(stack);
    } catch (e) {
      const reason = (e as Error).message;
      this.#log(`stack ${stack} was not deleted: ${reason}`);
      if (entry) entry.status = { name: 'DELETE_FAILED', reason };
    }
  }

  #phase(template: Template, phase: number, customs: Map<string, MadeCustom>, before: Template | undefined): Template {
    // Answers of earlier phases only: the others may be about to change.
    const phases = phasesOf(template);
    const answers = new Map([...customs].filter(([id]) => (phases.get(id) ?? 0) < phase));
    return templateOfPhase(template, phase, answers, before);
  }

  async #resolveStackOutputs(template: Template): Promise<Template> {
    const values = new Map<string, string>();
    for (const stack of new Set(stackOutputsIn(template).map((it) => it.stack)))
      for (const [output, value] of await this.#emulator.outputs(stack)) values.set(`${stack}/${output}`, value);
    return withStackOutputs(template, values);
  }

  async #makeCustoms(stack: string, entry: Stack, template: Template, phase: number, form: Form): Promise<void> {
    const phases = phasesOf(template);
    const due = Object.entries(template.Resources).filter(([id, it]) => isCustom(it) && phases.get(id) === phase);
    if (due.length === 0) return;
    const current = this.#phase(template, phase, entry.customs, entry.deployed);
    const properties = await this.#compute(stack, current, due, entry.customs, form);
    const made = due.map(([id, { Type }]) => this.#makeCustom(stack, entry, id, Type, properties.get(id)!));
    const failed = (await Promise.allSettled(made)).flatMap((it) => (it.status === 'rejected' ? [it.reason] : []));
    if (failed.length > 0) throw failed[0];
  }

  /** Properties of custom resources, with the emulator's values of what they refer to. */
  async #compute(
    stack: string,
    current: Template,
    due: [string, Resource][],
    customs: Map<string, MadeCustom>,
    form: Form,
  ): Promise<Map<string, Record<string, Json>>> {
    const given = Object.fromEntries(due.map(([id, it]) => [id, withAnswers({ ...it.Properties }, customs)]));
    const { outputs, take } = outputsFor(given);
    const Outputs = Object.fromEntries(Object.entries(outputs).map(([id, Value]) => [id, { Value }]));
    await this.#update(stack, { ...current, Outputs: { ...current.Outputs, ...Outputs } }, form);
    return new Map(Object.entries(take(await this.#emulator.outputs(stack)) as Record<string, Record<string, Json>>));
  }

  async #makeCustom(stack: string, entry: Stack, logicalId: string, type: string, properties: Record<string, Json>) {
    const before = entry.customs.get(logicalId);
    if (before && JSON.stringify(before.properties) === JSON.stringify(properties)) return;
    const from = Date.now();
    const answer = await this.#customs.call({
      type: before ? 'Update' : 'Create',
      stackId: stack,
      logicalId,
      resourceType: type,
      properties,
      ...(before && { oldProperties: before.properties, physicalId: before.physicalId }),
    });
    this.#log(`${stack}: ${logicalId} (${type}) answered in ${Math.round((Date.now() - from) / 1_000)} s`);
    entry.customs.set(logicalId, { ...answer, type, properties });
    // Another id means another thing: CloudFormation deletes the old one.
    if (before && before.physicalId !== answer.physicalId) await this.#deleteCustom(stack, logicalId, before);
  }

  async #removeCustoms(stack: string, entry: Stack, isGone: (id: string) => boolean): Promise<void> {
    for (const [id, custom] of [...entry.customs].reverse().filter(([id]) => isGone(id))) {
      await this.#deleteCustom(stack, id, custom);
      entry.customs.delete(id);
    }
  }

  async #deleteCustom(stackId: string, logicalId: string, { type, properties, physicalId }: MadeCustom): Promise<void> {
    await this.#customs.call({ type: 'Delete', stackId, logicalId, resourceType: type, properties, physicalId });
  }

  async #update(stack: string, template: Template, form: Form): Promise<void> {
    const url = await this.#put(stack, template);
    try {
      await this.#emulator.call('UpdateStack', { ...form, StackName: stack, TemplateURL: url });
    } catch (e) {
      if (!(e as Error).message.includes('No updates are to be performed')) throw e;
    }
  }

  #put(stack: string, template: Template): Promise<string> {
    return this.#emulator.putTemplate(`${stack}-${++this.#count}.json`, JSON.stringify(template));
  }
}
