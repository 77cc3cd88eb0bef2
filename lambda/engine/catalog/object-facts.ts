import { MEMBER, NAMED, NOT_TEMPORARY, type Fact, OPTIONS } from './sql-parts.ts'

const SCHEMAS: Fact = ({
  acl,
  counts,
  owner,
}) => `SELECT 'schema ' || quote_ident(n.nspname), 'schema ' || quote_ident(n.nspname) || ${owner('n.nspowner')} || ${acl('n.nspacl', `'n'`, 'n.nspowner')}
FROM pg_namespace n WHERE ${NOT_TEMPORARY} AND ${counts('pg_namespace', 'n.oid')}`

const CONFIGURATION = `coalesce(' configuration ' || (SELECT string_agg(t.id::regclass::text || ' ' || coalesce(t.condition, ''), ',' ORDER BY t.id)
       FROM unnest(e.extconfig, e.extcondition) t(id, condition)), '')`

const EXTENSIONS: Fact = ({
  inFull,
  owner,
}) => `SELECT 'extension ' || quote_ident(e.extname), 'extension ' || quote_ident(e.extname) || ${inFull(`' version ' || e.extversion`)} || ' schema ' || quote_ident(n.nspname)
  || ${owner('e.extowner')} || ${inFull(CONFIGURATION)}
FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace`

/** Of the extensions themselves, whatever it is. */
export const MEMBERS: Fact =
  () => `SELECT 'extension ' || quote_ident(x.extname), 'member ' || pg_describe_object(d.classid, d.objid, 0)
FROM pg_depend d JOIN pg_extension x ON x.oid = d.refobjid
WHERE d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e' AND d.objid >= 16384`

const DEPENDS_ON_EXTENSION: Fact =
  () => `SELECT 'extension ' || quote_ident(x.extname), pg_describe_object(d.classid, d.objid, d.objsubid) || ' depends on extension ' || quote_ident(x.extname)
FROM pg_depend d JOIN pg_extension x ON x.oid = d.refobjid
WHERE d.refclassid = 'pg_extension'::regclass AND d.deptype = 'x'`

/** Of an extension's own functions only what may be changed about them; the rest is the extension's. */
/** What ALTER FUNCTION changes. */
const ALTERABLE = `concat_ws(' ', p.provolatile, p.proisstrict, p.prosecdef, p.proleakproof, p.proparallel, p.procost, p.prorows, p.prosupport::text, ${OPTIONS('p.proconfig')})`

const FUNCTIONS: Fact = ({ acl, counts, owner }) => `SELECT p.oid::regprocedure::text,
  CASE WHEN ${MEMBER('pg_proc', 'p.oid')} THEN 'function ' || p.oid::regprocedure::text || ' ' || ${ALTERABLE}
    WHEN p.prokind = 'a' THEN 'aggregate ' || p.oid::regprocedure::text || ' (' || pg_get_function_arguments(p.oid) || ') ' || pg_get_function_result(p.oid)
    ELSE pg_get_functiondef(p.oid) END || ${owner('p.proowner')} || ${acl('p.proacl', `'f'`, 'p.proowner')}
FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
WHERE p.oid >= 16384 AND ${NOT_TEMPORARY} AND ${counts('pg_proc', 'p.oid', 'p.proowner')}`

const AGGREGATES: Fact =
  () => `SELECT p.oid::regprocedure::text, 'aggregate ' || (to_jsonb(a) - 'aggfnoid' - 'aggtranstype' - 'aggmtranstype' - 'aggsortop')::text
  || ' types ' || format_type(a.aggtranstype, NULL) || ',' || format_type(a.aggmtranstype, NULL)
  || CASE WHEN a.aggsortop = 0 THEN '' ELSE ' sort ' || a.aggsortop::regoperator::text END || ' parallel ' || p.proparallel::text
FROM pg_aggregate a JOIN pg_proc p ON p.oid = a.aggfnoid WHERE p.oid >= 16384 AND NOT ${MEMBER('pg_proc', 'p.oid')}`

const TYPES: Fact = ({
  acl,
  counts,
  owner,
}) => `SELECT 'type ' || format_type(t.oid, NULL), 'type ' || format_type(t.oid, NULL) || ' ' || t.typtype::text || ${owner('t.typowner')} || ${acl('t.typacl', `'T'`, 't.typowner')}
  || CASE t.typtype
    WHEN 'e' THEN ' (' || coalesce((SELECT string_agg(quote_literal(l.enumlabel), ', ' ORDER BY l.enumsortorder) FROM pg_enum l WHERE l.enumtypid = t.oid), '') || ')'
    WHEN 'd' THEN ' as ' || format_type(t.typbasetype, t.typtypmod) || CASE WHEN t.typnotnull THEN ' not null' ELSE '' END || coalesce(' default ' || pg_get_expr(t.typdefaultbin, 0), ' default ' || t.typdefault, '')
      || CASE WHEN t.typcollation = 0 THEN '' ELSE ' collate ' || t.typcollation::regcollation::text END
    WHEN 'r' THEN (SELECT ' range of ' || format_type(r.rngsubtype, NULL) || ' multirange ' || format_type(r.rngmultitypid, NULL) || ' ' || r.rngcanonical::text || ' ' || r.rngsubdiff::text
        || CASE WHEN r.rngcollation = 0 THEN '' ELSE ' collate ' || r.rngcollation::regcollation::text END
        || ' ' || (SELECT ${NAMED('on_.nspname', 'oc.opcname')} FROM pg_opclass oc JOIN pg_namespace on_ ON on_.oid = oc.opcnamespace WHERE oc.oid = r.rngsubopc)
      FROM pg_range r WHERE r.rngtypid = t.oid)
    WHEN 'b' THEN ' ' || (to_jsonb(t) - '{oid,typname,typnamespace,typowner,typacl,typrelid,typelem,typarray,typbasetype,typcollation,typdefaultbin}'::text[])::text
      || ' ' || CASE WHEN t.typelem = 0 THEN '' ELSE format_type(t.typelem, NULL) END || t.typcollation::regcollation::text
    ELSE CASE WHEN t.typisdefined THEN '' ELSE ' shell' END END
FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace LEFT JOIN pg_class c ON c.oid = t.typrelid
WHERE t.oid >= 16384 AND (c.oid IS NULL OR c.relkind = 'c') AND t.typtype <> 'm' AND NOT (t.typcategory = 'A' AND t.typelem <> 0)
  AND ${NOT_TEMPORARY} AND ${counts('pg_type', 't.oid', 't.typowner')}`

const DOMAIN_CONSTRAINTS: Fact = ({
  counts,
}) => `SELECT 'type ' || format_type(o.contypid, NULL), 'constraint ' || quote_ident(o.conname) || ' ' || pg_get_constraintdef(o.oid)
FROM pg_constraint o JOIN pg_namespace n ON n.oid = o.connamespace WHERE o.contypid >= 16384 AND ${NOT_TEMPORARY} AND ${counts('pg_type', 'o.contypid')}`

const COLLATIONS: Fact = ({
  counts,
  owner,
}) => `SELECT 'collation ' || ${NAMED('n.nspname', 'c.collname')}, 'collation ' || (to_jsonb(c) - '{oid,collnamespace,collowner,collversion}'::text[])::text || ${owner('c.collowner')}
FROM pg_collation c JOIN pg_namespace n ON n.oid = c.collnamespace WHERE c.oid >= 16384 AND ${counts('pg_collation', 'c.oid')}`

const OPERATORS: Fact = ({
  owner,
}) => `SELECT 'operator ' || o.oid::regoperator::text, 'operator ' || o.oid::regoperator::text || ' ' || format_type(o.oprresult, NULL)
  || ' ' || concat_ws(' ', o.oprcode::text, o.oprrest::text, o.oprjoin::text, o.oprcanmerge, o.oprcanhash) || ${owner('o.oprowner')}
  || CASE WHEN o.oprcom = 0 THEN '' ELSE ' commutator ' || o.oprcom::regoperator::text END || CASE WHEN o.oprnegate = 0 THEN '' ELSE ' negator ' || o.oprnegate::regoperator::text END
FROM pg_operator o WHERE o.oid >= 16384 AND NOT ${MEMBER('pg_operator', 'o.oid')}`

const OPERATOR_CLASSES: Fact = ({
  owner,
}) => `SELECT 'operator class ' || ${NAMED('n.nspname', 'o.opcname')} || ' using ' || a.amname, 'operator class for ' || format_type(o.opcintype, NULL)
  || ' default ' || o.opcdefault || ' family ' || ${NAMED('fn.nspname', 'f.opfname')} || CASE WHEN o.opckeytype = 0 THEN '' ELSE ' storage ' || format_type(o.opckeytype, NULL) END || ${owner('o.opcowner')}
FROM pg_opclass o JOIN pg_namespace n ON n.oid = o.opcnamespace JOIN pg_am a ON a.oid = o.opcmethod
  JOIN pg_opfamily f ON f.oid = o.opcfamily JOIN pg_namespace fn ON fn.oid = f.opfnamespace
WHERE o.oid >= 16384 AND NOT ${MEMBER('pg_opclass', 'o.oid')}`

const OPERATOR_FAMILIES: Fact = ({
  owner,
}) => `SELECT 'operator family ' || ${NAMED('n.nspname', 'f.opfname')} || ' using ' || a.amname, 'operator family' || ${owner('f.opfowner')}
  || coalesce((SELECT string_agg(pg_describe_object('pg_amop'::regclass, o.oid, 0), '; ' ORDER BY o.amopstrategy, o.amoplefttype, o.amoprighttype) FROM pg_amop o WHERE o.amopfamily = f.oid), '')
  || coalesce((SELECT string_agg(pg_describe_object('pg_amproc'::regclass, p.oid, 0), '; ' ORDER BY p.amprocnum, p.amproclefttype, p.amprocrighttype) FROM pg_amproc p WHERE p.amprocfamily = f.oid), '')
FROM pg_opfamily f JOIN pg_namespace n ON n.oid = f.opfnamespace JOIN pg_am a ON a.oid = f.opfmethod
WHERE f.oid >= 16384 AND NOT ${MEMBER('pg_opfamily', 'f.oid')}`

const CASTS: Fact =
  () => `SELECT 'cast', 'cast ' || format_type(c.castsource, NULL) || ' to ' || format_type(c.casttarget, NULL) || ' ' || c.castcontext::text || c.castmethod::text
  || CASE WHEN c.castfunc = 0 THEN '' ELSE ' ' || c.castfunc::regprocedure::text END
FROM pg_cast c WHERE c.oid >= 16384 AND NOT ${MEMBER('pg_cast', 'c.oid')}`

const STATISTICS: Fact = ({ counts, owner }) => `SELECT 'statistics ' || ${NAMED('n.nspname', 's.stxname')},
  'statistics ' || pg_get_statisticsobjdef(s.oid) || ${owner('s.stxowner')}
  || CASE WHEN coalesce(s.stxstattarget, -1) = -1 THEN '' ELSE ' target ' || s.stxstattarget END
FROM pg_statistic_ext s JOIN pg_namespace n ON n.oid = s.stxnamespace WHERE ${NOT_TEMPORARY} AND ${counts('pg_statistic_ext', 's.oid')}`

/** One query each: group, and a line that says all of one thing. */
export const OBJECT_FACTS: readonly Fact[] = [
  SCHEMAS,
  EXTENSIONS,
  DEPENDS_ON_EXTENSION,
  FUNCTIONS,
  AGGREGATES,
  TYPES,
  DOMAIN_CONSTRAINTS,
  COLLATIONS,
  OPERATORS,
  OPERATOR_CLASSES,
  OPERATOR_FAMILIES,
  CASTS,
  STATISTICS,
]
