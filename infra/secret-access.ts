import { Stack } from 'aws-cdk-lib'
import * as iam from 'aws-cdk-lib/aws-iam'
import type * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager'
import type { Construct } from 'constructs'

/**
 * Lets the grantee read this secret, by its own policy alone. CDK's `grantRead` writes into the policy of the secret's
 * key: a cycle when the key is in the database's stack, and no permission at all when the key was imported.
 */
export function grantSecret(scope: Construct, secret: secretsmanager.ISecret, grantee: iam.IGrantable): void {
  grantee.grantPrincipal.addToPrincipalPolicy(
    new iam.PolicyStatement({
      actions: ['secretsmanager:GetSecretValue', 'secretsmanager:DescribeSecret'],
      // Secrets Manager ends an ARN with six random characters, which a secret that is known by name lacks.
      resources: [secret.secretFullArn ?? `${secret.secretArn}-??????`],
    }),
  )
  if (secret.encryptionKey === undefined) return
  const { region, urlSuffix } = Stack.of(scope)
  grantee.grantPrincipal.addToPrincipalPolicy(
    new iam.PolicyStatement({
      actions: ['kms:Decrypt'],
      resources: [secret.encryptionKey.keyArn],
      conditions: { StringEquals: { 'kms:ViaService': `secretsmanager.${region}.${urlSuffix}` } },
    }),
  )
}
