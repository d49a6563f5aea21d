-- Yardstick (c): the same call of the PL/pgSQL function.
\set customer random(1, :customers)
\set voucher random(1, :customers)
SELECT * FROM bench_c.redeem('code-' || :voucher::text, 'customer-' || :customer::text, :order);
