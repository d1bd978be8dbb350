import { Stack } from 'aws-cdk-lib';
import { WebSocketApi, WebSocketStage } from 'aws-cdk-lib/aws-apigatewayv2';
import { WebSocketLambdaIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations';
import { PolicyStatement, type Role } from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import { acknowledgeFindings, acknowledgeWildcards } from './acknowledge.ts';
import type { Addresses } from './addresses.ts';
import type { StageSettings } from './stage-settings.ts';
import type { VerenFunction } from './veren-function.ts';

export interface PushEndpointProps {
  readonly settings: StageSettings;
  readonly addresses: Addresses;
}

const STAGE_NAME = 'live';

/** The WebSocket API. Its functions are attached later, since they need its address in their environment. */
export class PushEndpoint extends Construct {
  readonly api: WebSocketApi;
  /** `wss://` for clients. */
  readonly url: string;
  /** `https://`, for functions that push. */
  readonly callbackUrl: string;

  constructor(scope: Construct, id: string, { settings, addresses }: PushEndpointProps) {
    super(scope, id);
    this.api = new WebSocketApi(this, 'Api', {
      apiName: `veren-${settings.stage}-push`,
      description: 'Pushes changes of deployments to subscribers',
      routeSelectionExpression: '$request.body.action',
    });
    const stage = new WebSocketStage(this, 'Stage', {
      webSocketApi: this.api,
      stageName: STAGE_NAME,
      autoDeploy: true,
      throttle: { rateLimit: 100, burstLimit: 200 },
    });
    const { apiId } = this.api;
    this.url = addresses.webSocketApi(stage.url, apiId, STAGE_NAME);
    this.callbackUrl = addresses.httpApi(stage.callbackUrl, apiId, STAGE_NAME);
    acknowledgeFindings(this, {
      'AwsSolutions-APIG1':
        'Access logs of WebSocket APIs need an account-wide CloudWatch role, which one application must not set for the account; the function logs connects and subscribes.',
      'AwsSolutions-APIG4':
        'The function checks the bearer token at $connect and refuses the connection; later routes exist only on accepted connections.',
    });
  }

  /** Routes `$connect`, `$disconnect`, `subscribe` and all other messages to the function. */
  serveBy(fn: VerenFunction): void {
    const createIntegration = (name: string) => new WebSocketLambdaIntegration(name, fn.fn);
    this.api.addRoute('$connect', { integration: createIntegration('Connect') });
    this.api.addRoute('$disconnect', { integration: createIntegration('Disconnect') });
    this.api.addRoute('subscribe', { integration: createIntegration('Subscribe') });
    this.api.addRoute('$default', { integration: createIntegration('Other') });
  }

  /** Send to connections, and learn that they are gone. */
  grantPush(role: Role): void {
    const connections = Stack.of(this).formatArn({
      service: 'execute-api',
      resource: this.api.apiId,
      resourceName: `${STAGE_NAME}/POST/@connections/*`,
    });
    role.addToPolicy(new PolicyStatement({ actions: ['execute-api:ManageConnections'], resources: [connections] }));
    acknowledgeWildcards(
      role,
      [connections],
      'Connections have ids that are made at run time; this API and stage only.',
    );
  }
}
