import { GRANTED, NAMED, OPTIONS, type Fact } from './sql-parts.ts'

const CONVERSIONS: Fact = ({
  counts,
  owner,
}) => `SELECT 'conversion ' || ${NAMED('n.nspname', 'c.conname')}, 'conversion ' || (to_jsonb(c) - '{oid,connamespace,conowner}'::text[])::text || ${owner('c.conowner')}
FROM pg_conversion c JOIN pg_namespace n ON n.oid = c.connamespace WHERE c.oid >= 16384 AND ${counts('pg_conversion', 'c.oid')}`

const TRANSFORMS: Fact = ({
  counts,
}) => `SELECT 'transform', 'transform ' || format_type(t.trftype, NULL) || ' for ' || l.lanname || ' ' || t.trffromsql::text || ' ' || t.trftosql::text
FROM pg_transform t JOIN pg_language l ON l.oid = t.trflang WHERE ${counts('pg_transform', 't.oid')}`

const LANGUAGES: Fact = ({
  acl,
  counts,
  owner,
}) => `SELECT 'language ' || quote_ident(l.lanname), 'language trusted ' || l.lanpltrusted || ' ' || l.lanplcallfoid::regproc::text || ' ' || l.laninline::regproc::text
  || ' ' || l.lanvalidator::regproc::text || ${owner('l.lanowner')} || ${acl('l.lanacl', `'l'`, 'l.lanowner')}
FROM pg_language l WHERE ${counts('pg_language', 'l.oid')}`

const ACCESS_METHODS: Fact = ({ counts }) =>
  `SELECT 'access method ' || quote_ident(a.amname), 'access method ' || a.amtype::text || ' ' || a.amhandler::text FROM pg_am a WHERE a.oid >= 16384 AND ${counts('pg_am', 'a.oid')}`

const TEXT_SEARCH: readonly Fact[] = [
  ({
    counts,
    owner,
  }) => `SELECT 'text search configuration ' || ${NAMED('n.nspname', 'c.cfgname')}, 'text search configuration' || ${owner('c.cfgowner')} || ' parser ' || (SELECT prsname FROM pg_ts_parser p WHERE p.oid = c.cfgparser)
  || coalesce((SELECT string_agg(m.maptokentype || ':' || m.mapseqno || ':' || m.mapdict::regdictionary::text, ',' ORDER BY m.maptokentype, m.mapseqno) FROM pg_ts_config_map m WHERE m.mapcfg = c.oid), '')
FROM pg_ts_config c JOIN pg_namespace n ON n.oid = c.cfgnamespace WHERE c.oid >= 16384 AND ${counts('pg_ts_config', 'c.oid')}`,
  ({
    counts,
    owner,
  }) => `SELECT 'text search dictionary ' || ${NAMED('n.nspname', 'd.dictname')}, 'text search dictionary' || ${owner('d.dictowner')} || ' template ' || (SELECT tmplname FROM pg_ts_template t WHERE t.oid = d.dicttemplate) || ' ' || coalesce(d.dictinitoption, '')
FROM pg_ts_dict d JOIN pg_namespace n ON n.oid = d.dictnamespace WHERE d.oid >= 16384 AND ${counts('pg_ts_dict', 'd.oid')}`,
  ({
    counts,
  }) => `SELECT 'text search parser ' || ${NAMED('n.nspname', 'p.prsname')}, 'text search parser ' || (to_jsonb(p) - '{oid,prsnamespace}'::text[])::text
FROM pg_ts_parser p JOIN pg_namespace n ON n.oid = p.prsnamespace WHERE p.oid >= 16384 AND ${counts('pg_ts_parser', 'p.oid')}`,
  ({
    counts,
  }) => `SELECT 'text search template ' || ${NAMED('n.nspname', 't.tmplname')}, 'text search template ' || (to_jsonb(t) - '{oid,tmplnamespace}'::text[])::text
FROM pg_ts_template t JOIN pg_namespace n ON n.oid = t.tmplnamespace WHERE t.oid >= 16384 AND ${counts('pg_ts_template', 't.oid')}`,
]

const FOREIGN_DATA: readonly Fact[] = [
  ({
    acl,
    counts,
    owner,
  }) => `SELECT 'foreign data wrapper ' || quote_ident(w.fdwname), 'foreign data wrapper ' || w.fdwhandler::regproc::text || ' ' || w.fdwvalidator::regproc::text || ${owner('w.fdwowner')}
  || coalesce(' options ' || ${OPTIONS('w.fdwoptions')}, '') || ${acl('w.fdwacl', `'F'`, 'w.fdwowner')}
FROM pg_foreign_data_wrapper w WHERE ${counts('pg_foreign_data_wrapper', 'w.oid')}`,
  ({
    acl,
    counts,
    owner,
  }) => `SELECT 'server ' || quote_ident(s.srvname), 'server ' || w.fdwname || ' ' || coalesce(s.srvtype, '') || ' ' || coalesce(s.srvversion, '') || ${owner('s.srvowner')}
  || coalesce(' options ' || ${OPTIONS('s.srvoptions')}, '') || ${acl('s.srvacl', `'S'`, 's.srvowner')}
FROM pg_foreign_server s JOIN pg_foreign_data_wrapper w ON w.oid = s.srvfdw WHERE ${counts('pg_foreign_server', 's.oid')}`,
]

/** With a secret, and so another in each environment. */
const USER_MAPPINGS: Fact =
  () => `SELECT 'server ' || quote_ident(m.srvname), 'user mapping for ' || CASE m.umuser WHEN 0 THEN 'public' ELSE quote_ident(pg_get_userbyid(m.umuser)) END || coalesce(' options ' || md5(${OPTIONS('m.umoptions')}), '')
FROM pg_user_mappings m`

const EVENT_TRIGGERS: Fact = ({
  counts,
  owner,
}) => `SELECT 'event trigger ' || quote_ident(e.evtname), 'event trigger on ' || e.evtevent || ' ' || e.evtfoid::regproc::text || ' enabled ' || e.evtenabled::text
  || coalesce(' when ' || array_to_string(e.evttags, ','), '') || ${owner('e.evtowner')}
FROM pg_event_trigger e WHERE ${counts('pg_event_trigger', 'e.oid', 'e.evtowner')}`

const PUBLICATIONS: Fact = ({ owner }) =>
  `SELECT 'publication ' || quote_ident(p.pubname), 'publication ' || (to_jsonb(p) - '{oid,pubowner}'::text[])::text || ${owner('p.pubowner')} FROM pg_publication p`

/** From 15 on a table may be published in part. Without a list also the columns that come later are. */
const PUBLISHED_TABLES = (major: number): Fact => {
  const part =
    major < 15
      ? ''
      : ` || coalesce(' columns ' || (SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum) FROM pg_attribute a
    WHERE a.attrelid = r.prrelid AND a.attnum = ANY (r.prattrs::smallint[])), '') || coalesce(' where ' || pg_get_expr(r.prqual, r.prrelid), '')`
  return () => `SELECT 'publication ' || quote_ident(p.pubname), 'table ' || r.prrelid::regclass::text${part}
FROM pg_publication p JOIN pg_publication_rel r ON r.prpubid = p.oid`
}

/** From 15 on. */
const PUBLISHED_SCHEMAS: Fact =
  () => `SELECT 'publication ' || quote_ident(p.pubname), 'schema ' || s.pnnspid::regnamespace::text
FROM pg_publication p JOIN pg_publication_namespace s ON s.pnpubid = p.oid`

/** Whoever may not read the connection's text may read the rest. */
const SUBSCRIPTIONS: Fact = ({
  owner,
}) => `SELECT 'subscription ' || quote_ident(s.subname), 'subscription ' || concat_ws(' ', s.subenabled, s.subbinary, s.substream, s.subsynccommit, s.subslotname) || ' ' || ${OPTIONS('s.subpublications')} || ${owner('s.subowner')}
FROM pg_subscription s WHERE s.subdbid = (SELECT oid FROM pg_database WHERE datname = current_database())`

const DEFAULT_PRIVILEGES: Fact =
  () => `SELECT 'default privileges', 'default privileges of ' || quote_ident(pg_get_userbyid(d.defaclrole)) || coalesce(' in ' || quote_ident(n.nspname), '') || ' on ' || d.defaclobjtype::text
  || ' ' || coalesce(${GRANTED('d.defaclacl')}, '')
FROM pg_default_acl d LEFT JOIN pg_namespace n ON n.oid = d.defaclnamespace`

/** What was said of the system's own objects is not asked, but for the schema public and the extensions that every database begins with. */
export const COMMENTS: Fact = ({
  commented,
}) => `SELECT 'comment on ' || o.type || ' ' || o.identity, 'comment ' || o.type || ' ' || quote_literal(d.description)
FROM pg_description d, pg_identify_object(d.classoid, d.objoid, d.objsubid) o
WHERE (d.objoid >= 16384 OR d.classoid IN ('pg_namespace'::regclass, 'pg_extension'::regclass)) AND ${commented}`

const SECURITY_LABELS: Fact = () =>
  `SELECT 'label on ' || o.type || ' ' || o.identity, 'label ' || l.provider || ' ' || quote_literal(l.label) FROM pg_seclabel l, pg_identify_object(l.classoid, l.objoid, l.objsubid) o`

/** Privileges on what every database has; there are about a hundred and fifty that are not the default. */
const SYSTEM_PRIVILEGES: readonly Fact[] = [
  () =>
    `SELECT 'system', 'function ' || p.oid::regprocedure::text || ' acl ' || ${GRANTED('p.proacl')} FROM pg_proc p WHERE p.oid < 16384 AND p.proacl IS NOT NULL`,
  () =>
    `SELECT 'system', 'relation ' || c.relname || ' acl ' || ${GRANTED('c.relacl')} FROM pg_class c WHERE c.oid < 16384 AND c.relacl IS NOT NULL`,
  () =>
    `SELECT 'system', 'type ' || format_type(t.oid, NULL) || ' acl ' || ${GRANTED('t.typacl')} FROM pg_type t WHERE t.oid < 16384 AND t.typacl IS NOT NULL`,
]

const DATABASE: readonly Fact[] = [
  ({ acl, owner }) =>
    `SELECT 'database', 'database' || ${owner('d.datdba')} || ${acl('d.datacl', `'d'`, 'd.datdba')} || ' limit ' || d.datconnlimit FROM pg_database d WHERE d.datname = current_database()`,
  () => `SELECT 'database', 'setting ' || coalesce('of ' || quote_ident(r.rolname) || ' ', '') || ${OPTIONS('s.setconfig')}
FROM pg_db_role_setting s LEFT JOIN pg_roles r ON r.oid = s.setrole WHERE s.setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database())`,
  () =>
    `SELECT 'database', 'comment ' || quote_literal(d.description) FROM pg_shdescription d WHERE d.classoid = 'pg_database'::regclass AND d.objoid = (SELECT oid FROM pg_database WHERE datname = current_database())`,
]

/** What all databases of a server share; of a server that others use at the same time it says nothing. */
const CLUSTER: readonly Fact[] = [
  () => `SELECT 'role ' || quote_ident(r.rolname), 'role ' || (to_jsonb(r) - '{oid,rolpassword}'::text[])::text || CASE WHEN u.rolpassword IS NULL THEN '' ELSE ' with a password' END
  || coalesce((SELECT ' comment ' || quote_literal(d.description) FROM pg_shdescription d
    WHERE d.classoid = 'pg_authid'::regclass AND d.objoid = r.oid), '') FROM pg_roles r JOIN pg_authid u ON u.oid = r.oid WHERE r.rolname !~ '^pg_'`,
  () => `SELECT 'role ' || quote_ident(pg_get_userbyid(m.member)), 'member of ' || quote_ident(pg_get_userbyid(m.roleid)) || ' ' || (to_jsonb(m) - '{oid,roleid,member,grantor}'::text[])::text
FROM pg_auth_members m`,
  () =>
    `SELECT 'settings of all roles', 'setting of all roles ' || ${OPTIONS('s.setconfig')} FROM pg_db_role_setting s WHERE s.setdatabase = 0 AND s.setrole = 0`,
  ({ acl, owner }) =>
    `SELECT 'tablespace ' || quote_ident(s.spcname), 'tablespace' || ${owner('s.spcowner')} || ${acl('s.spcacl', `'t'`, 's.spcowner')} || coalesce(' with ' || ${OPTIONS('s.spcoptions')}, '') FROM pg_tablespace s`,
]

/** From 15 on. */
const PARAMETERS: Fact = () =>
  `SELECT 'privileges on parameter ' || a.parname, 'parameter ' || a.parname || ' acl ' || ${GRANTED('a.paracl')} FROM pg_parameter_acl a`

/** One query each: group, and a line that says all of one thing. @param major - of the server */
export function otherFacts(major: number): readonly Fact[] {
  return [
    CONVERSIONS,
    TRANSFORMS,
    LANGUAGES,
    ACCESS_METHODS,
    ...TEXT_SEARCH,
    ...FOREIGN_DATA,
    EVENT_TRIGGERS,
    PUBLICATIONS,
    PUBLISHED_TABLES(major),
    ...(major >= 15 ? [PUBLISHED_SCHEMAS] : []),
    SECURITY_LABELS,
  ]
}

/** What an environment gives its database. */
export function surroundingFacts(major: number, withCluster: boolean): readonly Fact[] {
  return [
    USER_MAPPINGS,
    SUBSCRIPTIONS,
    DEFAULT_PRIVILEGES,
    ...SYSTEM_PRIVILEGES,
    ...DATABASE,
    ...(withCluster ? CLUSTER : []),
    ...(withCluster && major >= 15 ? [PARAMETERS] : []),
  ]
}
