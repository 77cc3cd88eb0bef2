-- migrate:up
ALTER TABLE shop.products ADD COLUMN slug text;

COMMENT ON COLUMN shop.products.slug IS 'The product''s part of its page''s address.';

-- migrate:down
ALTER TABLE shop.products DROP COLUMN slug;
