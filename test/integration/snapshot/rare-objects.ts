/** The kinds of objects that few databases have, each with what pg_dump has to put in a special order. From 14 on. */
const RARE_OBJECTS = String.raw`
  CREATE SCHEMA rare;
  COMMENT ON SCHEMA rare IS 'rarely seen';
  CREATE EXTENSION citext SCHEMA rare;
  CREATE EXTENSION btree_gist;
  CREATE EXTENSION postgres_fdw;
  CREATE EXTENSION file_fdw;
  COMMENT ON EXTENSION citext IS 'a comment of our own';

  -- Types: a base type on the server's own functions, a range with everything, domains on domains, a shell type.
  CREATE TYPE rare.code;
  CREATE FUNCTION rare.code_in(cstring) RETURNS rare.code LANGUAGE internal IMMUTABLE STRICT AS 'textin';
  CREATE FUNCTION rare.code_out(rare.code) RETURNS cstring LANGUAGE internal IMMUTABLE STRICT AS 'textout';
  CREATE FUNCTION rare.code_recv(internal) RETURNS rare.code LANGUAGE internal IMMUTABLE STRICT AS 'textrecv';
  CREATE FUNCTION rare.code_send(rare.code) RETURNS bytea LANGUAGE internal IMMUTABLE STRICT AS 'textsend';
  CREATE TYPE rare.code (INPUT = rare.code_in, OUTPUT = rare.code_out, RECEIVE = rare.code_recv, SEND = rare.code_send,
                         LIKE = text, CATEGORY = 'S', DEFAULT = 'none', DELIMITER = ';', COLLATABLE = true);
  CREATE TYPE rare.never_defined;
  CREATE FUNCTION rare.distance(float8, float8) RETURNS float8 LANGUAGE sql IMMUTABLE AS 'SELECT $1 - $2';
  CREATE TYPE rare.measure AS RANGE (subtype = float8, subtype_diff = rare.distance, multirange_type_name = rare.measures);
  CREATE DOMAIN rare.short AS text COLLATE "C" NOT NULL DEFAULT '-' CONSTRAINT short_enough CHECK (length(VALUE) < 10);
  CREATE DOMAIN rare.shorter AS rare.short CHECK (length(VALUE) < 5);
  ALTER DOMAIN rare.shorter ADD CONSTRAINT never_checked CHECK (VALUE <> 'x') NOT VALID;
  COMMENT ON CONSTRAINT short_enough ON DOMAIN rare.short IS 'of a domain';
  CREATE TYPE rare.pair AS (a rare.short, b rare.measure, c rare.code[]);
  COMMENT ON COLUMN rare.pair.b IS 'an attribute';
  ALTER TYPE mood ADD VALUE 'ecstatic' BEFORE 'happy';

  -- Functions of every kind.
  CREATE FUNCTION rare.variadic(OUT total int, INOUT label text DEFAULT 'it''s', VARIADIC n int[] DEFAULT '{1,2}')
    LANGUAGE plpgsql STABLE LEAKPROOF COST 7 PARALLEL SAFE SET search_path = rare, "Odd Schema" SET work_mem = '1MB'
    AS $x$ BEGIN SELECT sum(x) INTO total FROM unnest(n) x; END $x$;
  CREATE FUNCTION rare.rows() RETURNS TABLE (a int, b text) LANGUAGE sql SECURITY DEFINER ROWS 5 AS $$ VALUES (1, 'x;y') $$;
  CREATE FUNCTION rare.any_of(anyarray) RETURNS anyelement LANGUAGE sql IMMUTABLE AS 'SELECT $1[1]';
  CREATE PROCEDURE rare.work(INOUT n int, t text DEFAULT E'\\n') LANGUAGE plpgsql AS 'BEGIN n := n + 1; COMMIT; END';
  CREATE AGGREGATE rare.middle(float8 ORDER BY anyelement) (SFUNC = ordered_set_transition, STYPE = internal,
    FINALFUNC = percentile_disc_final, FINALFUNC_EXTRA, FINALFUNC_MODIFY = read_write);
  CREATE AGGREGATE rare.moving(int) (SFUNC = int4pl, STYPE = int, INITCOND = '0', COMBINEFUNC = int4pl, PARALLEL = SAFE,
    MSFUNC = int4pl, MINVFUNC = int4mi, MSTYPE = int, MINITCOND = '0', SORTOP = <);
  COMMENT ON AGGREGATE rare.moving(int) IS 'moves';
  CREATE FUNCTION rare.code_lower(rare.code) RETURNS text LANGUAGE internal IMMUTABLE STRICT AS 'lower';
  CREATE CAST (rare.code AS text) WITHOUT FUNCTION AS ASSIGNMENT;
  CREATE CAST (text AS rare.code) WITH INOUT;
  CREATE TRANSFORM FOR int LANGUAGE sql (FROM SQL WITH FUNCTION prsd_lextype(internal), TO SQL WITH FUNCTION int4recv(internal));
  CREATE CONVERSION rare.latin FOR 'LATIN1' TO 'UTF8' FROM iso8859_1_to_utf8;
  CREATE ACCESS METHOD heap_again TYPE TABLE HANDLER heap_tableam_handler;

  -- Operators, their classes and families.
  CREATE FUNCTION rare.longer(text, text) RETURNS bool LANGUAGE sql IMMUTABLE AS 'SELECT length($1) > length($2)';
  CREATE FUNCTION rare.by_length(text, text) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT length($1) - length($2)';
  CREATE FUNCTION rare.as_long(text, text) RETURNS bool LANGUAGE sql IMMUTABLE AS 'SELECT length($1) = length($2)';
  CREATE FUNCTION rare.briefer(text, text) RETURNS bool LANGUAGE sql IMMUTABLE AS 'SELECT length($1) < length($2)';
  CREATE OPERATOR rare.>># (LEFTARG = text, RIGHTARG = text, FUNCTION = rare.longer, COMMUTATOR = OPERATOR(rare.<<#),
                            RESTRICT = scalargtsel, JOIN = scalargtjoinsel);
  CREATE OPERATOR rare.<<# (LEFTARG = text, RIGHTARG = text, FUNCTION = rare.briefer, COMMUTATOR = OPERATOR(rare.>>#));
  CREATE OPERATOR rare.==# (LEFTARG = text, RIGHTARG = text, FUNCTION = rare.as_long, COMMUTATOR = OPERATOR(rare.==#), HASHES, MERGES);
  CREATE OPERATOR rare.!# (RIGHTARG = text, FUNCTION = length);
  CREATE OPERATOR FAMILY rare.lengths USING btree;
  CREATE OPERATOR CLASS rare.length_ops FOR TYPE text USING btree FAMILY rare.lengths AS
    OPERATOR 1 rare.<<#, OPERATOR 3 rare.==#, OPERATOR 5 rare.>>#, FUNCTION 1 rare.by_length(text, text);
  ALTER OPERATOR FAMILY rare.lengths USING btree ADD FUNCTION 1 (int4, int8) btint48cmp(int4, int8);
  COMMENT ON OPERATOR rare.>>#(text, text) IS 'longer than';

  -- Text search.
  CREATE TEXT SEARCH DICTIONARY rare.words (TEMPLATE = simple, STOPWORDS = 'english', ACCEPT = false);
  CREATE TEXT SEARCH PARSER rare.parser (START = prsd_start, GETTOKEN = prsd_nexttoken, END = prsd_end, LEXTYPES = prsd_lextype);
  CREATE TEXT SEARCH TEMPLATE rare.template (INIT = dsimple_init, LEXIZE = dsimple_lexize);
  CREATE TEXT SEARCH CONFIGURATION rare.search (PARSER = rare.parser);
  ALTER TEXT SEARCH CONFIGURATION rare.search ADD MAPPING FOR asciiword, word WITH rare.words, simple;

  -- Foreign data.
  CREATE SERVER elsewhere TYPE 'x' VERSION '1' FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '127.0.0.1', port '1', dbname 'it''s');
  CREATE USER MAPPING FOR PUBLIC SERVER elsewhere OPTIONS (user 'u', password 'p;"w''');
  CREATE FOREIGN TABLE rare.remote (id int OPTIONS (column_name 'ID') NOT NULL, t text COLLATE "C" DEFAULT 'x', CHECK (id > 0))
    SERVER elsewhere OPTIONS (schema_name 'public', table_name 'a b');
  CREATE FOREIGN DATA WRAPPER nothing OPTIONS (debug 'true');
  ALTER FOREIGN TABLE rare.remote ALTER COLUMN t SET STATISTICS 5;

  -- Tables with everything that can be set on them.
  CREATE TABLE rare.settings (
    id bigint PRIMARY KEY DEFERRABLE INITIALLY DEFERRED,
    code rare.code, lengths text, span rare.measure, spans rare.measures, place point, at tsrange,
    wide text, c rare.citext DEFAULT NULL
  ) WITH (fillfactor = 70, autovacuum_enabled = false, toast.autovacuum_enabled = false);
  ALTER TABLE rare.settings ALTER COLUMN wide SET STORAGE EXTERNAL, ALTER COLUMN wide SET STATISTICS 321,
    ALTER COLUMN id SET (n_distinct = -0.5), ADD EXCLUDE USING gist (at WITH &&, lower(lengths) WITH =) WHERE (id > 5);
  ALTER TABLE rare.settings ADD CONSTRAINT not_yet CHECK (id > 3) NOT VALID, ADD CONSTRAINT own CHECK (id < 1000) NO INHERIT;
  CREATE INDEX settings_length ON rare.settings USING btree (lengths rare.length_ops DESC NULLS LAST, (id + 1)) INCLUDE (place) WITH (fillfactor = 55);
  CREATE INDEX settings_brin ON rare.settings USING brin (id int8_minmax_multi_ops(values_per_range = 16)) WITH (pages_per_range = 4);
  CREATE INDEX settings_gist ON rare.settings USING gist (span, place) WHERE id > 0;
  CREATE INDEX settings_hash ON rare.settings USING hash (wide);
  CREATE INDEX settings_spgist ON rare.settings USING spgist (place);
  ALTER INDEX rare.settings_length ALTER COLUMN 2 SET STATISTICS 77;
  ALTER TABLE rare.settings CLUSTER ON settings_length;
  CREATE UNIQUE INDEX settings_identity ON rare.settings (id) ;
  CREATE TABLE rare.identified (a int NOT NULL, b int NOT NULL);
  CREATE UNIQUE INDEX identified_a ON rare.identified (a);
  ALTER TABLE rare.identified REPLICA IDENTITY USING INDEX identified_a;
  CREATE TABLE rare.whole (a int); ALTER TABLE rare.whole REPLICA IDENTITY FULL;
  CREATE STATISTICS rare.of_expressions (ndistinct, mcv) ON (id % 7), lengths, wide FROM rare.settings;
  ALTER STATISTICS rare.of_expressions SET STATISTICS 50;
  COMMENT ON STATISTICS rare.of_expressions IS 'of expressions';
  COMMENT ON INDEX rare.settings_brin IS 'brin';
  COMMENT ON CONSTRAINT own ON rare.settings IS 'its own';
  INSERT INTO rare.settings (id, code, lengths, span, spans, place, at, wide)
    SELECT n, ('c' || n)::text::rare.code, repeat('l', n), rare.measure(n, 'Infinity'), '{[1,2),(3,NaN]}', point(n, -n),
           tsrange(NULL, NULL, '()') * tsrange('2024-01-01'::timestamp + n * interval '1 day', '2024-01-01'::timestamp + (n + 1) * interval '1 day'),
           repeat('wide' || n, 3000)
      FROM generate_series(4, 40) n;
  CREATE TABLE rare.other_method (n int) USING heap_again;
  INSERT INTO rare.other_method SELECT generate_series(1, 10);
  CREATE TABLE rare.typed OF rare.pair (PRIMARY KEY (a), b WITH OPTIONS DEFAULT '[1,2)');
  INSERT INTO rare.typed VALUES ('k', '(,)', ARRAY['x', 'y;z', NULL]::text[]::rare.code[]);
  CREATE UNLOGGED TABLE rare.unlogged (id int GENERATED BY DEFAULT AS IDENTITY, t text);
  INSERT INTO rare.unlogged (t) VALUES ('kept');

  -- Inheritance: several parents, columns and constraints of one's own and inherited.
  CREATE TABLE rare.mother (a int NOT NULL, shared text CONSTRAINT filled CHECK (shared <> ''));
  CREATE TABLE rare.father (b int DEFAULT 5, shared text CONSTRAINT filled CHECK (shared <> ''));
  CREATE TABLE rare.daughter (shared text, own int, CONSTRAINT filled CHECK (shared <> '')) INHERITS (rare.mother, rare.father);
  ALTER TABLE rare.daughter ALTER COLUMN b SET DEFAULT 6;
  ALTER TABLE rare.father ADD COLUMN late int DEFAULT 7;
  INSERT INTO rare.mother VALUES (1, 'm'); INSERT INTO rare.father VALUES (2, 'f', 8); INSERT INTO rare.daughter (a, b, shared, own) VALUES (3, 4, 'd', 5);

  -- Partitions by hash, by list with NULL, with their own defaults, constraints and indexes; one detached again.
  CREATE TABLE rare.hashed (id int, payload text DEFAULT 'p', CONSTRAINT hashed_key PRIMARY KEY (id)) PARTITION BY HASH (id);
  CREATE TABLE rare.hashed_0 PARTITION OF rare.hashed (payload DEFAULT 'zero', CHECK (payload <> 'never')) FOR VALUES WITH (MODULUS 2, REMAINDER 0);
  CREATE TABLE rare.hashed_1 PARTITION OF rare.hashed FOR VALUES WITH (MODULUS 2, REMAINDER 1) WITH (fillfactor = 50);
  CREATE INDEX hashed_only ON ONLY rare.hashed (payload);
  CREATE INDEX hashed_1_payload ON rare.hashed_1 (payload);
  ALTER INDEX rare.hashed_only ATTACH PARTITION rare.hashed_1_payload;
  INSERT INTO rare.hashed SELECT n FROM generate_series(1, 50) n;
  CREATE TABLE rare.listed (k text, n int) PARTITION BY LIST (k);
  CREATE TABLE rare.listed_null PARTITION OF rare.listed FOR VALUES IN (NULL, 'it''s');
  CREATE TABLE rare.listed_off PARTITION OF rare.listed FOR VALUES IN ('off');
  INSERT INTO rare.listed VALUES (NULL, 1), ('it''s', 2), ('off', 3);
  ALTER TABLE rare.listed DETACH PARTITION rare.listed_off;
  CREATE TABLE rare.by_expression (n int) PARTITION BY RANGE ((n / 10), abs(n));
  CREATE TABLE rare.by_expression_1 PARTITION OF rare.by_expression FOR VALUES FROM (MINVALUE, MINVALUE) TO (5, MAXVALUE);
  CREATE TABLE rare.points_to (id int REFERENCES rare.hashed ON DELETE CASCADE ON UPDATE SET NULL);
  INSERT INTO rare.points_to VALUES (1), (NULL);
  CREATE TABLE rare.match_full (a int, b text, FOREIGN KEY (a) REFERENCES rare.hashed NOT VALID);
  INSERT INTO rare.match_full VALUES (1, 'x');

  -- What needs what, in circles: a view that needs a primary key, a function that needs a table that needs the function.
  CREATE VIEW rare.needs_key AS SELECT id, payload, count(*) FROM rare.hashed GROUP BY id;
  CREATE VIEW rare.upon AS SELECT * FROM rare.needs_key;
  CREATE TABLE rare.circle (a int);
  CREATE FUNCTION rare.of_circle(rare.circle) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1.a * 2';
  ALTER TABLE rare.circle ADD CONSTRAINT uses_itself CHECK (rare.of_circle(circle) < 100);
  CREATE INDEX circle_index ON rare.circle (rare.of_circle(circle));
  INSERT INTO rare.circle VALUES (1), (2);
  CREATE RECURSIVE VIEW rare.counting (n) AS VALUES (1) UNION ALL SELECT n + 1 FROM counting WHERE n < 5;
  CREATE VIEW rare.first AS SELECT 1 AS n;
  CREATE VIEW rare.second AS SELECT n FROM rare.first;
  CREATE OR REPLACE VIEW rare.first AS SELECT 1 AS n, 2 AS m;
  ALTER VIEW rare.first ALTER COLUMN n SET DEFAULT 3;
  CREATE MATERIALIZED VIEW rare.upper AS SELECT id, upper(payload) AS p FROM rare.hashed WITH DATA;
  CREATE MATERIALIZED VIEW rare.upon_upper WITH (fillfactor = 80) AS SELECT count(*) AS n FROM rare.upper;
  CREATE INDEX upper_index ON rare.upper (p);
  CREATE MATERIALIZED VIEW rare.never_filled AS SELECT * FROM rare.upon_upper WITH NO DATA;
  CREATE VIEW rare.of_never AS SELECT * FROM rare.never_filled;
  CREATE MATERIALIZED VIEW rare.reads_view AS SELECT * FROM rare.needs_key WITH DATA;

  -- Triggers in every state, rules, event triggers.
  CREATE FUNCTION rare.trigger() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'must not fire'; END $$;
  CREATE TRIGGER a_disabled BEFORE UPDATE OF payload, id ON rare.hashed_0 FOR EACH ROW WHEN (OLD.id > 1) EXECUTE FUNCTION rare.trigger('an', 'argument');
  ALTER TABLE rare.hashed_0 DISABLE TRIGGER a_disabled;
  CREATE TRIGGER on_replica AFTER INSERT ON rare.mother REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION rare.trigger();
  ALTER TABLE rare.mother ENABLE REPLICA TRIGGER on_replica;
  CREATE TRIGGER on_truncate BEFORE TRUNCATE ON rare.father EXECUTE FUNCTION rare.trigger();
  CREATE CONSTRAINT TRIGGER deferred AFTER INSERT OR DELETE ON rare.whole DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION rare.trigger();
  CREATE TRIGGER on_partitioned AFTER INSERT ON rare.hashed FOR EACH ROW EXECUTE FUNCTION rare.trigger();
  ALTER TABLE rare.hashed_1 DISABLE TRIGGER on_partitioned;
  CREATE TRIGGER on_view INSTEAD OF INSERT ON rare.second FOR EACH ROW EXECUTE FUNCTION rare.trigger();
  COMMENT ON TRIGGER deferred ON rare.whole IS 'later';
  CREATE RULE also AS ON UPDATE TO rare.circle WHERE NEW.a > 5 DO ALSO (INSERT INTO rare.whole VALUES (1); DELETE FROM rare.mother WHERE a = NEW.a);
  CREATE RULE tell AS ON INSERT TO rare.circle DO ALSO NOTIFY changed;
  ALTER TABLE rare.circle DISABLE RULE also;
  COMMENT ON RULE also ON rare.circle IS 'as well';
  CREATE FUNCTION rare.on_ddl() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'must not fire'; END $$;
  CREATE EVENT TRIGGER rare_disabled ON ddl_command_start WHEN TAG IN ('CREATE TABLE', 'DROP VIEW') EXECUTE FUNCTION rare.on_ddl();
  ALTER EVENT TRIGGER rare_disabled DISABLE;
  CREATE EVENT TRIGGER rare_drop ON sql_drop EXECUTE FUNCTION rare.on_ddl();
  ALTER EVENT TRIGGER rare_drop ENABLE REPLICA;

  -- Policies, publications, subscriptions, privileges.
  CREATE POLICY restrictive ON rare.whole AS RESTRICTIVE FOR UPDATE TO pg_monitor, CURRENT_USER USING (a > 1) WITH CHECK (a IN (SELECT a FROM rare.circle));
  ALTER TABLE rare.whole ENABLE ROW LEVEL SECURITY;
  CREATE PUBLICATION all_tables FOR ALL TABLES WITH (publish = 'insert, truncate', publish_via_partition_root = true);
  CREATE PUBLICATION empty_one WITH (publish = 'delete');
  CREATE SUBSCRIPTION waiting CONNECTION 'host=127.0.0.1 port=1 password=secret' PUBLICATION a, "B c" WITH (connect = false, slot_name = NONE);
  REVOKE EXECUTE ON FUNCTION rare.rows() FROM PUBLIC;
  GRANT SELECT (a), REFERENCES (a), INSERT ON rare.whole TO pg_monitor WITH GRANT OPTION;
  GRANT USAGE, UPDATE ON SEQUENCE counted TO PUBLIC;
  GRANT USAGE ON TYPE rare.pair TO pg_monitor;
  REVOKE USAGE ON TYPE rare.code FROM PUBLIC;
  GRANT USAGE ON FOREIGN SERVER elsewhere TO pg_monitor;
  REVOKE ALL ON LANGUAGE plpgsql FROM PUBLIC;
  REVOKE ALL ON rare.father FROM postgres;
  ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
  ALTER DEFAULT PRIVILEGES IN SCHEMA rare GRANT INSERT ON TABLES TO pg_monitor;
  GRANT SELECT ON pg_catalog.pg_authid TO pg_monitor;
  ALTER FUNCTION rare.rows() OWNER TO pg_monitor;
  ALTER TABLE rare.circle OWNER TO pg_monitor;
  ALTER SCHEMA types OWNER TO pg_monitor;
  ALTER TYPE rare.never_defined OWNER TO pg_monitor;

  -- Large objects.
  SELECT lo_from_bytea(70001, decode(repeat('00ff5c0a0d27', 100000), 'hex'));
  COMMENT ON LARGE OBJECT 70001 IS 'a large object';
  GRANT SELECT ON LARGE OBJECT 70001 TO PUBLIC;

  -- Values.
  CREATE TABLE rare.values (t text, b bytea, n numeric, f float8, d date, ts timestamptz, ti time, j jsonb);
  INSERT INTO rare.values VALUES
    (NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL), ('', '', 'NaN', 'NaN', '-infinity', 'infinity', '24:00', '{}'),
    (E'\\.\n', (SELECT string_agg(set_byte('\x00', 0, n), '' ORDER BY n) FROM generate_series(0, 255) n), '-Infinity', '-0', '4713-01-01 BC', '4714-11-24 00:00+00 BC', '00:00', 'null'),
    (E'\\N', '\x5c4e', 1e-100, 5e-324, 'infinity', '294276-12-31 23:59:59.999999+00', '12:00:00.000001', '"\u0001\n"'),
    (repeat(E'long\ttext\n\\ ', 300000), decode(repeat('000a5c0d', 300000), 'hex'), 0.000, 1e308, '0001-01-01 BC', '1883-11-18 12:00-05', '23:59:59.999999', (SELECT jsonb_agg(n) FROM generate_series(1, 10000) n));
`

/** What later majors have on top. */
const SINCE: Readonly<Record<number, string>> = {
  15: String.raw`
    CREATE TABLE rare.since_15 (a int, b int, UNIQUE NULLS NOT DISTINCT (a, b));
    INSERT INTO rare.since_15 VALUES (NULL, 1), (1, NULL);
    CREATE UNIQUE INDEX since_15_index ON rare.since_15 (b) NULLS NOT DISTINCT;
    CREATE TABLE rare.keyed (a int, b int, PRIMARY KEY (a, b));
    CREATE TABLE rare.set_null (a int, b int, FOREIGN KEY (a, b) REFERENCES rare.keyed ON DELETE SET NULL (b));
    CREATE VIEW rare.invoker WITH (security_invoker = true) AS SELECT * FROM rare.since_15;
    CREATE UNLOGGED SEQUENCE rare.unlogged_sequence; SELECT nextval('rare.unlogged_sequence');
    CREATE PUBLICATION of_schema FOR TABLES IN SCHEMA types, rare;
    CREATE PUBLICATION everything FOR TABLE item (id, name), tree WHERE (id > 1);
    CREATE SUBSCRIPTION two_phase CONNECTION 'host=127.0.0.1 port=1' PUBLICATION p WITH (connect = false, slot_name = NONE, two_phase = true, disable_on_error = true);`,
  16: String.raw`
    CREATE COLLATION rare.ruled (provider = icu, locale = 'und', rules = '&a < g');
    CREATE COLLATION rare.loose (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
    CREATE TABLE rare.since_16 (t text STORAGE EXTERNAL COLLATE rare.ruled, l text COLLATE rare.loose UNIQUE);
    INSERT INTO rare.since_16 VALUES ('a', 'A'), ('b', 'B');
    CREATE VIEW rare.with_any_value AS SELECT any_value(t) FROM rare.since_16;
    CREATE SUBSCRIPTION any_origin CONNECTION 'host=127.0.0.1 port=1' PUBLICATION p WITH (connect = false, slot_name = NONE, origin = none, password_required = false, run_as_owner = true);`,
  17: String.raw`
    CREATE COLLATION rare.built_in (provider = builtin, locale = 'C.UTF-8');
    CREATE TABLE rare.identity_parent (id int GENERATED ALWAYS AS IDENTITY, n int) PARTITION BY RANGE (n);
    CREATE TABLE rare.identity_part PARTITION OF rare.identity_parent FOR VALUES FROM (1) TO (10);
    INSERT INTO rare.identity_parent (n) VALUES (1), (2), (3);
    CREATE VIEW rare.merging AS SELECT * FROM JSON_TABLE('[{"a":1}]'::jsonb, '$[*]' COLUMNS (a int PATH '$.a')) AS t;
    CREATE TABLE rare.endless (i interval); INSERT INTO rare.endless VALUES ('infinity'), ('-infinity');
    CREATE FUNCTION rare.on_login() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN PERFORM 1; END';
    CREATE EVENT TRIGGER on_login ON login EXECUTE FUNCTION rare.on_login();
    GRANT MAINTAIN ON rare.whole TO pg_monitor;`,
  18: String.raw`
    CREATE TABLE rare.since_18 (
      id int CONSTRAINT id_given NOT NULL,
      later int,
      halved numeric GENERATED ALWAYS AS (id / 2.0) VIRTUAL,
      stored numeric GENERATED ALWAYS AS (id / 2.0) STORED,
      CONSTRAINT id_positive CHECK (id > 0) NOT ENFORCED
    );
    ALTER TABLE rare.since_18 ADD CONSTRAINT later_given NOT NULL later NOT VALID;
    ALTER TABLE item ADD COLUMN doubled numeric GENERATED ALWAYS AS (price * 2) VIRTUAL;
    INSERT INTO rare.since_18 (id, later) VALUES (-1, 1), (5, 2);
    CREATE TABLE rare.rooms (id int, at daterange, CONSTRAINT rooms_key PRIMARY KEY (id, at WITHOUT OVERLAPS));
    CREATE TABLE rare.bookings (id int, room int, at daterange, CONSTRAINT bookings_key UNIQUE (id, at WITHOUT OVERLAPS),
      CONSTRAINT bookings_room FOREIGN KEY (room, PERIOD at) REFERENCES rare.rooms (id, PERIOD at));
    INSERT INTO rare.rooms VALUES (1, '[2024-01-01,2024-06-01)'), (1, '[2024-06-01,2025-01-01)');
    INSERT INTO rare.bookings VALUES (1, 1, '[2024-05-01,2024-07-01)');
    CREATE TABLE rare.not_enforced (id int REFERENCES tree NOT ENFORCED);
    INSERT INTO rare.not_enforced VALUES (99);
    CREATE COLLATION rare.casefold (provider = builtin, locale = 'PG_UNICODE_FAST');
    CREATE PUBLICATION generated FOR TABLE rare.since_18 WITH (publish_generated_columns = stored);
    ALTER DEFAULT PRIVILEGES GRANT SELECT ON LARGE OBJECTS TO pg_monitor;`,
}

/** For a server of that major, on top of the rich schema. */
export function rareObjectsSql(major: number): string {
  const later = Object.entries(SINCE).filter(([since]) => Number(since) <= major)
  return [RARE_OBJECTS, ...later.map(([, sql]) => sql)].join('\n')
}
