import { ACL, NAMED, OWNER } from './sql-parts.ts'

const CONVERSIONS = `SELECT 'conversion ' || ${NAMED('n.nspname', 'c.conname')}, 'conversion ' || (to_jsonb(c) - '{oid,connamespace,conowner}'::text[])::text || ${OWNER('c.conowner')}
FROM pg_conversion c JOIN pg_namespace n ON n.oid = c.connamespace WHERE c.oid >= 16384`

const TRANSFORMS = `SELECT 'transform', 'transform ' || format_type(t.trftype, NULL) || ' for ' || l.lanname || ' ' || t.trffromsql::text || ' ' || t.trftosql::text
FROM pg_transform t JOIN pg_language l ON l.oid = t.trflang`

const LANGUAGES = `SELECT 'language ' || quote_ident(l.lanname), 'language trusted ' || l.lanpltrusted || ' ' || l.lanplcallfoid::regproc::text || ' ' || l.laninline::regproc::text
  || ' ' || l.lanvalidator::regproc::text || ${OWNER('l.lanowner')} || ${ACL('l.lanacl', `'l'`, 'l.lanowner')}
FROM pg_language l`

const ACCESS_METHODS = `SELECT 'access method ' || quote_ident(a.amname), 'access method ' || a.amtype::text || ' ' || a.amhandler::text FROM pg_am a WHERE a.oid >= 16384`

const TEXT_SEARCH = [
  `SELECT 'text search configuration ' || ${NAMED('n.nspname', 'c.cfgname')}, 'text search configuration' || ${OWNER('c.cfgowner')} || ' parser ' || (SELECT prsname FROM pg_ts_parser p WHERE p.oid = c.cfgparser)
  || coalesce((SELECT string_agg(m.maptokentype || ':' || m.mapseqno || ':' || m.mapdict::regdictionary::text, ',' ORDER BY m.maptokentype, m.mapseqno) FROM pg_ts_config_map m WHERE m.mapcfg = c.oid), '')
FROM pg_ts_config c JOIN pg_namespace n ON n.oid = c.cfgnamespace WHERE c.oid >= 16384`,
  `SELECT 'text search dictionary ' || ${NAMED('n.nspname', 'd.dictname')}, 'text search dictionary' || ${OWNER('d.dictowner')} || ' template ' || (SELECT tmplname FROM pg_ts_template t WHERE t.oid = d.dicttemplate) || ' ' || coalesce(d.dictinitoption, '')
FROM pg_ts_dict d JOIN pg_namespace n ON n.oid = d.dictnamespace WHERE d.oid >= 16384`,
  `SELECT 'text search parser ' || ${NAMED('n.nspname', 'p.prsname')}, 'text search parser ' || (to_jsonb(p) - '{oid,prsnamespace}'::text[])::text
FROM pg_ts_parser p JOIN pg_namespace n ON n.oid = p.prsnamespace WHERE p.oid >= 16384`,
  `SELECT 'text search template ' || ${NAMED('n.nspname', 't.tmplname')}, 'text search template ' || (to_jsonb(t) - '{oid,tmplnamespace}'::text[])::text
FROM pg_ts_template t JOIN pg_namespace n ON n.oid = t.tmplnamespace WHERE t.oid >= 16384`,
]

const FOREIGN_DATA = [
  `SELECT 'foreign data wrapper ' || quote_ident(w.fdwname), 'foreign data wrapper ' || w.fdwhandler::regproc::text || ' ' || w.fdwvalidator::regproc::text || ${OWNER('w.fdwowner')}
  || coalesce(' options ' || array_to_string(w.fdwoptions, ','), '') || ${ACL('w.fdwacl', `'F'`, 'w.fdwowner')}
FROM pg_foreign_data_wrapper w`,
  `SELECT 'server ' || quote_ident(s.srvname), 'server ' || w.fdwname || ' ' || coalesce(s.srvtype, '') || ' ' || coalesce(s.srvversion, '') || ${OWNER('s.srvowner')}
  || coalesce(' options ' || array_to_string(s.srvoptions, ','), '') || ${ACL('s.srvacl', `'S'`, 's.srvowner')}
FROM pg_foreign_server s JOIN pg_foreign_data_wrapper w ON w.oid = s.srvfdw`,
  `SELECT 'server ' || quote_ident(m.srvname), 'user mapping for ' || CASE m.umuser WHEN 0 THEN 'public' ELSE quote_ident(pg_get_userbyid(m.umuser)) END || coalesce(' options ' || md5(array_to_string(m.umoptions, ',')), '')
FROM pg_user_mappings m`,
]

const EVENT_TRIGGERS = `SELECT 'event trigger ' || quote_ident(e.evtname), 'event trigger on ' || e.evtevent || ' ' || e.evtfoid::regproc::text || ' enabled ' || e.evtenabled::text
  || coalesce(' when ' || array_to_string(e.evttags, ','), '') || ${OWNER('e.evtowner')}
FROM pg_event_trigger e`

const PUBLICATIONS = [
  `SELECT 'publication ' || quote_ident(p.pubname), 'publication ' || (to_jsonb(p) - '{oid,pubowner}'::text[])::text || ${OWNER('p.pubowner')} FROM pg_publication p`,
  `SELECT 'publication ' || quote_ident(p.pubname), 'table ' || r.prrelid::regclass::text || coalesce(' columns ' || to_jsonb(t)::text, '')
FROM pg_publication p JOIN pg_publication_rel r ON r.prpubid = p.oid
  LEFT JOIN pg_publication_tables t ON t.pubname = p.pubname AND format('%I.%I', t.schemaname, t.tablename) = r.prrelid::regclass::text`,
]

/** From 15 on. */
const PUBLISHED_SCHEMAS = `SELECT 'publication ' || quote_ident(p.pubname), 'schema ' || s.pnnspid::regnamespace::text
FROM pg_publication p JOIN pg_publication_namespace s ON s.pnpubid = p.oid`

/** Whoever may not read the connection's text may read the rest. */
const SUBSCRIPTIONS = `SELECT 'subscription ' || quote_ident(s.subname), 'subscription ' || s.subenabled || ' ' || coalesce(s.subslotname, '') || ' ' || array_to_string(s.subpublications, ',') || ${OWNER('s.subowner')}
FROM pg_subscription s WHERE s.subdbid = (SELECT oid FROM pg_database WHERE datname = current_database())`

const DEFAULT_PRIVILEGES = `SELECT 'default privileges', 'default privileges of ' || quote_ident(pg_get_userbyid(d.defaclrole)) || coalesce(' in ' || quote_ident(n.nspname), '') || ' on ' || d.defaclobjtype::text
  || ' ' || coalesce((SELECT string_agg(i::text, ',' ORDER BY i::text) FROM unnest(d.defaclacl) i), '')
FROM pg_default_acl d LEFT JOIN pg_namespace n ON n.oid = d.defaclnamespace`

/** What was said of the system's own objects is not asked, but for the schema public and the extensions that every database begins with. */
export const COMMENT_FACTS = `SELECT 'comment on ' || o.type || ' ' || o.identity, 'comment ' || o.type || ' ' || quote_literal(d.description)
FROM pg_description d, pg_identify_object(d.classoid, d.objoid, d.objsubid) o
WHERE d.objoid >= 16384 OR d.classoid IN ('pg_namespace'::regclass, 'pg_extension'::regclass)`

const SECURITY_LABELS = `SELECT o.identity, 'label ' || l.provider || ' ' || quote_literal(l.label) FROM pg_seclabel l, pg_identify_object(l.classoid, l.objoid, l.objsubid) o`

/** Privileges on what every database has; there are about a hundred and fifty that are not the default. */
const SYSTEM_PRIVILEGES = [
  `SELECT 'system', 'function ' || p.oid::regprocedure::text || ' acl ' || (SELECT string_agg(i::text, ',' ORDER BY i::text) FROM unnest(p.proacl) i) FROM pg_proc p WHERE p.oid < 16384 AND p.proacl IS NOT NULL`,
  `SELECT 'system', 'relation ' || c.relname || ' acl ' || (SELECT string_agg(i::text, ',' ORDER BY i::text) FROM unnest(c.relacl) i) FROM pg_class c WHERE c.oid < 16384 AND c.relacl IS NOT NULL`,
]

const DATABASE = [
  `SELECT 'database', 'database' || ${OWNER('d.datdba')} || ${ACL('d.datacl', `'d'`, 'd.datdba')} || ' limit ' || d.datconnlimit FROM pg_database d WHERE d.datname = current_database()`,
  `SELECT 'database', 'setting ' || coalesce('of ' || quote_ident(r.rolname) || ' ', '') || array_to_string(s.setconfig, ',')
FROM pg_db_role_setting s LEFT JOIN pg_roles r ON r.oid = s.setrole WHERE s.setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database())`,
  `SELECT 'database', 'comment ' || quote_literal(d.description) FROM pg_shdescription d WHERE d.classoid = 'pg_database'::regclass AND d.objoid = (SELECT oid FROM pg_database WHERE datname = current_database())`,
]

/** What all databases of a server share; of a server that others use at the same time it says nothing. */
const CLUSTER = [
  `SELECT 'role ' || quote_ident(r.rolname), 'role ' || (to_jsonb(r) - '{oid,rolpassword}'::text[])::text || coalesce((SELECT ' comment ' || quote_literal(d.description) FROM pg_shdescription d
  WHERE d.classoid = 'pg_authid'::regclass AND d.objoid = r.oid), '') FROM pg_roles r WHERE r.rolname !~ '^pg_'`,
  `SELECT 'role ' || quote_ident(pg_get_userbyid(m.member)), 'member of ' || quote_ident(pg_get_userbyid(m.roleid)) || ' admin ' || m.admin_option FROM pg_auth_members m WHERE m.member >= 16384`,
]

/** One query each: group, and a line that says all of one thing. @param major - of the server */
export function otherFacts(major: number, withCluster: boolean): readonly string[] {
  return [
    CONVERSIONS,
    TRANSFORMS,
    LANGUAGES,
    ACCESS_METHODS,
    ...TEXT_SEARCH,
    ...FOREIGN_DATA,
    EVENT_TRIGGERS,
    ...PUBLICATIONS,
    ...(major >= 15 ? [PUBLISHED_SCHEMAS] : []),
    SUBSCRIPTIONS,
    DEFAULT_PRIVILEGES,
    SECURITY_LABELS,
    ...SYSTEM_PRIVILEGES,
    ...DATABASE,
    ...(withCluster ? CLUSTER : []),
  ]
}
