import { CfnResource, CrossStackReferences, ReferenceStrength } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';
import type { StageSettings } from './stage-settings.ts';

/**
 * For attributes of resources that may change or disappear while another stack uses them: that stack reads the output
 * when it is deployed itself (`Fn::GetStackOutput`), while CloudFormation refuses to change an export that is imported.
 * Emulators know exports only, which is enough in stage `local`, where no such attribute changes.
 */
export function mayChange({ stage }: Pick<StageSettings, 'stage'>, ...scopes: readonly IConstruct[]): void {
  if (stage === 'local') return;
  for (const resource of scopes.flatMap((scope) => scope.node.findAll()).filter(CfnResource.isCfnResource))
    CrossStackReferences.of(resource).produce(ReferenceStrength.WEAK);
}
