-- The search box asks for "name ILIKE '%cup%'". CONCURRENTLY, because orders are placed while the index is built.

-- migrate:up transaction:false
CREATE INDEX CONCURRENTLY products_name_search_idx ON shop.products USING gin (name shop.gin_trgm_ops);

-- migrate:down transaction:false
DROP INDEX CONCURRENTLY shop.products_name_search_idx;
