import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { bundleMigrations } from './bundle-migrations.ts'
import { bundleRuntime } from './bundle-runtime.ts'
import type { MigrationSet } from './migration-set.ts'

export { MIGRATIONS_FOLDER } from './bundle-migrations.ts'

/** File of the bundle that holds the certificates to trust beside those of RDS. */
export const CERTIFICATE_AUTHORITY_FILE = 'certificate-authority.pem'

export interface BundleOptions {
  readonly migrations: MigrationSet
  /** Where to write; made when missing. */
  readonly outdir: string
  /** PEM text. @default none */
  readonly certificateAuthority?: string | undefined
}

/**
 * Writes everything that the function needs to run, so that the asset stands alone: no layer, no `node_modules`.
 * The same inputs give the same bytes.
 *
 * @throws LockstepError `MIGRATION_INVALID` for a TypeScript migration that cannot be compiled.
 */
export function bundleFunction({ migrations, outdir, certificateAuthority }: BundleOptions): void {
  const files = [...bundleRuntime(), ...bundleMigrations(migrations)]
  for (const { path, contents } of files) write(join(outdir, path), contents)
  if (certificateAuthority !== undefined) write(join(outdir, CERTIFICATE_AUTHORITY_FILE), certificateAuthority)
}

function write(path: string, contents: string | Uint8Array): void {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, contents)
}
