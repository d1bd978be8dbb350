import { Key } from 'aws-cdk-lib/aws-kms';
import { type ISecret, Secret } from 'aws-cdk-lib/aws-secretsmanager';
import type { Construct } from 'constructs';

/**
 * A secret that exists already.
 * @param keyArn the customer-managed key that encrypts it; readers also need the right to decrypt with it
 */
export const givenSecret = (scope: Construct, id: string, secretArn: string, keyArn: string | undefined): ISecret =>
  Secret.fromSecretAttributes(scope, id, {
    secretCompleteArn: secretArn,
    ...(keyArn !== undefined && { encryptionKey: Key.fromKeyArn(scope, `${id}Key`, keyArn) }),
  });
