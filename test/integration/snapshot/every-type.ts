/**
 * For every built-in type that a column can have, values that are awkward to carry. The test makes sure that none of
 * the server's types is missing here.
 */
export const EVERY_TYPE: Readonly<Record<string, readonly string[]>> = {
  boolean: ['true', 'false'],
  bytea: [String.raw`'\x00ff5c0a0d09'`, "''"],
  '"char"': ["'a'", String.raw`'\001'`],
  name: ["'a name'"],
  bigint: ['9223372036854775807', '-9223372036854775808'],
  smallint: ['-32768', '32767'],
  integer: ['-2147483648', '2147483647'],
  int2vector: ["'1 2 3'"],
  oidvector: ["'1 4294967295'"],
  regproc: ["'pg_catalog.now'"],
  text: [
    String.raw`E'tab\t newline\n return\r backslash\\ quote'' bell\x07'`,
    String.raw`'\.'`,
    String.raw`E'\\.\n\\N'`,
    "''",
    String.raw`'\N'`,
    "'Grüße, 世界 🐘'",
    "repeat('long ', 20000)",
  ],
  oid: ['4294967295'],
  tid: ["'(4294967295,65535)'"],
  xid: ["'4294967295'"],
  cid: ["'7'"],
  xid8: ["'18446744073709551615'"],
  json: [`'{"b": 1,  "a":[null, "\\u00e9\\n"], "b": 2}'`, "'null'"],
  jsonb: [`'{"b": 1, "a": [null, 1e400, "\\t"]}'`, "'null'"],
  jsonpath: [`'$.a[*] ? (@ > 2)'`],
  xml: ['\'<a b="c">&lt;\n\ttext</a>\'', "'plain content'"],
  point: ["'(1e-300,-Infinity)'"],
  lseg: ["'[(0,0),(1.1,2.2)]'"],
  path: ["'((0,0),(1,1))'", "'[(0,0),(1,1)]'"],
  box: ["'(2,2),(0,0)'"],
  polygon: ["'((0,0),(1,1),(1,0))'"],
  line: ["'{1,-1,0}'"],
  circle: ["'<(0,0),1.5>'"],
  real: ["'NaN'", "'-Infinity'", '3.4028235e38', '1e-45', '0.1'],
  'double precision': ["'NaN'", "'Infinity'", '0.1', '1.7976931348623157e308', '5e-324', "'-0'"],
  money: ['-92233720368547758.08', '1234.5'],
  macaddr: ["'08:00:2b:01:02:03'"],
  macaddr8: ["'08:00:2b:01:02:03:04:05'"],
  inet: ["'192.168.1.5/24'", "'::ffff:1.2.3.4'"],
  cidr: ["'2001:db8::/32'"],
  aclitem: ["'postgres=r*/postgres'"],
  character: ["'x'"],
  'character varying': ["' trailing  '"],
  date: ["'4713-01-01 BC'", "'5874897-12-31'", "'infinity'", "'-infinity'"],
  'time without time zone': ["'24:00:00'", "'00:00:00.000001'"],
  'time with time zone': ["'23:59:59.999999+15:59'"],
  'timestamp without time zone': ["'4713-01-01 00:00:00 BC'", "'infinity'", "'2024-02-29 12:00:00.123456'"],
  'timestamp with time zone': ["'-infinity'", "'2024-03-31 02:30:00.5+02'", "'0044-03-15 12:00:00+00 BC'"],
  interval: ["'-1 year 2 mons -3 days 04:05:06.789'", "'infinity'", "'-00:00:01'"],
  bit: ["B'1'"],
  'bit varying': ["B'10110'", "B''"],
  numeric: ["'NaN'", "'Infinity'", '123456789012345678901234567890.000000000000000000000000000001', '0.00'],
  refcursor: ["'a cursor'"],
  regprocedure: ["'pg_catalog.abs(integer)'"],
  regoper: ["'pg_catalog.||/'"],
  regoperator: ["'pg_catalog.+(integer,integer)'"],
  regclass: ["'pg_catalog.pg_class'"],
  regcollation: [`'"C"'`],
  regtype: ["'integer'"],
  regrole: ["'postgres'"],
  regnamespace: ["'public'"],
  regconfig: ["'english'"],
  regdictionary: ["'simple'"],
  uuid: ["'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'"],
  pg_lsn: ["'16/B374D848'"],
  tsvector: [`'''a b'':1A cat:3,2B'`],
  tsquery: [`'fat & !(cat | ''d e'':*A)'`],
  txid_snapshot: ["'10:20:10,14,15'"],
  pg_snapshot: ["'10:20:10,14,15'"],
  int4range: ["'[1,10)'", "'empty'", "'(,)'"],
  int8range: ["'[1,)'"],
  numrange: ["'(1.5,2.50]'"],
  tsrange: [`'["2024-01-01 00:00:00",infinity)'`],
  tstzrange: [`'["2024-01-01 00:00:00+01",)'`],
  daterange: ["'[2024-01-01,2024-02-01)'"],
  int4multirange: ["'{[1,3),[5,8)}'", "'{}'"],
  int8multirange: ["'{(,3)}'"],
  nummultirange: ["'{[1.1,2.2]}'"],
  tsmultirange: ["'{[2024-01-01,2024-01-02)}'"],
  tstzmultirange: ["'{[2024-01-01 00:00+00,2024-01-02 00:00+00)}'"],
  datemultirange: ["'{[2024-01-01,2024-01-02),[2025-01-01,)}'"],
}

/** Types of the server's own catalogs, which take no input. */
export const WITHOUT_INPUT = [
  'gtsvector',
  'pg_brin_bloom_summary',
  'pg_brin_minmax_multi_summary',
  'pg_dependencies',
  'pg_mcv_list',
  'pg_ndistinct',
  'pg_node_tree',
] as const

// The first major that has the value.
const SINCE: Readonly<Record<string, Readonly<Record<string, number>>>> = { interval: { "'infinity'": 17 } }

/** One table per type: every value, NULL, an array with a NULL in it, and an empty array. */
export function everyTypeSql(major: number): string {
  return Object.entries(EVERY_TYPE)
    .map(([type, values], index) => {
      const table = `types.t${index}`
      const possible = values.filter((value) => (SINCE[type]?.[value] ?? 0) <= major)
      const rows = possible.map((value) => `(CAST(${value} AS ${type}), ARRAY[CAST(${value} AS ${type}), NULL])`)
      return `CREATE TABLE ${table} (v ${type}, a ${type}[]);
        COMMENT ON TABLE ${table} IS '${type.replaceAll("'", "''")}';
        INSERT INTO ${table} VALUES ${rows.join(', ')}, (NULL, NULL), (NULL, '{}');`
    })
    .join('\n')
}

export const BUILT_IN_TYPES = `
  SELECT t.oid::regtype::text AS type FROM pg_type t
   WHERE t.typnamespace = 'pg_catalog'::regnamespace AND t.typtype IN ('b', 'r', 'm')
     AND NOT EXISTS (SELECT FROM pg_type element WHERE element.typarray = t.oid)`
