import { GRANTED, NAMED, NOT_TEMPORARY, OPTIONS, type Parts } from './sql-parts.ts'

/** With `c` for the relation and `n` for its schema. */
interface RelationParts extends Parts {
  /** A condition: which relations are asked for. */
  readonly chosen: string
}

/** One query: the relation's id, its name, and a line that says all of one thing. */
type RelationFact = (parts: RelationParts) => string

const PERSISTENCE = `CASE c.relpersistence WHEN 'u' THEN ' unlogged' WHEN 't' THEN ' temporary' ELSE '' END`

const KIND = `CASE c.relkind WHEN 'r' THEN 'table' WHEN 'p' THEN 'partitioned table' WHEN 'v' THEN 'view'
  WHEN 'm' THEN 'materialized view' WHEN 'f' THEN 'foreign table' WHEN 'c' THEN 'composite type' WHEN 'S' THEN 'sequence'
  WHEN 'i' THEN 'index' WHEN 'I' THEN 'partitioned index' ELSE c.relkind::text END`

/** Tables, views, sequences and composite types as such, without what hangs on them. */
const RELATIONS: RelationFact = ({ acl, chosen, inFull, owner }) => `SELECT c.oid, ${NAMED('n.nspname', 'c.relname')},
  ${KIND} || ' ' || ${NAMED('n.nspname', 'c.relname')} || ${PERSISTENCE} || ${owner('c.relowner')}
  || coalesce(' with ' || ${OPTIONS('c.reloptions')}, '') || coalesce(' toast ' || ${OPTIONS('t.reloptions')}, '')
  || CASE WHEN c.reltablespace = 0 THEN '' ELSE ' tablespace ' || (SELECT spcname FROM pg_tablespace s WHERE s.oid = c.reltablespace) END
  || CASE WHEN c.relam IN (0, 2) THEN '' ELSE ' using ' || (SELECT amname FROM pg_am a WHERE a.oid = c.relam) END
  || CASE WHEN c.relrowsecurity THEN ' row level security' ELSE '' END || CASE WHEN c.relforcerowsecurity THEN ' forced' ELSE '' END
  || CASE WHEN c.relkind NOT IN ('r', 'p', 'm') OR c.relreplident = 'd' THEN '' ELSE ' replica identity ' || c.relreplident::text END
  || CASE WHEN c.reloftype = 0 THEN '' ELSE ' of ' || format_type(c.reloftype, NULL) END
  || CASE WHEN c.relispartition THEN coalesce(' ' || pg_get_expr(c.relpartbound, c.oid), '') ELSE '' END
  || CASE WHEN c.relkind = 'p' THEN ' partition by ' || pg_get_partkeydef(c.oid) ELSE '' END
  || ${inFull(`CASE WHEN c.relkind = 'm' AND NOT c.relispopulated THEN ' not populated' ELSE '' END`)}
  || ${acl('c.relacl', `(CASE c.relkind WHEN 'S' THEN 's' ELSE 'r' END)::"char"`, 'c.relowner')}
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace LEFT JOIN pg_class t ON t.oid = c.reltoastrelid
WHERE c.relkind NOT IN ('i', 'I', 't') AND ${chosen}`

/** A view's query is of its relation, so that a view whose columns moved is one difference. */
const VIEWS: RelationFact = ({
  chosen,
}) => `SELECT c.oid, ${NAMED('n.nspname', 'c.relname')}, 'as ' || pg_get_viewdef(c.oid)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('v', 'm') AND ${chosen}`

/** From the minor versions of November 2026 on the server keeps a number of its own among a column's options. */
const COLUMN: RelationFact = ({
  granted,
}) => `'column ' || quote_ident(a.attname) || ' ' || format_type(a.atttypid, a.atttypmod)
  || CASE WHEN a.attcollation <> 0 AND a.attcollation <> y.typcollation THEN ' collate ' || a.attcollation::regcollation::text ELSE '' END
  || CASE WHEN a.attnotnull THEN ' not null' ELSE '' END
  || CASE a.attgenerated WHEN '' THEN coalesce(' default ' || pg_get_expr(d.adbin, d.adrelid), '')
       ELSE ' generated ' || a.attgenerated::text || ' as (' || pg_get_expr(d.adbin, d.adrelid) || ')' END
  || CASE WHEN a.attidentity = '' THEN '' ELSE ' identity ' || a.attidentity::text END
  || CASE WHEN a.attstorage = y.typstorage THEN '' ELSE ' storage ' || a.attstorage::text END
  || CASE WHEN a.attcompression = '' THEN '' ELSE ' compression ' || a.attcompression::text END
  || CASE WHEN coalesce(a.attstattarget, -1) = -1 THEN '' ELSE ' statistics ' || a.attstattarget END
  || coalesce(' options ' || (SELECT string_agg(o, ',' ORDER BY o) FROM unnest(a.attoptions) o WHERE o !~ '^pg_attver='), '') || coalesce(' fdw ' || ${OPTIONS('a.attfdwoptions')}, '')
  || CASE WHEN a.attislocal AND a.attinhcount = 0 THEN '' ELSE ' local ' || a.attislocal || ' inherited ' || a.attinhcount END
  || ${granted(`CASE WHEN a.attacl IS NULL OR a.attacl = '{}' THEN '' ELSE ' acl ' || ${GRANTED('a.attacl')} END`)}`

const COLUMNS: RelationFact = (parts) => `SELECT c.oid, ${NAMED('n.nspname', 'c.relname')}, ${COLUMN(parts)}
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_type y ON y.oid = a.atttypid LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'c') AND ${parts.chosen}`

/** Apart from the columns themselves: an order alone may differ. */
const COLUMN_ORDER: RelationFact = ({
  chosen,
}) => `SELECT c.oid, ${NAMED('n.nspname', 'c.relname')}, 'order of columns: ' || string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum)
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'p', 'f', 'c') AND ${chosen}
GROUP BY c.oid, n.nspname, c.relname`

const INHERITANCE: RelationFact = ({ chosen }) => `SELECT c.oid, ${NAMED('n.nspname', 'c.relname')},
  CASE WHEN c.relispartition THEN 'partition of ' ELSE 'inherits ' || i.inhseqno || ' ' END || i.inhparent::regclass::text
FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind NOT IN ('i', 'I') AND ${chosen}`

const SEQUENCES: RelationFact = ({
  chosen,
}) => `SELECT c.oid, ${NAMED('n.nspname', 'c.relname')}, 'as ' || format_type(s.seqtypid, NULL) || ' start ' || s.seqstart || ' increment ' || s.seqincrement
  || ' min ' || s.seqmin || ' max ' || s.seqmax || ' cache ' || s.seqcache || CASE WHEN s.seqcycle THEN ' cycle' ELSE '' END
  || coalesce((SELECT ' owned by ' || d.refobjid::regclass::text || '.' || quote_ident(a.attname) || ' (' || d.deptype::text || ')'
     FROM pg_depend d JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
     WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')), '')
FROM pg_sequence s JOIN pg_class c ON c.oid = s.seqrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE ${chosen}`

const INDEXES: RelationFact = ({
  chosen,
}) => `SELECT c.oid, ${NAMED('n.nspname', 'c.relname')}, 'index ' || pg_get_indexdef(x.indexrelid)
  || CASE WHEN x.indisclustered THEN ' clustered' ELSE '' END || CASE WHEN x.indisreplident THEN ' replica identity' ELSE '' END
  || CASE WHEN x.indisvalid AND x.indisready AND x.indislive THEN '' ELSE ' invalid' END || CASE WHEN x.indimmediate THEN '' ELSE ' deferrable' END
  || CASE WHEN i.reltablespace = 0 THEN '' ELSE ' tablespace ' || (SELECT spcname FROM pg_tablespace s WHERE s.oid = i.reltablespace) END
  || coalesce((SELECT ' statistics ' || string_agg(a.attnum || ':' || a.attstattarget, ',' ORDER BY a.attnum) FROM pg_attribute a
       WHERE a.attrelid = x.indexrelid AND coalesce(a.attstattarget, -1) <> -1), '')
  || CASE WHEN i.relispartition THEN coalesce((SELECT ' attached to ' || h.inhparent::regclass::text FROM pg_inherits h WHERE h.inhrelid = i.oid), '') ELSE '' END
FROM pg_index x JOIN pg_class c ON c.oid = x.indrelid JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind <> 't' AND ${chosen}`

/** The name of a not-null constraint (18) stands apart: DROP and SET NOT NULL give another to a column that was renamed. */
const CONSTRAINTS: RelationFact = ({ chosen }) => `SELECT c.oid, ${NAMED('n.nspname', 'c.relname')},
  CASE WHEN o.contype = 'n' THEN 'not null' ELSE 'constraint ' || quote_ident(o.conname) END || ' ' || pg_get_constraintdef(o.oid)
  || CASE WHEN o.conislocal AND o.coninhcount = 0 THEN '' ELSE ' local ' || o.conislocal || ' inherited ' || o.coninhcount END
  || CASE WHEN o.connoinherit AND o.contype IN ('c', 'n') THEN ' no inherit' ELSE '' END
FROM pg_constraint o JOIN pg_class c ON c.oid = o.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE o.contype <> 't' AND ${chosen}`

const NOT_NULL_NAMES: RelationFact = ({ chosen }) => `SELECT c.oid, ${NAMED('n.nspname', 'c.relname')},
  'name of not null: ' || string_agg(quote_ident(o.conname) || ' on ' || quote_ident(a.attname), ', ' ORDER BY a.attname)
FROM pg_constraint o JOIN pg_class c ON c.oid = o.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = o.conkey[1]
WHERE o.contype = 'n' AND ${chosen} GROUP BY c.oid, n.nspname, c.relname`

/** Those behind foreign keys are internal: they matter only when they were switched off. */
const TRIGGERS: RelationFact = ({ chosen }) => `SELECT c.oid, ${NAMED('n.nspname', 'c.relname')},
  CASE WHEN g.tgisinternal THEN 'internal trigger of ' || coalesce((SELECT quote_ident(o.conname) FROM pg_constraint o WHERE o.oid = g.tgconstraint), '') || ' ' || g.tgfoid::regproc::text
    ELSE 'trigger ' || pg_get_triggerdef(g.oid) END
  || CASE WHEN g.tgenabled = 'O' THEN '' ELSE ' enabled ' || g.tgenabled::text END || CASE WHEN g.tgparentid = 0 OR g.tgisinternal THEN '' ELSE ' of its parent' END
FROM pg_trigger g JOIN pg_class c ON c.oid = g.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE (NOT g.tgisinternal OR g.tgenabled <> 'O') AND ${chosen}`

const RULES: RelationFact = ({
  chosen,
}) => `SELECT c.oid, ${NAMED('n.nspname', 'c.relname')}, 'rule ' || pg_get_ruledef(r.oid) || CASE WHEN r.ev_enabled = 'O' THEN '' ELSE ' enabled ' || r.ev_enabled::text END
FROM pg_rewrite r JOIN pg_class c ON c.oid = r.ev_class JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE r.rulename <> '_RETURN' AND ${chosen}`

const POLICIES: RelationFact = ({
  chosen,
}) => `SELECT c.oid, ${NAMED('n.nspname', 'c.relname')}, 'policy ' || quote_ident(p.polname) || ' for ' || p.polcmd::text
  || CASE WHEN p.polpermissive THEN '' ELSE ' restrictive' END
  || ' to ' || (SELECT string_agg(CASE r WHEN 0 THEN 'public' ELSE quote_ident(pg_get_userbyid(r)) END, ',' ORDER BY pg_get_userbyid(r)) FROM unnest(p.polroles) r)
  || coalesce(' using (' || pg_get_expr(p.polqual, p.polrelid) || ')', '') || coalesce(' with check (' || pg_get_expr(p.polwithcheck, p.polrelid) || ')', '')
FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid JOIN pg_namespace n ON n.oid = c.relnamespace WHERE ${chosen}`

const FOREIGN_TABLES: RelationFact = ({
  chosen,
}) => `SELECT c.oid, ${NAMED('n.nspname', 'c.relname')}, 'foreign table of server ' || quote_ident(s.srvname) || coalesce(' options ' || ${OPTIONS('f.ftoptions')}, '')
FROM pg_foreign_table f JOIN pg_foreign_server s ON s.oid = f.ftserver JOIN pg_class c ON c.oid = f.ftrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE ${chosen}`

const FACTS: readonly RelationFact[] = [
  RELATIONS,
  VIEWS,
  COLUMNS,
  COLUMN_ORDER,
  INHERITANCE,
  SEQUENCES,
  INDEXES,
  CONSTRAINTS,
  TRIGGERS,
  RULES,
  POLICIES,
  FOREIGN_TABLES,
]

/** One query each: the relation's id, its name, and a line that says all of one thing. @param ids - a condition on `c.oid` */
export function relationFacts(parts: Parts, ids: string): readonly string[] {
  const chosen = `${ids} AND ${NOT_TEMPORARY} AND ${parts.counts('pg_class', 'c.oid', 'c.relowner')}`
  // Where a database was restored, or is of an older major version, they are others.
  const facts = parts.isFull ? [...FACTS, NOT_NULL_NAMES] : FACTS
  return facts.map((fact) => fact({ ...parts, chosen }))
}
