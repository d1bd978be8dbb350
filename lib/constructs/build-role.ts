import { Duration, PERMISSIONS_BOUNDARY_CONTEXT_KEY } from 'aws-cdk-lib';
import type { IRepository } from 'aws-cdk-lib/aws-ecr';
import {
  ArnPrincipal,
  Effect,
  type IRole,
  ManagedPolicy,
  PolicyDocument,
  PolicyStatement,
  Role,
} from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import { BUILDER_TOPICS } from '../../contract/names.ts';
import { acknowledgeWildcards } from './acknowledge.ts';
import type { ArtifactBucket } from './artifact-bucket.ts';
import type { KafkaConnection } from './kafka.ts';
import { accountWideName, type StageSettings } from './stage-settings.ts';

export interface BuildRoleProps {
  readonly settings: StageSettings;
  /** The one role that may assume it: the build-worker's. */
  readonly assumedBy: IRole;
  readonly bucket: ArtifactBucket;
  readonly userImages: IRepository;
  readonly kafka: KafkaConnection;
}

/**
 * The role behind the credentials of builds. It has the *union* of the rights of all builds; the session policy that
 * build-worker passes to AssumeRole narrows it to one project. The same union is its permissions boundary, so that a
 * policy attached later gives no further rights.
 */
export class BuildRole extends Construct {
  readonly role: Role;

  /** A fixed name, so that build-worker can have it in its environment before the role exists. */
  static roleName(settings: StageSettings): string {
    return accountWideName(settings, 'build');
  }

  constructor(scope: Construct, id: string, props: BuildRoleProps) {
    super(scope, id);
    const buildStatements = () => unionOfBuilds(props);
    const boundary = new ManagedPolicy(this, 'Boundary', {
      description: 'The most that any build may do',
      document: new PolicyDocument({ statements: buildStatements() }),
    });
    this.role = new Role(this, 'Role', {
      roleName: BuildRole.roleName(props.settings),
      description: 'Credentials of single builds, narrowed by a session policy',
      assumedBy: new ArnPrincipal(props.assumedBy.roleArn),
      // Role chaining (a function's role assumes this one) ends after an hour in any case.
      maxSessionDuration: Duration.hours(1),
      permissionsBoundary: boundary,
      inlinePolicies: {
        builds: new PolicyDocument({ statements: buildStatements() }),
        ...(boundaryIsReplaced(this) && {
          'nothing-else': new PolicyDocument({ statements: denyOthers(buildStatements()) }),
        }),
      },
    });
    props.assumedBy.addToPrincipalPolicy(
      new PolicyStatement({ sid: 'MintBuildCredentials', actions: ['sts:AssumeRole'], resources: [this.role.roleArn] }),
    );
    acknowledgeWildcards(
      this,
      [...TREES, EARLIER_TREE].map((tree) => props.bucket.arnForObjects(tree)),
      'The union over all projects; every session is narrowed to one project by its session policy.',
    );
    acknowledgeWildcards(this, ['*'], 'ecr:GetAuthorizationToken is given for the registry or not at all.');
  }
}

/**
 * Whether CDK puts a boundary of the organisation's on every role (context `@aws-cdk/core:permissionsBoundary`), in place
 * of the one above. A role has one boundary, so its restriction is then held by denials.
 */
const boundaryIsReplaced = (scope: Construct) =>
  scope.node.tryGetContext(PERMISSIONS_BOUNDARY_CONTEXT_KEY) !== undefined;

/** Denies everything that these statements do not allow: other actions, and their actions on other resources. */
export function denyOthers(allowed: readonly PolicyStatement[]): PolicyStatement[] {
  const resourcesOf = new Map<string, Set<string>>();
  for (const statement of allowed)
    for (const action of statement.actions)
      resourcesOf.set(action, new Set([...(resourcesOf.get(action) ?? []), ...statement.resources]));
  const groups = new Map<string, { actions: string[]; resources: string[] }>();
  for (const [action, set] of resourcesOf) {
    const resources = [...set];
    if (resources.includes('*')) continue;
    const group = groups.get(resources.join(' ')) ?? { actions: [], resources };
    group.actions.push(action);
    groups.set(resources.join(' '), group);
  }
  return [
    new PolicyStatement({ effect: Effect.DENY, notActions: [...resourcesOf.keys()], resources: ['*'] }),
    ...[...groups.values()].map(
      ({ actions, resources }) => new PolicyStatement({ effect: Effect.DENY, actions, notResources: resources }),
    ),
  ];
}

/** The resources of publications and caches. */
const TREES = ['__deployments/*', '__cache/*'];
/**
 * Written by builders of d91163f and before, which run for an hour at most after the update from that version; no session
 * of this version has a right on it. Can go with the next release: by then such a builder has ended, and who updates from
 * d91163f past this release has builds under way tried again.
 */
const EARLIER_TREE = '__outputs/*';

/** But for what earlier builders need, kept equal in shape to `sessionPolicy` of build-worker: a test checks every session policy against this union. */
function unionOfBuilds({ bucket, userImages, kafka }: BuildRoleProps): PolicyStatement[] {
  return [
    new PolicyStatement({
      sid: 'PublishSites',
      actions: ['s3:GetObject', 's3:PutObject', 's3:DeleteObject', 's3:AbortMultipartUpload'],
      resources: TREES.map((tree) => bucket.arnForObjects(tree)),
    }),
    new PolicyStatement({
      sid: 'PromoteSitesOfEarlierBuilders',
      actions: ['s3:PutObject', 's3:DeleteObject'],
      resources: [bucket.arnForObjects(EARLIER_TREE)],
    }),
    new PolicyStatement({
      sid: 'ListSites',
      actions: ['s3:ListBucket'],
      resources: [bucket.bucketArn],
    }),
    new PolicyStatement({ sid: 'RegistryLogin', actions: ['ecr:GetAuthorizationToken'], resources: ['*'] }),
    new PolicyStatement({
      sid: 'PushImages',
      actions: [
        'ecr:BatchCheckLayerAvailability',
        'ecr:BatchGetImage',
        'ecr:CompleteLayerUpload',
        'ecr:DescribeImages',
        'ecr:DescribeRepositories',
        'ecr:InitiateLayerUpload',
        'ecr:PutImage',
        'ecr:UploadLayerPart',
      ],
      resources: [userImages.repositoryArn],
    }),
    ...kafka.writeStatements(BUILDER_TOPICS),
  ];
}
