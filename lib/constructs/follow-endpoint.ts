import { Duration } from 'aws-cdk-lib';
import { EndpointType, LambdaIntegration, ResponseTransferMode, RestApi } from 'aws-cdk-lib/aws-apigateway';
import { Construct } from 'constructs';
import type { Config } from '../config.ts';
import { acknowledgeFindings } from './acknowledge.ts';
import type { StageSettings } from './stage-settings.ts';
import type { VerenFunction } from './veren-function.ts';

export interface FollowEndpointProps {
  readonly settings: StageSettings;
  readonly throttle: Pick<Config['api'], 'requestsPerSecond' | 'burst'>;
  readonly streamer: VerenFunction;
}

/** A stream ends by itself after two minutes; this is for one that does not. */
export const STREAM_LIMIT = Duration.minutes(3);

const STAGE_NAME = 'live';

/**
 * `GET /deployments/{id}/logs` as a stream: a REST API, since HTTP APIs do not stream. It invokes the function by
 * `InvokeWithResponseStream`, which works for functions in a VPC, where function URLs do not stream; docs/decisions/cdk-log-following.md.
 */
export class FollowEndpoint extends Construct {
  readonly url: string;

  constructor(scope: Construct, id: string, { settings, throttle, streamer }: FollowEndpointProps) {
    super(scope, id);
    const api = new RestApi(this, 'Api', {
      restApiName: `veren-${settings.stage}-follow`,
      description: 'Follows the logs of deployments',
      // Regional: an idle stream is cut after 5 minutes, at an edge-optimized endpoint after 30 seconds.
      endpointTypes: [EndpointType.REGIONAL],
      cloudWatchRole: false,
      deployOptions: {
        stageName: STAGE_NAME,
        throttlingRateLimit: throttle.requestsPerSecond,
        throttlingBurstLimit: throttle.burst,
        tracingEnabled: settings.tracing,
      },
    });
    api.root
      .addResource('deployments')
      .addResource('{id}')
      .addResource('logs')
      .addMethod(
        'GET',
        new LambdaIntegration(streamer.fn, {
          responseTransferMode: ResponseTransferMode.STREAM,
          timeout: STREAM_LIMIT,
          allowTestInvoke: false,
        }),
      );
    this.url = api.url;
    const token = 'The function checks the bearer token before the first byte, exactly as the HTTP API does.';
    acknowledgeFindings(this, {
      'AwsSolutions-APIG1':
        'Access logs of REST APIs need an account-wide CloudWatch role, which one application must not set for the account; the function logs every stream.',
      'AwsSolutions-APIG2': 'There is no body, and the function validates the id and the resume position.',
      'AwsSolutions-APIG3': 'The stage is throttled; docs/operations.md says how to add a web ACL.',
      'AwsSolutions-APIG4': token,
      'AwsSolutions-APIG6': 'As for access logs: execution logs need the account-wide role too.',
      'AwsSolutions-COG4': token,
    });
  }
}
