# Many sessions at the same instant: what an isolation test shows for two or three
# callers at chosen points must hold for 32 at points that nobody chose. pgbench
# drives them; any error, a deadlock or a serialization failure too, ends its run.
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use OrdertrackTest;
use StressTest;
use Test::More;

my $node = new_stress_server();

$node->safe_psql('postgres', <<'EOC');
CREATE TABLE answers (turn int, session int, id bigint, result text, replayed boolean, other text);
EOC

# A redemption that is given back in parts, so old that no other step finds it.
$node->safe_psql('postgres', <<'EOC');
SELECT ordertrack.create_voucher('PARTS', gift_amount => 5000), ordertrack.redeem('PARTS', amount => 5000);
EOC

# One code for 1000 uses, asked for 6400 times: sessions queue for its counter,
# and for that of its campaign, until both are split.
$node->safe_psql('postgres', <<'EOC');
SELECT ordertrack.create_campaign('thousand', redemption_limit => 1500);
SELECT ordertrack.create_voucher('THOUSAND', '{"type": "amount", "amount_off": 100}', campaign => 'thousand',
	redemption_limit => 1000);
EOC
run_sessions('limit', 32, 200, limit => [ 1, <<'EOC' ]);
SELECT ordertrack.redeem('THOUSAND', 'customer ' || :client_id, '{"items": [{"quantity": 2, "price": 500},
	{"quantity": 1, "price": 1}]}');
EOC
asked_is(<<'EOC', "failure|quantity_exceeded|5400\nsuccess||1000", 'limit: 6400 rows, exactly 1000 of them a success');
SELECT result, failure_code, count(*) FROM ordertrack.redemptions WHERE code = 'THOUSAND' GROUP BY 1, 2 ORDER BY 1
EOC
asked_is(<<'EOC', '1000|1000|1000|2000|1000', 'limit: the counters say so, and nothing is left of lost races');
SELECT (SELECT redeemed_count FROM ordertrack.voucher_list WHERE code = 'THOUSAND'),
	(SELECT redeemed_count FROM ordertrack.campaign_list WHERE name = 'thousand'),
	(SELECT count(*) FROM ordertrack.orders), (SELECT count(*) FROM ordertrack.order_items),
	(SELECT count(*) FROM ordertrack.orders WHERE discount_amount = 100 AND total_amount = 901 AND status = 'paid')
EOC

asked_is('SELECT count(*), count(DISTINCT entity) FROM ordertrack.limit_stripes', '128|2',
	'limit: both counters were split');

# The same with uses that come back and a limit that rises: a counter that is
# split and folded again and again.
$node->safe_psql('postgres', <<'EOC');
SELECT ordertrack.create_voucher('FLASH', '{"type": "amount", "amount_off": 1}', redemption_limit => 600);
EOC
run_sessions('flash sale', 32, 30, use => [ 40, <<'EOC' ], back => [ 2, <<'EOD' ], raise => [ 1, <<'EOE' ], batch => [ 1, <<'EOF' ]);
SELECT ordertrack.redeem('FLASH');
EOC
\set back random(0, 20)
SELECT ordertrack.rollback_redemption((SELECT max(redemption_id) - :back FROM ordertrack.redemptions WHERE workspace_id = 1));
EOD
SELECT attempt($$SELECT ordertrack.update_voucher('FLASH', redemption_limit => redemption_limit + 10)
  FROM ordertrack.voucher_list WHERE workspace_id = 1 AND code = 'FLASH'$$, 'OT005');
EOE
SELECT ordertrack.redeem_batch('[{"code": "FLASH"}, {"code": "FLASH"}]');
EOF
run_sessions('end of the flash sale', 32, 20, use => [ 1, q{SELECT ordertrack.redeem('FLASH')} ]);
asked_is(<<'EOC', 't|t', 'flash sale: used up to the last use, and then refused');
SELECT (SELECT count(*) > 0 FROM ordertrack.redemptions WHERE code = 'FLASH' AND failure_code = 'quantity_exceeded'),
	(SELECT redeemed_count = redemption_limit FROM ordertrack.voucher_list WHERE code = 'FLASH')
EOC

# Limits in calendar periods, for all and for each customer, of codes and of
# their campaign; and budgets.
$node->safe_psql('postgres', <<'EOC');
SELECT ordertrack.create_campaign('periods', per_week => 475, customer_per_day => 48),
	ordertrack.create_campaign('budgets', discount_budget => 5000, order_budget => 100000);
SELECT ordertrack.create_voucher('DAY ' || i, '{"type": "amount", "amount_off": 1}', campaign => 'periods',
	per_day => 238, customer_per_month => 24) FROM generate_series(1, 2) AS i;
SELECT ordertrack.create_voucher('PART ' || i, '{"type": "percent", "percent_off": 10}', campaign => 'budgets')
  FROM generate_series(1, 2) AS i;
EOC
run_sessions('periods', 32, 40, all => [ 1, <<'EOC' ]);
\set code random(1, 2)
SELECT ordertrack.redeem('DAY :code', 'periodic ' || :client_id % 10, '{"amount": 50}');
EOC
asked_is(<<'EOC', '475|238|48|24', 'periods: no counter is above its limit, and what could be used is used up');
SELECT sum(used) FILTER (WHERE entity = 'campaign' AND customer_id = 0), max(used) FILTER (WHERE entity = 'voucher' AND customer_id = 0),
	max(used) FILTER (WHERE entity = 'campaign' AND customer_id <> 0), max(used) FILTER (WHERE entity = 'voucher' AND customer_id <> 0)
  FROM ordertrack.period_counts
EOC
run_sessions('budgets', 32, 30, spend => [ 9, <<'EOC' ], back => [ 1, <<'EOD' ]);
\set code random(1, 2)
\set price random(1, 400)
SELECT ordertrack.redeem('PART :code', order_data => '{"amount": :price}');
EOC
\set back random(0, 20)
SELECT ordertrack.rollback_redemption((SELECT max(redemption_id) - :back FROM ordertrack.redemptions WHERE workspace_id = 1));
EOD
run_sessions('budgets spent', 32, 5, spend => [ 1, q{SELECT ordertrack.redeem('PART 1', order_data => '{"amount": 10}')} ]);
asked_is(<<'EOC', '5000|t', 'budgets: one is spent to the last cent, and none is exceeded');
SELECT discount_spent, order_spent <= order_budget FROM ordertrack.campaign_list WHERE name = 'budgets'
EOC

# One gift card, spent by all in amounts of their choice; an order takes what it
# can use, an amount above the balance is refused.
$node->safe_psql('postgres', q{SELECT ordertrack.create_voucher('CARD', gift_amount => 50000)});
run_sessions('gift card', 32, 30, gift => [ 1, <<'EOC' ]);
\set amount random(1, 400)
\set price random(100, 300)
SELECT ordertrack.redeem('CARD', NULL, '{"amount": :price}', :amount);
EOC
asked_is(<<'EOC', '960|t|t|t', 'gift card: credits taken are what the balance has lost, and no two saw the same balance');
SELECT count(*), sum(r.amount) = min(v.gift_amount - v.gift_balance), min(r.gift_balance) >= 0,
	count(r.gift_balance) FILTER (WHERE result = 'success')
	 = count(DISTINCT r.gift_balance) FILTER (WHERE result = 'success')
  FROM ordertrack.vouchers AS v JOIN ordertrack.redemptions AS r USING (workspace_id, code) WHERE v.code = 'CARD'
EOC
asked_is(<<'EOC', 't', 'gift card: nobody was refused what was there');
SELECT NOT EXISTS (SELECT FROM ordertrack.redemptions WHERE code = 'CARD' AND result = 'failure'
	AND (failure_code <> 'gift_amount_exceeded' OR gift_balance >= 400))
EOC

# Limits for each customer, of a code and of its campaign.
$node->safe_psql('postgres', <<'EOC');
SELECT ordertrack.create_campaign('each', customer_limit => 9);
SELECT ordertrack.create_voucher('SEVEN', '{"type": "amount", "amount_off": 1}', customer_limit => 7);
SELECT ordertrack.create_voucher('EACH ' || i, '{"type": "amount", "amount_off": 1}', campaign => 'each', customer_limit => 6)
  FROM generate_series(1, 2) AS i;
EOC
run_sessions('customer limit', 32, 40, one => [ 1, <<'EOC' ], two => [ 1, <<'EOD' ]);
SELECT ordertrack.redeem('SEVEN', 'limited ' || :client_id % 10, '{"amount": 50}');
EOC
\set code random(1, 2)
SELECT ordertrack.redeem('EACH :code', 'limited ' || :client_id % 10, '{"amount": 50}');
EOD
asked_is(<<'EOC', '70|7|90|9|6', 'customer limit: every customer has used up his share, and no more');
SELECT sum(used) FILTER (WHERE code = 'SEVEN'), max(used) FILTER (WHERE code = 'SEVEN'),
	(SELECT sum(used) FROM ordertrack.campaign_customers), (SELECT max(used) FROM ordertrack.campaign_customers),
	max(used) FILTER (WHERE code LIKE 'EACH%')
  FROM ordertrack.voucher_customers JOIN ordertrack.vouchers USING (workspace_id, voucher_id)
EOC
asked_is(<<'EOC', 'redemption_rules_violated', 'customer limit: that is what the others are told');
SELECT DISTINCT failure_code FROM ordertrack.redemptions WHERE customer LIKE 'limited %' AND result = 'failure'
EOC

# Equal keys, sent at once: 15 of them can succeed, and refusals are kept as well.
$node->safe_psql('postgres', <<'EOC');
SELECT ordertrack.create_voucher('KEYED', '{"type": "amount", "amount_off": 1}', redemption_limit => 15);
EOC
run_sessions('keys', 20, 20, keys => [ 1, <<'EOC' ]);
\set turn :turn + 1
\set choice :client_id % 2
SELECT redemption_id AS id, result, replayed
  FROM ordertrack.redeem('KEYED', 'keyed :turn', '{"source_id": "keyed :turn", "amount": 10}',
	idempotency_key => 'key :turn') \gset
SELECT attempt($$SELECT ordertrack.redeem('none', metadata => '{"choice": :choice}', idempotency_key => 'other :turn')$$,
	'OT003') AS other \gset
INSERT INTO answers VALUES (:turn, :client_id, :id, ':result', ':replayed', ':other');
EOC
asked_is(<<'EOC', '20', 'keys: each has one effect and one answer, given again to the 19 others');
SELECT count(*) FROM (SELECT FROM answers GROUP BY turn
	HAVING count(*) = 20 AND count(DISTINCT (id, result)) = 1 AND count(*) FILTER (WHERE NOT replayed) = 1) AS t
EOC
asked_is(<<'EOC', '20|15|15|15|20', 'keys: as many rows as keys');
SELECT count(*), count(*) FILTER (WHERE result = 'success'),
	(SELECT redeemed_count FROM ordertrack.vouchers WHERE code = 'KEYED'),
	(SELECT count(*) FROM ordertrack.orders WHERE source_id LIKE 'keyed %'),
	(SELECT count(*) FROM ordertrack.idempotency_keys WHERE idempotency_key LIKE 'key %')
  FROM ordertrack.redemptions WHERE code = 'KEYED'
EOC
asked_is(<<'EOC', '20|20', 'keys: of two requests with one key the first wins, and the other is an error');
SELECT (SELECT count(*) FROM (SELECT FROM answers GROUP BY turn HAVING count(*) FILTER (WHERE other = 'OT003') = 10
	 AND count(DISTINCT session % 2) FILTER (WHERE other = 'done') = 1) AS t),
	(SELECT count(*) FROM ordertrack.redemptions WHERE code = 'none')
EOC

# Everything at once, at random. Orders and customers that a batch names are
# there before, as two batches that create the same ones in another order could
# only wait for each other.
$node->safe_psql('postgres', <<'EOC');
SELECT ordertrack.create_campaign('mix', redemption_limit => 400, customer_limit => 60, per_month => 380,
	customer_per_week => 55, discount_budget => 10000000, order_budget => 100000000);
SELECT ordertrack.create_campaign('mix open');
SELECT ordertrack.create_voucher('mix ' || i,
	CASE WHEN i <= 8 THEN jsonb_build_object('type', 'percent', 'percent_off', 7.5 * i) END,
	CASE WHEN i > 8 THEN 40000 END, CASE WHEN i % 2 = 0 THEN 'mix' WHEN i % 3 = 0 THEN 'mix open' END,
	redemption_limit => CASE WHEN i IN (2, 3, 9) THEN 150 END, customer_limit => CASE WHEN i IN (3, 4, 10) THEN 20 END)
  FROM generate_series(1, 12) AS i;
SELECT ordertrack.create_order(jsonb_build_object('source_id', 'mix ' || i, 'amount', i * 1000), 'mix ' || i % 10)
  FROM generate_series(1, 40) AS i;
EOC
my $random = <<'EOC';
\set code random(1, 12)
\set code2 random(1, 12)
\set code3 random(1, 12)
\set customer random(0, 9)
\set order random(1, 40)
\set order2 random(1, 40)
\set price random(0, 3000)
\set credits random(1, 2000)
\set back random(0, 200)
\set note random(2, 7)
\set status random(1, 9)
EOC
my $statuses = "'{created,paid,fulfilled,in_progress,partially_shipped,completed,on_hold,awaiting_exchange,canceled}'";
my $order = "(SELECT max(order_id) - :back FROM ordertrack.orders WHERE workspace_id = 1)";

run_sessions('mix', 8, 250,
	new_order => [ 4, $random . <<'EOC' ],
SELECT ordertrack.redeem('mix :code', 'mix :customer', '{"items": [{"quantity": 2, "price": :price}]}');
EOC
	old_order => [ 6, $random . <<'EOC' ],
SELECT ordertrack.redeem('mix :code', CASE WHEN :customer > 3 THEN 'mix :customer' END,
	'{"source_id": "mix :order", "amount": 5000}', CASE WHEN :customer > 5 THEN :credits END);
EOC
	same_new_order => [ 4, $random . <<'EOC' ],
SELECT ordertrack.redeem('mix :code', 'fresh :customer', '{"source_id": "fresh :order", "amount": 5000}');
EOC
	batch => [ 2, $random . <<'EOC' ],
SELECT ordertrack.redeem_batch('[{"code": "mix :code", "customer": "mix :customer", "order_data": {"source_id": "mix :order"}},
	{"code": "mix :code2", "order_data": {"source_id": "mix :order2"}},
	{"code": "mix :code3", "customer": "mix :customer", "amount": 5}]');
EOC
	rollback => [ 8, $random . <<'EOC' ],
SELECT ordertrack.rollback_redemption((SELECT max(redemption_id) - :back FROM ordertrack.redemptions WHERE workspace_id = 1),
	amount => CASE WHEN :customer > 3 THEN :credits / 10 + 1 END);
EOC
	status => [ 4, $random . <<"EOC" ],
SELECT attempt(format('SELECT ordertrack.set_order_status(%s, %L)', $order, (${statuses}::text[])[:status]), 'OT001', 'OT010');
EOC
	raw_status => [ 3, $random . <<"EOC" ],
SELECT attempt(format('UPDATE ordertrack.orders SET status = %L WHERE workspace_id = 1 AND order_id = %s',
	(${statuses}::text[])[:status], $order), 'OT010');
EOC
	raw_customer => [ 1, $random . <<"EOC" ],
UPDATE ordertrack.orders SET customer_id = (SELECT customer_id FROM ordertrack.customers
	 WHERE workspace_id = 1 AND source_id = 'mix :customer')
 WHERE workspace_id = 1 AND source_id = 'fresh :order';
EOC
	notes => [ 4, $random . <<"EOC" ],
SELECT attempt(format('SELECT ordertrack.add_note(%s, %L)', $order, 'a note'), 'OT001');
SELECT attempt(format('SELECT ordertrack.edit_note(%s, :note, %L)', $order, 'other words'), 'OT001', 'OT005', 'OT020');
SELECT attempt(format('SELECT ordertrack.delete_note(%s, :note)', $order), 'OT001', 'OT005', 'OT020');
EOC
	rollback_part => [ 2, $random . <<'EOC' ],
SELECT ordertrack.rollback_redemption((SELECT min(redemption_id) FROM ordertrack.redemptions
	 WHERE workspace_id = 1 AND code = 'PARTS'), amount => :note);
EOC
	update_order => [ 2, $random . <<"EOC" ],
\\set back random(0, 3)
SELECT ordertrack.create_order('{"items": [{"quantity": 2, "price": 500}]}', 'mix :customer');
SELECT attempt(format('SELECT ordertrack.update_order(%s, %L)', $order,
	'{"items": [{"quantity": 1, "price": :price}], "metadata": {"k": :price}}'), 'OT001', '55000');
EOC
	limits => [ 1, $random . <<'EOC' ]);
SELECT ordertrack.update_voucher('mix :code', redemption_limit => 100000, customer_limit => 50000);
SELECT ordertrack.update_voucher('mix :code', clear => '{redemption_limit,customer_limit}') WHERE :customer > 4;
SELECT ordertrack.update_voucher('mix :code2', per_day => 100000, customer_per_month => 50000);
SELECT ordertrack.update_voucher('mix :code2', clear => '{per_day,customer_per_month}') WHERE :customer > 4;
SELECT ordertrack.update_campaign('mix open', customer_limit => 50000, per_week => 100000, discount_budget => 1000000000,
	order_budget => 1000000000);
SELECT ordertrack.update_campaign('mix open', clear => '{customer_limit,per_week,discount_budget,order_budget}') WHERE :customer < 4;
EOC
asked_is(<<'EOC', '', 'mix: enough of each kind was done');
SELECT what, n FROM (
	SELECT kind || ' ' || result, count(*) FROM ordertrack.redemptions WHERE code LIKE 'mix %' GROUP BY 1
	UNION ALL SELECT 'further part', count(*) FROM ordertrack.redemptions WHERE rollback_no > 1
	UNION ALL SELECT 'note ' || event_type, count(*) FROM ordertrack.order_notes
	 WHERE event_type IN ('order_created', 'order_updated', 'order_cancelled', 'promotion_add_coupon',
		'promotion_remove_coupon', 'none', 'note_edited') GROUP BY 1
	UNION ALL SELECT 'deleted note', count(*) FROM ordertrack.order_notes WHERE deleted_at IS NOT NULL) AS counts (what, n)
 WHERE n < 5
EOC

# Uses that are held: redeemed, released, or over before long, by sessions that
# want more than there is. HELD 3 splits its counter.
$node->safe_psql('postgres', <<'EOC');
SELECT ordertrack.create_campaign('held', redemption_limit => 400, customer_per_month => 60, discount_budget => 3000);
SELECT ordertrack.create_voucher('HELD 1', '{"type": "amount", "amount_off": 10}', campaign => 'held',
	redemption_limit => 150, customer_limit => 30);
SELECT ordertrack.create_voucher('HELD 2', gift_amount => 1000, campaign => 'held', per_day => 100);
SELECT ordertrack.create_voucher('HELD 3', '{"type": "amount", "amount_off": 10}', redemption_limit => 700);
SELECT ordertrack.put_customer('held ' || i) FROM generate_series(1, 10) AS i;
EOC
my $hold = <<'EOC';
\set code random(1, 3)
\set customer random(1, 10)
\set back random(0, 30)
\set credits random(1, 30)
EOC
run_sessions('reservations', 32, 40,
	held_redeemed => [ 6, $hold . <<'EOC' ],
SELECT reservation_key AS key FROM ordertrack.reserve('HELD :code', 'held :customer', '{"amount": 100}', :credits) \gset
SELECT ordertrack.redeem('HELD :code', 'held :customer', '{"amount": 100}', reservation_key => nullif(':key', ''));
EOC
	held_in_batch => [ 2, $hold . <<'EOC' ],
SELECT reservation_key AS key FROM ordertrack.reserve('HELD :code', 'held :customer', '{"amount": 100}', 5) \gset
SELECT ordertrack.redeem_batch('[{"code": "HELD :code", "customer": "held :customer", "amount": 5, "reservation_key": ":key"},
	{"code": "HELD 1", "customer": "held 3"}, {"code": "HELD 2", "customer": "held 4", "amount": 1}]');
EOC
	held_released => [ 3, $hold . <<'EOC' ],
SELECT reservation_key AS key FROM ordertrack.reserve('HELD :code', 'held :customer', '{"amount": 100}', :credits) \gset
SELECT ordertrack.release_reservation(':key') WHERE ':key' <> '';
EOC
	held_over => [ 4, $hold . <<'EOC' ],
SELECT ordertrack.reserve('HELD :code', 'held :customer', '{"amount": 100}', :credits, hold => '20 milliseconds');
EOC
	held_by_others => [ 3, $hold . <<'EOC' ],
SELECT ordertrack.redeem('HELD :code', 'held :customer', '{"amount": 100}', :credits);
EOC
	held_used_back => [ 2, $hold . <<'EOC' ],
SELECT ordertrack.rollback_redemption((SELECT max(redemption_id) - :back FROM ordertrack.redemptions WHERE workspace_id = 1));
EOC
	held_limit => [ 1, $hold . <<'EOC' ]);
SELECT attempt('SELECT ordertrack.update_voucher(''HELD 1'', redemption_limit => 150 + :credits)', 'OT005');
SELECT ordertrack.update_campaign('held', clear => '{customer_per_month}') WHERE :credits > 15;
SELECT ordertrack.update_campaign('held', customer_per_month => 60 + :credits);
EOC
my $held_counters = <<'EOC';
SELECT v.code, l.redeemed_count + count(h) FILTER (WHERE h.holds_voucher) = u.used,
	v.gift_balance IS NULL OR v.gift_balance + coalesce(sum(h.amount) FILTER (WHERE h.holds_voucher), 0) + u.given = v.gift_amount
  FROM ordertrack.vouchers AS v JOIN ordertrack.voucher_list AS l USING (workspace_id, voucher_id)
  LEFT JOIN ordertrack.reservations AS h USING (workspace_id, voucher_id)
 CROSS JOIN LATERAL (SELECT sum(CASE WHEN kind = 'redemption' THEN 1 WHEN is_complete THEN -1 ELSE 0 END)
		+ (SELECT count(*) FROM ordertrack.reservations AS r WHERE r.workspace_id = 1 AND r.voucher_id = v.voucher_id AND r.holds_voucher) AS used,
		sum(amount) AS given FROM ordertrack.redemptions AS r
	 WHERE r.workspace_id = v.workspace_id AND r.voucher_id = v.voucher_id AND r.result = 'success') AS u
 WHERE v.code LIKE 'HELD %' GROUP BY v.code, l.redeemed_count, u.used, u.given, v.gift_balance, v.gift_amount ORDER BY v.code
EOC
asked_is($held_counters, "HELD 1|t|t\nHELD 2||t\nHELD 3|t|t", 'reservations: what is used and what is held is what is counted');
asked_is(<<'EOC', '', 'reservations: enough of each kind was done');
SELECT status, n FROM (VALUES ('redeemed'), ('released'), ('expired')) AS s (status)
  LEFT JOIN (SELECT status, count(*) AS n FROM ordertrack.reservation_list GROUP BY 1) AS l USING (status)
 WHERE coalesce(n, 0) < 20
EOC
asked_is(<<'EOC', 't|t', 'reservations: and none was redeemed twice');
SELECT count(redemption_id) = count(DISTINCT redemption_id),
	count(*) FILTER (WHERE status = 'redeemed') = (SELECT count(*) FROM ordertrack.redemptions AS r
		JOIN ordertrack.reservations AS h USING (workspace_id, redemption_id, code) WHERE r.result = 'success')
  FROM ordertrack.reservations
EOC
# Let go of all that is still held, so that a recount of redemptions is enough below.
$node->safe_psql('postgres', <<'EOC');
SELECT ordertrack.release_reservation(reservation_key) FROM ordertrack.reservations WHERE status = 'live';
SELECT ordertrack.update_voucher('HELD ' || n, metadata => '{}') FROM generate_series(1, 3) AS n;
SELECT ordertrack.update_campaign('held', metadata => '{}');
EOC
asked_is('SELECT count(*) FROM ordertrack.reservations WHERE holds_voucher OR holds_campaign', '0',
	'reservations: none holds anything in the end');

# A code with a limit for each customer, used by one for an order of another, and
# orders that move from one customer to another.
$node->safe_psql('postgres', <<'EOC');
SELECT ordertrack.create_voucher('CROSS', '{"type": "amount", "amount_off": 1}', customer_limit => 100000);
SELECT ordertrack.create_order(jsonb_build_object('source_id', 'cross ' || i, 'amount', 100000, 'status', 'paid'),
	'cross ' || i % 2) FROM generate_series(1, 20) AS i;
EOC
run_sessions('crosswise', 8, 100, cross => [ 2, <<'EOC' ], move => [ 1, <<'EOD' ]);
\set order random(1, 20)
\set customer random(0, 1)
\set back random(0, 30)
SELECT ordertrack.redeem('CROSS', 'cross :customer', '{"source_id": "cross :order"}');
SELECT ordertrack.rollback_redemption((SELECT max(redemption_id) - :back FROM ordertrack.redemptions WHERE workspace_id = 1));
EOC
\set order random(1, 20)
\set customer random(0, 1)
UPDATE ordertrack.orders SET customer_id = (SELECT customer_id FROM ordertrack.customers
	 WHERE workspace_id = 1 AND source_id = 'cross :customer')
 WHERE workspace_id = 1 AND source_id = 'cross :order';
EOD

is_sound($node, 'postgres', 'in the end');
are_counters_right($node, 'postgres', 'in the end');
is($node->log_contains('ERROR:  (?:deadlock|could not serialize)|PANIC|TRAP|terminated by signal'),
	'', 'no deadlock and no crash in the log');

$node->stop;
done_testing();
