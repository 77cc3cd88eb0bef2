-- migrate:up
CREATE VIEW shop.order_totals AS
SELECT
    orders.id AS order_id,
    orders.number,
    orders.customer_id,
    orders.status,
    orders.placed_at,
    count(*) AS items,
    sum(order_items.quantity * order_items.unit_price) AS total_amount
FROM shop.orders
JOIN shop.order_items ON order_items.order_id = orders.id
GROUP BY orders.id;

CREATE VIEW shop.daily_revenue AS
SELECT
    (placed_at AT TIME ZONE 'UTC')::date AS day,
    count(*) AS orders,
    sum(total_amount) AS revenue
FROM shop.order_totals
WHERE status <> 'cancelled'
GROUP BY day;

-- migrate:down
DROP VIEW shop.daily_revenue;

DROP VIEW shop.order_totals;
