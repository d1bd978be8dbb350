import { CfnResource, CrossStackReferences, ReferenceStrength } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';
import type { StageSettings } from './stage-settings.ts';

/**
 * For resources whose attributes may change or go while another stack uses them: that stack reads the output when it is
 * deployed itself (`Fn::GetStackOutput`). An export could not change: CloudFormation refuses that while it is imported.
 * Emulators know exports only, and in stage `local` nothing of this kind ever changes.
 */
export function mayChange({ stage }: Pick<StageSettings, 'stage'>, ...scopes: readonly IConstruct[]): void {
  if (stage === 'local') return;
  for (const resource of scopes.flatMap((scope) => scope.node.findAll()).filter(CfnResource.isCfnResource))
    CrossStackReferences.of(resource).produce(ReferenceStrength.WEAK);
}
