# Orders that end at the same instant, and whose codes came in every order, while
# others use, undo and buy the same: nobody waits in a circle, and all comes back.
# An isolation test shows that for the waits that somebody thought of.
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use OrdertrackTest;
use StressTest;
use Test::More;

my $node = new_stress_server('--random-seed=16');

# Codes with each kind of counter, split ones too; rewards whose codes are few.
$node->safe_psql('postgres', <<'EOC');
SELECT ordertrack.create_campaign('ends', redemption_limit => 1000000, customer_limit => 100000, discount_budget => 1000000000);
SELECT ordertrack.create_voucher('END ' || n, '{"type": "amount", "amount_off": 1}', campaign => CASE WHEN n > 1 THEN 'ends' END,
	redemption_limit => CASE WHEN n < 3 THEN 100000 END, customer_limit => CASE WHEN n = 3 THEN 100000 END, per_day => CASE WHEN n = 2 THEN 100000 END)
  FROM generate_series(1, 3) AS n;
SELECT ordertrack.create_voucher('END 4', gift_amount => 10000000);
SELECT ordertrack.create_reward('end', 'gift', 1, code_source => 'pool', redemption_limit => 1000000, customer_limit => 100000, stock => '100000');
SELECT ordertrack.add_reward_codes('end', ARRAY(SELECT 'code ' || n FROM generate_series(1, 12) AS n));
SELECT ordertrack.grant_points('end ' || n, 100000) FROM generate_series(0, 2) AS n;
SELECT ordertrack.create_order(jsonb_build_object('source_id', 'end ' || n, 'amount', 1000), 'end ' || n % 3) FROM generate_series(1, 800) AS n;
EOC
# Two codes on each order, in the one order or in the other, and then a third.
$node->safe_psql('postgres', <<'EOC');
DO $$
BEGIN
	FOR n IN 1 .. 800 LOOP
		PERFORM ordertrack.add_coupon(order_id, 'END ' || code)
		  FROM ordertrack.orders, unnest(CASE n % 4 WHEN 0 THEN '{1,2}' WHEN 1 THEN '{2,1}' WHEN 2 THEN '{4,2,1}' ELSE '{3,1,4}' END::int[]) AS code
		 WHERE source_id = 'end ' || n;
	END LOOP;
END
$$;
EOC
# Each order by one session, as fast as they can.
run_sessions('ends', 8, 100, cancel => [ 1, <<'EOC' ]);
\set turn :turn + 1
SELECT ordertrack.cancel_order(order_id) FROM ordertrack.orders WHERE workspace_id = 1 AND source_id = 'end ' || (:client_id * 100 + :turn);
EOC
asked_is(<<'EOC', '800|0|2000', 'ends: all are canceled, with nothing left, and each code came back once');
SELECT count(*) FILTER (WHERE status = 'canceled'), sum(discount_amount),
	(SELECT count(*) FROM ordertrack.redemptions WHERE kind = 'rollback' AND result = 'success') FROM ordertrack.orders
EOC
are_counters_right($node, 'postgres', 'ends');

# With others who use the same codes and customers, in every way that there is.
my $random = <<'EOC';
\set order random(1, 120)
\set customer random(0, 2)
\set code random(1, 4)
\set other random(1, 4)
\set back random(0, 40)
EOC
my $order = q{FROM ordertrack.orders WHERE workspace_id = 1 AND source_id = 'next :order'};
my $again = <<'EOC';
SELECT ordertrack.redeem('END :code', 'end :customer', '{"source_id": "next :order", "amount": 1000}', 5);
EOC

run_sessions('mix', 8, 400,
	cancel => [ 8, $random . "SELECT ordertrack.cancel_order(order_id) $order;" ],
	leave => [ 1, $random . "SELECT ordertrack.cancel_order(order_id, rollback => false) $order;" ],
	add => [ 6, $random . "SELECT ordertrack.add_coupon(order_id, 'END :code', 3) $order;" ],
	remove => [ 3, $random . "SELECT ordertrack.remove_coupon(order_id, 'END :code') $order;" ],
	# An order that is canceled takes none.
	hand => [ 2, $random . qq{SELECT attempt(\$\$SELECT ordertrack.set_manual_discount(order_id, :back) $order\$\$, '55000', 'OT005');} ],
	redeem => [ 8, $random . $again ],
	# So that there are always some that are not canceled yet.
	renew => [ 4, $random . <<'EOC' ],
UPDATE ordertrack.orders SET source_id = NULL WHERE workspace_id = 1 AND source_id = 'next :order' AND status = 'canceled';
EOC
	stack => [ 4, $random . <<'EOC' ],
SELECT ordertrack.redeem_stack(ARRAY['END :code', 'END :other'], 'end :customer', '{"source_id": "next :order", "amount": 1000}', 'partial');
EOC
	# Orders that are there already: two who make the same one may wait in a circle.
	batch => [ 2, $random . <<'EOC' ],
SELECT ordertrack.redeem_batch(jsonb_build_array(jsonb_build_object('code', 'END :code', 'customer', 'end :customer', 'amount', 2,
		'order_data', jsonb_build_object('id', (SELECT order_id FROM ordertrack.orders WHERE workspace_id = 1 ORDER BY order_id DESC OFFSET :back LIMIT 1))),
	'{"code": "END :other", "customer": "end 1", "order_data": {"amount": 90}, "amount": 2}'::jsonb));
EOC
	back => [ 3, $random . <<'EOC' ],
SELECT ordertrack.rollback_redemption((SELECT max(redemption_id) - :back FROM ordertrack.redemptions WHERE workspace_id = 1));
EOC
	buy => [ 8, $random . <<'EOC' ],
SELECT ordertrack.redeem_reward('end', 'end :customer', 1 + :code % 2);
EOC
	# The newest orders, of rewards too, at times with a code on them.
	end_any => [ 10, $random . <<'EOC' ],
SELECT ordertrack.redeem('END :code', 'end :customer', jsonb_build_object('id', (SELECT max(order_id) - :back FROM ordertrack.orders WHERE workspace_id = 1)), 1);
SELECT ordertrack.cancel_order(order_id) FROM ordertrack.orders
 WHERE workspace_id = 1 AND order_id = (SELECT max(order_id) - :back FROM ordertrack.orders WHERE workspace_id = 1);
EOC
	end_reward => [ 8, $random . <<'EOC' ],
SELECT ordertrack.cancel_order(order_id) FROM ordertrack.orders WHERE workspace_id = 1 AND order_id = (SELECT max(order_id) - :back % 4
	FROM ordertrack.issued_rewards WHERE workspace_id = 1 AND canceled_at IS NULL);
EOC
	hold => [ 2, $random . qq{SELECT attempt(\$\$SELECT ordertrack.hold_order(order_id) $order\$\$, 'OT010');} ],
	release => [ 2, $random . qq{SELECT attempt(\$\$SELECT ordertrack.release_order(order_id) $order\$\$, 'OT010');} ]);
# Few codes, which come back to one customer as they are bought by the same one.
run_sessions('codes', 8, 100, back_and_forth => [ 1, <<'EOC' ]);
SELECT ordertrack.redeem_reward('end', 'end 1');
SELECT ordertrack.cancel_order(order_id) FROM ordertrack.orders WHERE workspace_id = 1 AND order_id = (SELECT max(order_id)
	FROM ordertrack.issued_rewards WHERE workspace_id = 1 AND canceled_at IS NULL);
EOC
asked_is(<<'EOC', '', 'mix: enough of each was done');
SELECT kind, result, is_reward, n FROM (VALUES ('redemption', 'success', true), ('redemption', 'success', false),
	('rollback', 'success', true), ('rollback', 'success', false), ('rollback', 'failure', false)) AS w (kind, result, is_reward)
  LEFT JOIN (SELECT kind::text, result::text, reward IS NOT NULL AS is_reward, count(*) AS n FROM ordertrack.redemptions GROUP BY 1, 2, 3) AS r
	USING (kind, result, is_reward)
 WHERE coalesce(n, 0) < 20
EOC
asked_is(<<'EOC', 't|t|t|t', 'mix: uses, stock, codes and points of rewards are those of live ones');
SELECT live = (SELECT redeemed_count FROM ordertrack.rewards), live = 100000 - (SELECT sum(stock) FROM ordertrack.reward_variants),
	live = (SELECT count(issued_at) FROM ordertrack.reward_codes), live = (SELECT sum(spent) FROM ordertrack.point_accounts)
  FROM (SELECT count(*) FILTER (WHERE canceled_at IS NULL) AS live FROM ordertrack.issued_rewards) AS u
EOC

is_sound($node, 'postgres', 'in the end');
are_counters_right($node, 'postgres', 'in the end');
is($node->log_contains('ERROR:  (?:deadlock|could not serialize)|PANIC|TRAP|terminated by signal'),
	'', 'no deadlock and no crash in the log');

$node->stop;
done_testing();
