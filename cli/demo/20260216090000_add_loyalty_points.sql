-- migrate:up
ALTER TABLE shop.customers ADD COLUMN loyalty_points integer NOT NULL DEFAULT 0;

CREATE INDEX customers_loyalty_points_idx ON shop.customers (loyalty_points);

UPDATE shop.customers
SET loyalty_points = (
    SELECT coalesce(floor(sum(total_amout)), 0)
    FROM shop.order_totals
    WHERE order_totals.customer_id = customers.id
);

-- migrate:down
DROP INDEX shop.customers_loyalty_points_idx;

ALTER TABLE shop.customers DROP COLUMN loyalty_points;
