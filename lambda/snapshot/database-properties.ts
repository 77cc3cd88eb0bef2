import type pg from 'pg'
import { quoteIdentifier, quoteLiteral } from '../engine/database.ts'

/** What belongs to the database itself, which pg_dump leaves out unless it also creates the database. */
export interface DatabaseProperties {
  readonly name: string
  readonly owner: string
  readonly encoding: string
  readonly locale: DatabaseLocale
  /** -1: no limit. */
  readonly connectionLimit: number
  readonly comment: string | null
  /** Null: the default permissions. */
  readonly permissions: readonly DatabasePermission[] | null
  readonly settings: readonly DatabaseSetting[]
}

export interface DatabaseLocale {
  readonly provider: 'libc' | 'icu' | 'builtin'
  readonly collate: string
  readonly ctype: string
  /** The ICU or built-in locale; null for libc. */
  readonly name: string | null
  readonly icuRules: string | null
}

export interface DatabasePermission {
  /** Null: PUBLIC. */
  readonly role: string | null
  readonly privileges: readonly string[]
  readonly grantable: boolean
}

/** One `ALTER DATABASE … SET`, or `ALTER ROLE … IN DATABASE … SET`. */
export interface DatabaseSetting {
  /** Null: for everybody. */
  readonly role: string | null
  readonly name: string
  readonly value: string
}

// As jsonb, so that one query serves every version: the locale's column has had three names.
const PROPERTIES = `
  SELECT d.datname::text AS name, pg_catalog.pg_get_userbyid(d.datdba)::text AS owner,
         pg_catalog.pg_encoding_to_char(d.encoding)::text AS encoding, pg_catalog.to_jsonb(d) AS raw,
         pg_catalog.shobj_description(d.oid, 'pg_database') AS comment
    FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database()`

const PERMISSIONS = `
  SELECT CASE a.grantee WHEN 0 THEN NULL ELSE pg_catalog.pg_get_userbyid(a.grantee)::text END AS role,
         pg_catalog.array_agg(a.privilege_type ORDER BY a.privilege_type) AS privileges,
         a.is_grantable AS grantable
    FROM pg_catalog.pg_database d, pg_catalog.aclexplode(d.datacl) a
   WHERE d.datname = pg_catalog.current_database() GROUP BY a.grantee, a.is_grantable ORDER BY 1 NULLS FIRST, 3`

const SETTINGS = `
  SELECT r.rolname::text AS role, pg_catalog.split_part(setting, '=', 1) AS name,
         pg_catalog.substr(setting, pg_catalog.strpos(setting, '=') + 1) AS value
    FROM pg_catalog.pg_db_role_setting s
    JOIN pg_catalog.pg_database d ON d.oid = s.setdatabase AND d.datname = pg_catalog.current_database()
    LEFT JOIN pg_catalog.pg_roles r ON r.oid = s.setrole
    CROSS JOIN LATERAL pg_catalog.unnest(s.setconfig) WITH ORDINALITY AS entry (setting, position)
   ORDER BY r.rolname NULLS FIRST, position`

interface PropertiesRow {
  readonly name: string
  readonly owner: string
  readonly encoding: string
  readonly comment: string | null
  readonly raw: Readonly<Record<string, unknown>>
}

/** Reads the properties of the database that the session is in. */
export async function readDatabaseProperties(client: pg.Client): Promise<DatabaseProperties> {
  const row = (await client.query<PropertiesRow>(PROPERTIES)).rows[0]
  if (row === undefined) throw new Error('the database is not in pg_database')
  const permissions = (await client.query<DatabasePermission>(PERMISSIONS)).rows
  const settings = (await client.query<DatabaseSetting>(SETTINGS)).rows
  return {
    name: row.name,
    owner: row.owner,
    encoding: row.encoding,
    locale: localeOf(row.raw),
    connectionLimit: Number(row.raw['datconnlimit'] ?? -1),
    comment: row.comment,
    permissions: row.raw['datacl'] === null ? null : permissions,
    settings,
  }
}

const PROVIDERS: Readonly<Record<string, DatabaseLocale['provider']>> = { c: 'libc', i: 'icu', b: 'builtin' }

function localeOf(raw: Readonly<Record<string, unknown>>): DatabaseLocale {
  const text = (key: string): string | null => (typeof raw[key] === 'string' ? raw[key] : null)
  return {
    provider: PROVIDERS[text('datlocprovider') ?? 'c'] ?? 'libc',
    collate: text('datcollate') ?? 'C',
    ctype: text('datctype') ?? 'C',
    name: text('datlocale') ?? text('daticulocale'),
    icuRules: text('daticurules'),
  }
}

// The first version with LOCALE_PROVIDER; a cluster's templates may be of another provider than the original.
const HAS_PROVIDERS = 150_000

/** `CREATE DATABASE`, empty, with the owner, encoding and locale of the original, for a server of that version. */
export function createDatabaseSql(properties: DatabaseProperties, name: string, serverVersion: number): string {
  const { locale } = properties
  const provided = {
    libc: serverVersion < HAS_PROVIDERS ? '' : ' LOCALE_PROVIDER libc',
    icu: ` LOCALE_PROVIDER icu ICU_LOCALE ${literal(locale.name ?? 'und')}${locale.icuRules === null ? '' : ` ICU_RULES ${literal(locale.icuRules)}`}`,
    builtin: ` LOCALE_PROVIDER builtin BUILTIN_LOCALE ${literal(locale.name ?? 'C')}`,
  }[locale.provider]
  return (
    `CREATE DATABASE ${quoteIdentifier(name)} WITH TEMPLATE template0 OWNER ${quoteIdentifier(properties.owner)}` +
    ` ENCODING ${literal(properties.encoding)} LC_COLLATE ${literal(locale.collate)} LC_CTYPE ${literal(locale.ctype)}` +
    provided
  )
}

function literal(text: string): string {
  return quoteLiteral(text).trimStart()
}
