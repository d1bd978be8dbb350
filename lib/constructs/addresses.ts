import { Fn } from 'aws-cdk-lib';
import type { Config } from '../config.ts';

/**
 * Addresses of API Gateway and function URLs: AWS's host names, or an emulator's paths
 * (`<pathEndpoint>/execute-api/<api>/<stage>`), since no DNS server resolves an emulator's host names.
 */
export class Addresses {
  private readonly base: string | undefined;

  constructor({ pathEndpoint }: Pick<Config['api'], 'pathEndpoint'>) {
    this.base = pathEndpoint;
  }

  httpApi(onAws: string, apiId: string, stage: string): string {
    return this.base ? `${this.base}/execute-api/${apiId}/${stage}` : onAws;
  }

  webSocketApi(onAws: string, apiId: string, stage: string): string {
    return this.base ? `${this.base.replace(/^http/, 'ws')}/execute-api/${apiId}/${stage}` : onAws;
  }

  /** @param onAws `https://<id>.lambda-url.…/` */
  functionUrl(onAws: string): string {
    if (!this.base) return onAws;
    const host = Fn.select(2, Fn.split('/', onAws));
    return `${this.base}/lambda-url/${Fn.select(0, Fn.split('.', host))}/`;
  }
}
