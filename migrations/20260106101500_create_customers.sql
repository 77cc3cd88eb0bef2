-- migrate:up
CREATE TABLE shop.customers (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    email text NOT NULL,
    full_name text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT customers_email_has_at CHECK (email LIKE '_%@_%'),
    CONSTRAINT customers_full_name_not_blank CHECK (btrim(full_name) <> '')
);

-- One account for each address, however it is typed.
CREATE UNIQUE INDEX customers_email_key ON shop.customers (lower(email));

CREATE TRIGGER customers_set_updated_at
    BEFORE UPDATE ON shop.customers
    FOR EACH ROW
    EXECUTE FUNCTION shop.set_updated_at();

-- migrate:down
DROP TABLE shop.customers;
