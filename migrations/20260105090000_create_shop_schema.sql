-- migrate:up
CREATE SCHEMA shop;

COMMENT ON SCHEMA shop IS 'Catalogue, customers and orders of the web shop.';

CREATE EXTENSION pg_trgm WITH SCHEMA shop;

CREATE FUNCTION shop.set_updated_at() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    NEW.updated_at := now();
    RETURN NEW;
END;
$$;

-- migrate:down
DROP FUNCTION shop.set_updated_at();

DROP EXTENSION pg_trgm;

DROP SCHEMA shop;
