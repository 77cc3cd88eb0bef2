-- migrate:up
CREATE TYPE shop.order_status AS ENUM ('placed', 'paid', 'shipped', 'delivered', 'cancelled');

CREATE TABLE shop.orders (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    number text NOT NULL UNIQUE,
    customer_id bigint NOT NULL REFERENCES shop.customers (id),
    status shop.order_status NOT NULL DEFAULT 'placed',
    placed_at timestamptz NOT NULL DEFAULT now(),
    shipped_at timestamptz,
    CONSTRAINT orders_shipped_after_placed CHECK (shipped_at >= placed_at),
    CONSTRAINT orders_shipped_has_time CHECK (status NOT IN ('shipped', 'delivered') OR shipped_at IS NOT NULL)
);

CREATE INDEX orders_customer_id_idx ON shop.orders (customer_id);

-- The work list of the warehouse: a few rows, whatever the table grows to.
CREATE INDEX orders_to_ship_idx ON shop.orders (placed_at) WHERE status = 'paid';

CREATE TABLE shop.order_items (
    order_id bigint NOT NULL REFERENCES shop.orders (id) ON DELETE CASCADE,
    position smallint NOT NULL,
    product_id bigint NOT NULL REFERENCES shop.products (id),
    quantity integer NOT NULL,
    unit_price numeric(10, 2) NOT NULL,
    PRIMARY KEY (order_id, position),
    CONSTRAINT order_items_position_positive CHECK (position > 0),
    CONSTRAINT order_items_quantity_positive CHECK (quantity > 0),
    CONSTRAINT order_items_unit_price_positive CHECK (unit_price > 0)
);

COMMENT ON COLUMN shop.order_items.unit_price IS 'The price on the day of the order.';

CREATE INDEX order_items_product_id_idx ON shop.order_items (product_id);

-- migrate:down
DROP TABLE shop.order_items;

DROP TABLE shop.orders;

DROP TYPE shop.order_status;
