/** A number that another version of the row has not: what a transaction writes gets its id, and a place of its own. */
const VERSION = (...rows: readonly string[]): string =>
  `hash_record_extended(ROW(${rows.map((row) => `${row}.ctid, ${row}.xmin`).join(', ')}), 0)`

/** The rows that say something of a relation, by the relation. */
const OF_RELATIONS = [
  `SELECT r.oid, ${VERSION('r')} FROM pg_class r WHERE r.oid >= 16384 AND r.relkind NOT IN ('i', 'I', 't')`,
  `SELECT r.oid, ${VERSION('t')} FROM pg_class r JOIN pg_class t ON t.oid = r.reltoastrelid WHERE r.oid >= 16384`,
  `SELECT x.indrelid, ${VERSION('x', 'i')} FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid WHERE x.indrelid >= 16384`,
  `SELECT coalesce(x.indrelid, a.attrelid), ${VERSION('a')} FROM pg_attribute a LEFT JOIN pg_index x ON x.indexrelid = a.attrelid WHERE a.attrelid >= 16384 AND a.attnum > 0`,
  `SELECT a.adrelid, ${VERSION('a')} FROM pg_attrdef a WHERE a.adrelid >= 16384`,
  `SELECT o.conrelid, ${VERSION('o')} FROM pg_constraint o WHERE o.conrelid >= 16384`,
  `SELECT g.tgrelid, ${VERSION('g')} FROM pg_trigger g WHERE g.tgrelid >= 16384`,
  `SELECT p.polrelid, ${VERSION('p')} FROM pg_policy p`,
  `SELECT r.ev_class, ${VERSION('r')} FROM pg_rewrite r WHERE r.ev_class >= 16384`,
  `SELECT coalesce(x.indrelid, i.inhrelid), ${VERSION('i')} FROM pg_inherits i LEFT JOIN pg_index x ON x.indexrelid = i.inhrelid`,
  `SELECT s.seqrelid, ${VERSION('s')} FROM pg_sequence s`,
  `SELECT f.ftrelid, ${VERSION('f')} FROM pg_foreign_table f`,
  `SELECT d.objid, ${VERSION('d')} FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass AND d.refobjsubid > 0 AND d.deptype IN ('a', 'i')`,
]

const COMMENTS = `SELECT 1::oid, ${VERSION('d')} FROM pg_description d WHERE d.objoid >= 16384 OR d.classoid IN ('pg_namespace'::regclass, 'pg_extension'::regclass)`

/** Catalogs whose own rows from `initdb` are of no interest. */
const USER_ROWS = [
  'pg_cast',
  'pg_operator',
  'pg_opclass',
  'pg_opfamily',
  'pg_amop',
  'pg_amproc',
  'pg_conversion',
  'pg_collation',
  'pg_am',
  'pg_ts_config',
  'pg_ts_dict',
  'pg_ts_parser',
  'pg_ts_template',
]

const ALL_ROWS = [
  'pg_extension',
  'pg_enum',
  'pg_range',
  'pg_language',
  'pg_transform',
  'pg_foreign_data_wrapper',
  'pg_foreign_server',
  'pg_event_trigger',
  'pg_publication',
  'pg_publication_rel',
  'pg_default_acl',
  'pg_seclabel',
  'pg_statistic_ext',
  'pg_db_role_setting',
]

/** What all databases of a server share. */
const CLUSTER_ROWS = ['pg_authid', 'pg_auth_members', 'pg_tablespace']

/** Everything but relations and comments, in which changes are rare. */
function ofTheRest(major: number, withCluster: boolean): readonly string[] {
  const all = [
    ...ALL_ROWS,
    ...(withCluster ? CLUSTER_ROWS : []),
    ...(major >= 15 ? ['pg_publication_namespace'] : []),
    ...(withCluster && major >= 15 ? ['pg_parameter_acl'] : []),
  ]
  return [
    ...USER_ROWS.map((name) => `SELECT ${VERSION('t')} FROM ${name} t WHERE t.oid >= 16384`),
    ...all.map((name) => `SELECT ${VERSION('t')} FROM ${name} t`),
    `SELECT ${VERSION('p')} FROM pg_proc p WHERE p.oid >= 16384 OR p.proacl IS NOT NULL`,
    `SELECT ${VERSION('a')} FROM pg_aggregate a WHERE a.aggfnoid >= 16384`,
    `SELECT ${VERSION('t')} FROM pg_type t LEFT JOIN pg_class c ON c.oid = t.typrelid WHERE t.oid >= 16384 AND (c.oid IS NULL OR c.relkind = 'c') AND NOT (t.typcategory = 'A' AND t.typelem <> 0) OR t.typacl IS NOT NULL`,
    `SELECT ${VERSION('n')} FROM pg_namespace n WHERE n.nspname !~ '^pg_(temp|toast)'`,
    `SELECT ${VERSION('o')} FROM pg_constraint o WHERE o.conrelid = 0`,
    `SELECT ${VERSION('d')} FROM pg_depend d WHERE d.deptype IN ('e', 'x')`,
    `SELECT ${VERSION('c')} FROM pg_class c WHERE c.oid < 16384 AND c.relacl IS NOT NULL`,
    `SELECT ${VERSION('m')} FROM pg_ts_config_map m WHERE m.mapcfg >= 16384`,
    `SELECT ${VERSION('d')} FROM pg_database d WHERE d.datname = current_database()`,
    `SELECT ${VERSION('d')} FROM pg_shdescription d`,
    // Not everybody may read the tables behind these.
    `SELECT hashtextextended(u::text, 0) FROM pg_user_mappings u`,
    `SELECT hashtextextended(concat_ws(' ', s.oid, s.subname, s.subowner, s.subenabled, s.subbinary, s.substream, s.subsynccommit, s.subslotname, s.subpublications), 0) FROM pg_subscription s`,
  ]
}

/** Stands for everything that is neither a relation nor a comment. */
export const REST = '0'
export const COMMENTS_KEY = '1'

/** Rows of `key` (a relation's id, {@link COMMENTS_KEY} or {@link REST}) and `stamp`, which changes whenever the thing is written. */
export function stampsSql(major: number, withCluster: boolean): string {
  const rest = ofTheRest(major, withCluster).map((sql) => `SELECT 0::oid, h FROM (${sql}) AS s(h)`)
  return `SELECT s.key::text AS key, sum(s.h)::text AS stamp FROM (${[...OF_RELATIONS, COMMENTS, ...rest].join('\nUNION ALL\n')}) AS s(key, h) GROUP BY s.key`
}
