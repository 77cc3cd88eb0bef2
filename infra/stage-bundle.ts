import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Names, Stage } from 'aws-cdk-lib'
import * as lambda from 'aws-cdk-lib/aws-lambda'
import { DISABLE_ASSET_STAGING_CONTEXT } from 'aws-cdk-lib/cx-api'
import type { Construct } from 'constructs'
import { bundleFunction, type BundleOptions } from './bundle.ts'

/**
 * Writes the bundle and gives it to `use` as code; CDK copies it into the cloud assembly when a function takes it.
 * With `--no-staging` CDK refers to the directory itself, so it then stays, inside the assembly.
 */
export function withStagedBundle<T>(
  scope: Construct,
  options: Omit<BundleOptions, 'outdir'>,
  use: (code: lambda.Code) => T,
): T {
  if (scope.node.tryGetContext(DISABLE_ASSET_STAGING_CONTEXT) !== undefined) {
    const outdir = join(Stage.of(scope)?.assetOutdir ?? tmpdir(), `lockstep.${Names.uniqueId(scope)}`)
    rmSync(outdir, { recursive: true, force: true })
    bundleFunction({ ...options, outdir })
    return use(lambda.Code.fromAsset(outdir))
  }
  const outdir = mkdtempSync(join(tmpdir(), 'lockstep-bundle-'))
  try {
    bundleFunction({ ...options, outdir })
    return use(lambda.Code.fromAsset(outdir))
  } finally {
    rmSync(outdir, { recursive: true, force: true })
  }
}
