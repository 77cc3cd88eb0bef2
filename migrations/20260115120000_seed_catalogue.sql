-- migrate:up
INSERT INTO shop.products (sku, name, unit_price, stock)
VALUES
    ('MUG-0001', 'Stoneware Mug', 14.90, 120),
    ('MUG-0002', 'Espresso Cup, Set of 2', 19.50, 80),
    ('TEA-0101', 'Earl Grey, Loose Leaf', 8.75, 300),
    ('TEA-0102', 'Sencha "First Harvest"', 12.40, 150),
    ('COF-0201', 'House Blend, Whole Bean', 11.90, 260),
    ('COF-0202', 'Café Crème – Ground', 10.90, 240),
    ('POT-0301', 'Cast Iron Teapot', 54.00, 25),
    ('GRN-0401', 'Hand Coffee Grinder', 69.00, 18);

INSERT INTO shop.customers (email, full_name)
VALUES
    ('ada@example.com', 'Ada Lindqvist'),
    ('Bruno.Keller@example.com', 'Bruno Keller'),
    ('chioma@example.org', 'Chioma Okafor');

INSERT INTO shop.orders (number, customer_id, status, placed_at, shipped_at)
SELECT seed.number, customers.id, seed.status::shop.order_status, seed.placed_at, seed.shipped_at
FROM (
    VALUES
        ('2026-0001', 'ada@example.com', 'delivered', timestamptz '2026-01-07 09:12Z', timestamptz '2026-01-08 15:30Z'),
        ('2026-0002', 'bruno.keller@example.com', 'shipped', timestamptz '2026-01-12 18:44Z', timestamptz '2026-01-13 11:05Z'),
        ('2026-0003', 'ada@example.com', 'paid', timestamptz '2026-01-14 07:58Z', NULL),
        ('2026-0004', 'chioma@example.org', 'cancelled', timestamptz '2026-01-14 21:20Z', NULL)
) AS seed (number, email, status, placed_at, shipped_at)
JOIN shop.customers ON lower(customers.email) = seed.email
ORDER BY seed.number;

INSERT INTO shop.order_items (order_id, position, product_id, quantity, unit_price)
SELECT orders.id, seed.position, products.id, seed.quantity, products.unit_price
FROM (
    VALUES
        ('2026-0001', 1, 'MUG-0001', 4),
        ('2026-0001', 2, 'TEA-0101', 2),
        ('2026-0002', 1, 'GRN-0401', 1),
        ('2026-0002', 2, 'COF-0201', 3),
        ('2026-0002', 3, 'MUG-0002', 1),
        ('2026-0003', 1, 'POT-0301', 1),
        ('2026-0004', 1, 'COF-0202', 6)
) AS seed (number, position, sku, quantity)
JOIN shop.orders USING (number)
JOIN shop.products USING (sku);

-- migrate:down
DELETE FROM shop.orders
WHERE number IN ('2026-0001', '2026-0002', '2026-0003', '2026-0004');

DELETE FROM shop.customers
WHERE lower(email) IN ('ada@example.com', 'bruno.keller@example.com', 'chioma@example.org');

DELETE FROM shop.products
WHERE sku IN ('MUG-0001', 'MUG-0002', 'TEA-0101', 'TEA-0102', 'COF-0201', 'COF-0202', 'POT-0301', 'GRN-0401');
