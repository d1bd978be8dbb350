import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import {
  type App,
  CloudFormationValidatePlugin,
  type IPolicyValidationContext,
  type PolicyValidationPluginReport,
  Validations,
} from 'aws-cdk-lib';
import { ROOT } from './constructs/bundle.ts';

/** The folder is beside the CDK's own, so that it is removed when the packages are installed again. */
const FOLDER = join(ROOT, 'node_modules', '.cache', 'veren-templates');

/** Hashes of assets and of function versions. A change of a function's code alone changes nothing else in a template. */
const HASH = /(?<![0-9a-f])(?:[0-9a-f]{64}|[0-9a-f]{32})(?![0-9a-f])/g;

/** The template with its hashes numbered in order of appearance, so that what is equal stays equal and of the same length. */
export function withNumberedHashes(template: string): string {
  const numbers = new Map<string, number>();
  return template.replace(HASH, (hash) => {
    if (!numbers.has(hash)) numbers.set(hash, numbers.size);
    return `<hash ${numbers.get(hash)} of ${hash.length}>`;
  });
}

const rulesVersion = (): string => createRequire(import.meta.url)('aws-cdk-lib/package.json').version;

/**
 * CDK's own check of the templates, which takes most of a synth's time. It is skipped where the same rules have found
 * no fault in the same templates before. Only a check without findings is remembered: any finding, even a warning, is
 * shown each time.
 */
export class RememberedValidation extends CloudFormationValidatePlugin {
  readonly #folder: string;

  constructor(folder = FOLDER) {
    super();
    this.#folder = folder;
  }

  override get version(): string {
    return super.version ?? '';
  }
  override get ruleIds(): string[] {
    return super.ruleIds ?? [];
  }

  override validate(context: IPolicyValidationContext): PolicyValidationPluginReport {
    const mark = join(this.#folder, this.#key(context));
    if (existsSync(mark)) return { success: true, violations: [] };
    const report = super.validate(context);
    if (report.success && report.violations.length === 0) this.#remember(mark);
    return report;
  }

  #key({ stackTemplates }: IPolicyValidationContext): string {
    const templates = stackTemplates.map(({ templatePath, stackConstructPath, accountId, region }) => [
      stackConstructPath,
      accountId,
      region,
      withNumberedHashes(readFileSync(templatePath, 'utf8')),
    ]);
    const of = JSON.stringify([this.version, rulesVersion(), templates]);
    return createHash('sha256').update(of).digest('hex');
  }

  #remember(mark: string): void {
    try {
      mkdirSync(this.#folder, { recursive: true });
      writeFileSync(mark, '');
    } catch {
      // The folder of the packages is not writable, so the next synth checks again.
    }
  }
}

/** Replaces the check that CDK adds by itself. */
export const rememberValidation = (app: App): void => {
  Validations.of(app).addPlugins(new RememberedValidation());
};
