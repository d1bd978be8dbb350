import {
  ApiMapping,
  type CfnStage,
  DomainName,
  HttpApi,
  HttpMethod,
  HttpStage,
  PayloadFormatVersion,
} from 'aws-cdk-lib/aws-apigatewayv2';
import { HttpLambdaIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations';
import { Certificate } from 'aws-cdk-lib/aws-certificatemanager';
import { ARecord, HostedZone, RecordTarget } from 'aws-cdk-lib/aws-route53';
import { ApiGatewayv2DomainProperties } from 'aws-cdk-lib/aws-route53-targets';
import { Construct } from 'constructs';
import type { Config } from '../config.ts';
import { acknowledgeFindings } from './acknowledge.ts';
import type { Addresses } from './addresses.ts';
import { stageLogGroup } from './log-group.ts';
import type { StageSettings } from './stage-settings.ts';
import type { VerenFunction } from './veren-function.ts';

export interface HttpEndpointProps {
  readonly settings: StageSettings;
  readonly throttle: Config['api'];
  readonly addresses: Addresses;
  readonly api: VerenFunction;
  readonly analyzer: VerenFunction;
}

/** The stage that is not part of a path. */
const STAGE_NAME = '$default';

/** The HTTP API: `POST /analyze` to repo-analyzer, everything else to the API function, payload format 2.0. */
export class HttpEndpoint extends Construct {
  readonly api: HttpApi;
  readonly url: string;

  constructor(scope: Construct, id: string, { settings, throttle, addresses, ...functions }: HttpEndpointProps) {
    super(scope, id);
    const createIntegration = (name: string, fn: VerenFunction) =>
      new HttpLambdaIntegration(name, fn.fn, { payloadFormatVersion: PayloadFormatVersion.VERSION_2_0 });
    this.api = new HttpApi(this, 'Api', {
      apiName: `veren-${settings.stage}`,
      description: 'Deployments: create, read, cancel, analyze',
      createDefaultStage: false,
      defaultIntegration: createIntegration('Everything', functions.api),
    });
    this.api.addRoutes({
      path: '/analyze',
      methods: [HttpMethod.POST],
      integration: createIntegration('Analyze', functions.analyzer),
    });
    const logs = stageLogGroup(this, 'AccessLogs', settings, `/veren/${settings.stage}/http-api`);
    const stage = new HttpStage(this, 'Stage', {
      httpApi: this.api,
      stageName: STAGE_NAME,
      autoDeploy: true,
      throttle: { rateLimit: throttle.requestsPerSecond, burstLimit: throttle.burst },
    });
    (stage.node.defaultChild as CfnStage).accessLogSettings = {
      destinationArn: logs.logGroupArn,
      // Without query and headers, which may hold private values.
      format: JSON.stringify({
        requestId: '$context.requestId',
        at: '$context.requestTimeEpoch',
        ip: '$context.identity.sourceIp',
        method: '$context.httpMethod',
        path: '$context.path',
        status: '$context.status',
        length: '$context.responseLength',
        ms: '$context.responseLatency',
        error: '$context.integrationErrorMessage',
      }),
    };
    this.url = throttle.domain
      ? this.serveAt(throttle.domain, stage)
      : addresses.httpApi(this.api.apiEndpoint, this.api.apiId, STAGE_NAME);
    acknowledgeFindings(this.api, {
      'AwsSolutions-APIG4':
        'Every route but /healthz, /openapi.json, /veren.schema.json, /docs, /github-app/created (a page that shows its own address) and /hooks, whose callers sign or show a secret, checks a bearer token in the function, where the owner that it belongs to decides what is visible; the same check runs on the laptop.',
    });
  }

  /** The API at a name of its own, with the records that point there. */
  private serveAt(domain: NonNullable<Config['api']['domain']>, stage: HttpStage): string {
    const name = new DomainName(this, 'Domain', {
      domainName: domain.name,
      certificate: Certificate.fromCertificateArn(this, 'Certificate', domain.certificateArn),
    });
    new ApiMapping(this, 'Mapping', { api: this.api, domainName: name, stage });
    const zone = HostedZone.fromHostedZoneAttributes(this, 'Zone', {
      hostedZoneId: domain.hostedZoneId,
      zoneName: domain.hostedZoneName,
    });
    const target = RecordTarget.fromAlias(
      new ApiGatewayv2DomainProperties(name.regionalDomainName, name.regionalHostedZoneId),
    );
    // API Gateway's regional names have IPv4 addresses alone.
    new ARecord(this, 'Ipv4', { zone, recordName: `${domain.name}.`, target });
    return `https://${domain.name}`;
  }
}
