# Orders under random work of many sessions: shipments, holds, cancellations, payments,
# refunds, returns and coupons in all orders of orders, with no deadlock, and nothing
# sent, refunded or returned that was not there. pgbench drives the sessions from fixed
# seeds; any error that is not named here ends its run.
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use OrdertrackTest;
use StressTest;
use Test::More;

my $node = new_stress_server('--random-seed=21');

# The last unit, and 100 paid: one of 16 sessions gets each.
$node->safe_psql('postgres', <<'EOC');
SELECT ordertrack.create_order('{"status": "paid", "items": [{"sku": "a", "quantity": 1, "price": 100}]}'),
	ordertrack.add_payment(1, 100);
EOC
run_sessions('last unit', 16, 1, ship => [ 1, <<'EOC' ]);
SELECT attempt('SELECT ordertrack.create_shipment(1)', 'OT007');
SELECT attempt('SELECT ordertrack.create_refund(1, 60)', 'OT007');
EOC
asked_is('SELECT (SELECT count(*) FROM ordertrack.shipments), (SELECT count(*) FROM ordertrack.payments)', '1|2',
	'last unit: shipped once, and 60 of 100 refunded once');

# Orders with two codes each, in opposite orders, of which few are used again and again.
$node->safe_psql('postgres', <<'EOC');
SELECT ordertrack.create_voucher('LIFE ' || i, '{"type": "amount", "amount_off": 10}', redemption_limit => 25, customer_limit => 6)
  FROM generate_series(1, 4) AS i;
SELECT ordertrack.create_voucher('LIFE CARD ' || i, gift_amount => 100000) FROM generate_series(1, 2) AS i;
SELECT ordertrack.create_voucher('LIFE FREE', '{"type": "unit", "product_id": "a", "unit_off": 1, "effect": "add_new_items"}');
EOC
my $random = <<'EOC';
\set back random(0, 20)
\set other random(0, 20)
\set code random(1, 4)
\set kind random(0, 9)
\set amount random(1, 400)
\set status random(0, 5)
EOC
# A thing that is not there yet is no error here.
my $none = q{'OT001', 'OT002', 'OT005', 'OT007', 'OT010', '55000'};

run_sessions('order life', 16, 200,
	make => [ 2, $random . <<'EOC' ],
SELECT ordertrack.create_order('{"status": "paid", "items": [{"product_id": "a", "quantity": 4, "price": 250}, {"product_id": "b", "quantity": 2, "price": 100}]}', 'life :kind');
EOC
	make_unpaid => [ 1, $random . <<'EOC' ],
SELECT ordertrack.create_order('{"items": [{"product_id": "a", "quantity": 4, "price": 250}, {"product_id": "b", "quantity": 2, "price": 100}]}', 'life :kind');
EOC
	coupon => [ 4, $random . <<"EOC" ],
SELECT attempt(format('SELECT ordertrack.add_coupon(%s, %L)', coalesce(max(order_id), 0) - :back,
	CASE WHEN :kind = 0 THEN 'LIFE FREE' WHEN :kind < 3 THEN 'LIFE CARD ' || :code % 2 + 1 ELSE 'LIFE ' || :code END), $none)
  FROM ordertrack.orders WHERE workspace_id = 1;
EOC
	uncoupon => [ 2, $random . <<"EOC" ],
SELECT attempt(format('SELECT ordertrack.remove_coupon(%s, %L)', coalesce(max(order_id), 0) - :back, 'LIFE :code'), $none)
  FROM ordertrack.orders WHERE workspace_id = 1;
EOC
	manual => [ 1, $random . <<"EOC" ],
SELECT attempt(format('SELECT ordertrack.set_manual_discount(%s, :amount)', coalesce(max(order_id), 0) - :back), $none)
  FROM ordertrack.orders WHERE workspace_id = 1;
EOC
	pay => [ 4, $random . <<"EOC" ],
SELECT attempt(format('SELECT ordertrack.add_payment(%s, 3 * :amount, status => %L)', coalesce(max(order_id), 0) - :back,
	CASE WHEN :kind < 4 THEN 'pending' ELSE 'processed' END), $none) FROM ordertrack.orders WHERE workspace_id = 1;
EOC
	settle => [ 2, $random . <<"EOC" ],
SELECT attempt(format('SELECT ordertrack.set_payment_status(%s, %L)', coalesce(max(payment_id), 0) - :back,
	CASE WHEN :kind < 3 THEN 'failed' ELSE 'processed' END), $none) FROM ordertrack.payments WHERE workspace_id = 1;
EOC
	refund => [ 2, $random . <<"EOC" ],
SELECT attempt(format('SELECT ordertrack.create_refund(%s, :amount)', coalesce(max(order_id), 0) - :back), $none)
  FROM ordertrack.orders WHERE workspace_id = 1;
EOC
	ship => [ 4, $random . <<"EOC" ],
SELECT attempt(format('SELECT ordertrack.create_shipment(%s, %L)', coalesce(max(order_id), 0) - :back,
	CASE WHEN :kind < 6 THEN '[{"line_no": 1, "quantity": 1}]' END), $none) FROM ordertrack.orders WHERE workspace_id = 1;
EOC
	step => [ 12, $random . <<'EOC' ],
SELECT ordertrack.set_shipment_status(ARRAY[s.shipment_id], CASE s.status WHEN 'released' THEN 'packing' WHEN 'packing' THEN 'shipped' WHEN 'shipped' THEN 'delivered' ELSE 'released' END)
  FROM ordertrack.shipments AS s WHERE workspace_id = 1 AND shipment_id = (SELECT max(shipment_id) - :back FROM ordertrack.shipments WHERE workspace_id = 1);
EOC
	move => [ 12, $random . <<'EOC' ],
SELECT ordertrack.set_shipment_status(ARRAY[coalesce(max(shipment_id), 0) - :back, coalesce(max(shipment_id), 0) - :other, coalesce(max(shipment_id), 0) - (:back + :other) / 2],
	(ARRAY['released', 'packing', 'shipped', 'delivered', 'released', 'packing'])[:status + 1]) FROM ordertrack.shipments WHERE workspace_id = 1;
EOC
	stop => [ 2, $random . <<"EOC" ],
SELECT attempt(format('SELECT ordertrack.set_shipment_status(%s, %L)', coalesce(max(shipment_id), 0) - :back,
	CASE WHEN :kind < 5 THEN 'on_hold' ELSE 'canceled' END), $none) FROM ordertrack.shipments WHERE workspace_id = 1;
EOC
	raw => [ 1, $random . <<"EOC" ],
SELECT attempt(format('UPDATE ordertrack.orders SET status = %L WHERE workspace_id = 1 AND order_id = %s',
	(ARRAY['in_progress', 'on_hold', 'canceled'])[:status % 3 + 1], coalesce(max(order_id), 0) - :back), $none) FROM ordertrack.orders WHERE workspace_id = 1;
EOC
	hold => [ 2, $random . <<"EOC" ],
SELECT attempt(format('SELECT ordertrack.hold_order(%s)', coalesce(max(order_id), 0) - :back), $none) FROM ordertrack.orders WHERE workspace_id = 1;
EOC
	release => [ 3, $random . <<"EOC" ],
SELECT attempt(format('SELECT ordertrack.release_order(%s)', coalesce(max(order_id), 0) - :back), $none) FROM ordertrack.orders WHERE workspace_id = 1;
EOC
	cancel => [ 1, $random . <<"EOC" ],
SELECT attempt(format('SELECT ordertrack.cancel_order(%s, ''no longer wanted'')', coalesce(max(order_id), 0) - :back), $none) FROM ordertrack.orders WHERE workspace_id = 1;
EOC
	rollback => [ 1, $random . <<'EOC' ],
SELECT ordertrack.rollback_redemption((SELECT max(redemption_id) - :back FROM ordertrack.redemptions WHERE workspace_id = 1));
EOC
	return => [ 6, $random . <<"EOC" ],
SELECT attempt(format('SELECT ordertrack.create_return(%s, %L)', coalesce(max(order_id), 0) - :back,
	CASE WHEN :kind < 6 THEN '[{"line_no": 1, "quantity": 1}]' END), $none) FROM ordertrack.orders WHERE workspace_id = 1;
EOC
	receive => [ 8, $random . <<"EOC" ],
SELECT attempt(format('SELECT ordertrack.receive_return(%s)', coalesce(max(return_id), 0) - :back / 4), $none) FROM ordertrack.returns WHERE workspace_id = 1;
EOC
	complete => [ 9, $random . <<"EOC" ],
SELECT attempt(format('SELECT ordertrack.%s(%s)', CASE WHEN :kind < 8 THEN 'complete_return' ELSE 'cancel_return' END, coalesce(max(return_id), 0) - :back / 4), $none)
  FROM ordertrack.returns WHERE workspace_id = 1;
EOC
	note => [ 1, $random . <<"EOC" ]);
SELECT attempt(format('SELECT ordertrack.add_note(%s, %L)', coalesce(max(order_id), 0) - :back, 'seen'), $none) FROM ordertrack.orders WHERE workspace_id = 1;
EOC

asked_is(<<'EOC', '', 'order life: each kind was done');
SELECT what, n FROM (VALUES ('shipment_shipped'), ('shipment_delivered'), ('shipment_on_hold'), ('shipment_cancelled'), ('transition_refused'),
		('order_paid'), ('order_partially_shipped'), ('order_completed'), ('order_on_hold'), ('order_cancelled'),
		('adding_payment'), ('creating_refund'), ('return_created'), ('return_receipt_items'), ('return_completed'),
		('promotion_add_coupon'), ('promotion_remove_coupon'), ('promotion_manual_discount')) AS w (what)
  LEFT JOIN (SELECT event_type, count(*) FROM ordertrack.order_notes GROUP BY 1) AS c (what, n) USING (what) WHERE n IS NULL
EOC
asked_is(<<'EOC', '0|0|0', 'order life: nothing was sent, refunded or returned that was not there');
SELECT (SELECT count(*) FROM ordertrack.order_items AS i WHERE quantity < (SELECT sum(u.quantity) FROM ordertrack.shipment_items AS u
	JOIN ordertrack.shipments AS s USING (workspace_id, shipment_id) WHERE u.order_id = i.order_id AND u.line_no = i.line_no AND s.status <> 'canceled')),
	(SELECT count(*) FROM (SELECT order_id FROM ordertrack.payments GROUP BY order_id
		HAVING coalesce(sum(amount) FILTER (WHERE transaction_type IN ('sale', 'capture') AND status = 'processed'), 0)
		 < coalesce(sum(amount) FILTER (WHERE transaction_type = 'credit' AND status <> 'failed'), 0)) AS p),
	(SELECT count(*) FROM ordertrack.order_items AS i WHERE
		(SELECT sum(CASE r.status WHEN 'canceled' THEN 0 WHEN 'complete' THEN (SELECT coalesce(sum(c.quantity), 0) FROM ordertrack.return_receipts AS c
			WHERE c.return_id = r.return_id AND c.line_no = t.line_no) ELSE t.quantity END)
		   FROM ordertrack.return_items AS t JOIN ordertrack.returns AS r USING (workspace_id, return_id) WHERE t.order_id = i.order_id AND t.line_no = i.line_no)
		> (SELECT coalesce(sum(u.quantity), 0) FROM ordertrack.shipment_items AS u JOIN ordertrack.shipments AS s USING (workspace_id, shipment_id)
			WHERE u.order_id = i.order_id AND u.line_no = i.line_no AND s.status IN ('shipped', 'delivered')))
EOC
asked_is(<<'EOC', '0|0', 'order life: shipments stop and end with their order');
SELECT count(*) FILTER (WHERE o.status = 'on_hold' AND s.status NOT IN ('on_hold', 'shipped', 'delivered', 'canceled')),
	count(*) FILTER (WHERE o.status = 'canceled' AND s.status NOT IN ('shipped', 'delivered', 'canceled'))
  FROM ordertrack.orders AS o JOIN ordertrack.shipments AS s USING (workspace_id, order_id)
EOC
is_sound($node, 'postgres', 'in the end');
are_counters_right($node, 'postgres', 'in the end');
is($node->log_contains('ERROR:  (?:deadlock|could not serialize)|PANIC|TRAP|terminated by signal'),
	'', 'no deadlock and no crash in the log');

$node->stop;
done_testing();
