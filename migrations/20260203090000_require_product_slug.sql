-- migrate:up
ALTER TABLE shop.products
    ALTER COLUMN slug SET NOT NULL,
    ADD CONSTRAINT products_slug_key UNIQUE (slug),
    ADD CONSTRAINT products_slug_format CHECK (slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$');

-- migrate:down
ALTER TABLE shop.products
    DROP CONSTRAINT products_slug_format,
    DROP CONSTRAINT products_slug_key,
    ALTER COLUMN slug DROP NOT NULL;
