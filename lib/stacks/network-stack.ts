import type { Construct } from 'constructs';
import { Network } from '../constructs/network.ts';
import { VerenStack, type VerenStackProps } from './veren-stack.ts';

/** VPC and security groups. */
export class NetworkStack extends VerenStack {
  readonly network: Network;

  constructor(scope: Construct, id: string, props: VerenStackProps) {
    super(scope, id, { description: 'Veren: network', ...props });
    this.network = new Network(this, 'Network', {
      settings: this.settings,
      network: this.config.network,
      ownKafka: this.config.kafka.kind === 'msk',
      ownRedis: this.config.redis.kind === 'valkey',
    });
  }
}
