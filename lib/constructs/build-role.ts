import { Duration } from 'aws-cdk-lib';
import type { IRepository } from 'aws-cdk-lib/aws-ecr';
import { ArnPrincipal, type IRole, ManagedPolicy, PolicyDocument, PolicyStatement, Role } from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import { TOPICS } from '../../contract/names.ts';
import { acknowledgeWildcards } from './acknowledge.ts';
import type { ArtifactBucket } from './artifact-bucket.ts';
import type { KafkaAccess } from './kafka.ts';
import { accountWideName, type StageSettings } from './stage-settings.ts';

export interface BuildRoleProps {
  readonly settings: StageSettings;
  /** The one role that may assume it: the build-worker's. */
  readonly assumedBy: IRole;
  readonly bucket: ArtifactBucket;
  readonly userImages: IRepository;
  readonly kafka: KafkaAccess;
}

/**
 * The role behind the credentials of a build. What it may do is the *union* of what builds may do; the session policy that
 * build-worker passes to AssumeRole narrows it to one project. The same union is its permissions boundary, so a policy that
 * somebody attaches later widens nothing.
 */
export class BuildRole extends Construct {
  readonly role: Role;

  /** Fixed, so that build-worker can be told of the role before it exists. */
  static roleName(settings: StageSettings): string {
    return accountWideName(settings, 'build');
  }

  constructor(scope: Construct, id: string, props: BuildRoleProps) {
    super(scope, id);
    const statements = () => unionOfBuilds(props);
    const boundary = new ManagedPolicy(this, 'Boundary', {
      description: 'The most that any build may do',
      document: new PolicyDocument({ statements: statements() }),
    });
    this.role = new Role(this, 'Role', {
      roleName: BuildRole.roleName(props.settings),
      description: 'Credentials of single builds, narrowed by a session policy',
      assumedBy: new ArnPrincipal(props.assumedBy.roleArn),
      // Role chaining (a function's role assumes this one) ends after an hour in any case.
      maxSessionDuration: Duration.hours(1),
      permissionsBoundary: boundary,
      inlinePolicies: { builds: new PolicyDocument({ statements: statements() }) },
    });
    props.assumedBy.addToPrincipalPolicy(
      new PolicyStatement({ sid: 'MintBuildCredentials', actions: ['sts:AssumeRole'], resources: [this.role.roleArn] }),
    );
    acknowledgeWildcards(
      this,
      TREES.map((tree) => props.bucket.arnForObjects(tree)),
      'The union over all projects; every session is narrowed to one project by its session policy.',
    );
    acknowledgeWildcards(this, ['*'], 'ecr:GetAuthorizationToken is given for the registry or not at all.');
  }
}

/** What builds publish to and keep caches in. */
const TREES = ['__outputs/*', '__deployments/*', '__cache/*'];

/** Kept equal in shape to `sessionPolicy` of build-worker: a test holds every session policy to this union. */
function unionOfBuilds({ bucket, userImages, kafka }: BuildRoleProps): PolicyStatement[] {
  return [
    new PolicyStatement({
      sid: 'PublishSites',
      actions: ['s3:GetObject', 's3:PutObject', 's3:DeleteObject', 's3:AbortMultipartUpload'],
      resources: TREES.map((tree) => bucket.arnForObjects(tree)),
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
    ...kafka.writeStatements(Object.values(TOPICS)),
  ];
}
