-- migrate:up
CREATE TABLE shop.products (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    sku text NOT NULL UNIQUE,
    name text NOT NULL,
    unit_price numeric(10, 2) NOT NULL,
    stock integer NOT NULL DEFAULT 0,
    discontinued boolean NOT NULL DEFAULT false,
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT products_sku_format CHECK (sku ~ '^[A-Z]{3}-[0-9]{4}$'),
    CONSTRAINT products_unit_price_positive CHECK (unit_price > 0),
    CONSTRAINT products_stock_not_negative CHECK (stock >= 0)
);

COMMENT ON COLUMN shop.products.unit_price IS 'Euro, including value-added tax.';

CREATE TRIGGER products_set_updated_at
    BEFORE UPDATE ON shop.products
    FOR EACH ROW
    EXECUTE FUNCTION shop.set_updated_at();

-- migrate:down
DROP TABLE shop.products;
