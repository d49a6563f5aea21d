# What arrives on other servers: a logical subscriber, whose apply workers run our
# triggers, and a hot standby, which cannot write. Both need servers of their own.
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use LedgerTest;
use OrdertrackTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $publisher = new_server('publisher', allows_streaming => 'logical');
my $subscriber = new_server('subscriber', allows_streaming => 'logical');

install($publisher, 'postgres');
install($subscriber, 'postgres', 'seed => false');

# Rows for the first copy: each kind of code, a hold, notes, and an order whose
# metadata and note are stored out of line.
$publisher->safe_psql('postgres', <<'EOC');
SELECT ordertrack.create_workspace('second');
SELECT ordertrack.create_campaign('all', redemption_limit => 100, customer_limit => 50);
SELECT ordertrack.create_voucher('TEN', '{"type": "percent", "percent_off": 10}', campaign => 'all');
SELECT ordertrack.create_voucher('ONE', '{"type": "amount", "amount_off": 100}', redemption_limit => 1);
SELECT ordertrack.create_voucher('GIFT', gift_amount => 10000);
SELECT ordertrack.put_customer('anna', 'anna@example.com', address => '{"city": "Ulm"}');
SELECT ordertrack.redeem('TEN', 'anna', format('{"source_id": "a-%s",
	"items": [{"quantity": 1, "price": %s}]}', i, i * 100)::jsonb, idempotency_key => 'key ' || i) FROM generate_series(1, 5) AS i;
SELECT ordertrack.redeem('ONE', 'ben', '{"source_id": "b-1", "amount": 500}') FROM generate_series(1, 2);
INSERT INTO ordertrack.rewards (workspace_id, name, type, cost_in_points, code_source) VALUES (1, 'tea', 'event_invitation', 80, 'none');
SELECT ordertrack.grant_points('anna', 100, '2100-01-01', idempotency_key => 'points'), ordertrack.redeem_reward('tea', 'anna');
SELECT ordertrack.redeem('GIFT', 'anna', '{"source_id": "g-1", "amount": 4000}');
SELECT ordertrack.create_order(jsonb_build_object('source_id', 'long', 'amount', 700,
	'shipping_address', '{"street": "x"}'::jsonb, 'metadata', jsonb_build_object('long',
		(SELECT string_agg(md5(i::text), '') FROM generate_series(1, 1000) AS i))));
SELECT ordertrack.add_note(order_id, (SELECT string_agg(md5(i::text), '') FROM generate_series(1, 300) AS i),
	'a title') FROM ordertrack.orders;
SELECT ordertrack.set_order_status(order_id, 'on_hold') FROM ordertrack.orders WHERE source_id = 'a-2';
EOC

# History is never deleted; lines of an order and counts of customers are.
my @tables = relations($publisher, 'postgres', 'r');

$publisher->safe_psql('postgres', <<'EOC');
CREATE PUBLICATION ordertrack FOR TABLES IN SCHEMA ordertrack WITH (publish = 'insert, update, delete');
EOC
$subscriber->safe_psql('postgres', "CREATE SUBSCRIPTION ordertrack CONNECTION '"
	  . $publisher->connstr . " dbname=postgres' PUBLICATION ordertrack");
$subscriber->wait_for_subscription_sync($publisher, 'ordertrack');

sub same_ok
{
	my ($name) = @_;
	my $notes = $publisher->safe_psql('postgres', 'SELECT count(*) FROM ordertrack.order_notes');

	is(rows_of($subscriber, 'postgres', @tables), rows_of($publisher, 'postgres', @tables),
		"$name: identical rows of every table");
	is($subscriber->safe_psql('postgres', 'SELECT count(*) FROM ordertrack.order_notes'),
		$notes, "$name: no note is written twice");
	is_sound($subscriber, 'postgres', $name);
	are_counters_right($subscriber, 'postgres', $name);
	is_ledger_right($subscriber, 'postgres', $name);
}

same_ok('first copy');

$publisher->safe_psql('postgres', <<'EOC');
CREATE TEMP TABLE of AS SELECT order_id, source_id FROM ordertrack.orders;
SELECT ordertrack.redeem('TEN', 'new customer', '{"source_id": "n-1", "amount": 900}', idempotency_key => 'key 6');
SELECT ordertrack.redeem('ONE', 'new customer');
SELECT ordertrack.redeem('GIFT', 'anna', '{"source_id": "a-1"}', 50);
SELECT ordertrack.rollback_redemption(redemption_id, 'part', 10) FROM ordertrack.redemptions WHERE code = 'GIFT';
SELECT ordertrack.rollback_redemption(redemption_id, 'whole') FROM ordertrack.redemptions WHERE code = 'ONE';
SELECT ordertrack.set_order_status(order_id, 'paid') FROM of WHERE source_id IN ('a-2', 'long');
SELECT ordertrack.set_order_status(order_id, 'in_progress', 'store', 'eve') FROM of WHERE source_id = 'long';
UPDATE ordertrack.orders SET status = 'completed' WHERE status = 'paid';
SELECT ordertrack.edit_note(order_id, note_no, 'shorter') FROM ordertrack.order_notes
 WHERE title IS NOT NULL AND order_id % 2 = 0;
SELECT ordertrack.delete_note(order_id, note_no) FROM ordertrack.order_notes
 WHERE title IS NOT NULL AND order_id % 2 = 1;
SELECT ordertrack.update_order(ordertrack.create_order('{"source_id": "lines",
	"items": [{"quantity": 1, "price": 5}, {"quantity": 2}]}'),
	'{"items": [{"quantity": 3, "price": 7}], "shipping_address": {"street": "y"}}');
SELECT ordertrack.redeem_batch('[{"code": "TEN", "customer": "anna", "order_data": {"amount": 10}},
	{"code": "GIFT", "amount": 1}]');
SELECT ordertrack.grant_points('anna', 20), ordertrack.transfer_points('anna', 'ben', 25), ordertrack.cancel_points(1);
SELECT ordertrack.rollback_redemption(redemption_id) FROM ordertrack.redemptions WHERE reward = 'tea';
SELECT ordertrack.update_voucher('GIFT', customer_limit => 20);
SELECT ordertrack.put_customer('anna', phone => '1', workspace => 1), ordertrack.create_workspace('third');
DELETE FROM ordertrack.personal_values WHERE order_id = (SELECT order_id FROM of WHERE source_id = 'long');
EOC
$publisher->wait_for_catchup('ordertrack');
same_ok('streamed changes');

# What a customer got: each change and its note arrive once, and nothing is judged again.
$publisher->safe_psql('postgres', <<'EOC');
SELECT ordertrack.create_reward('mug', 'gift', 10), ordertrack.create_reward('cash', 'cashback', 10, point_value => 2),
	ordertrack.grant_points('anna', 40);
SELECT ordertrack.redeem_reward('mug', 'anna', 2), ordertrack.redeem_reward('cash', 'anna'), ordertrack.redeem_reward('mug', 'anna');
SELECT ordertrack.mark_used(array_agg(issued_reward_id)) FROM ordertrack.issued_rewards
 WHERE redemption_id = (SELECT min(redemption_id) FROM ordertrack.redemptions WHERE reward = 'mug');
SELECT ordertrack.set_delivery_status(min(issued_reward_id), 'shipped') FROM ordertrack.issued_rewards WHERE delivery_status = 'ordered';
UPDATE ordertrack.issued_rewards SET used_at = NULL, delivery_status = NULL WHERE delivery_status = 'ordered';
SELECT ordertrack.set_cashback_status(issued_reward_id, 1) FROM ordertrack.issued_rewards WHERE reward_type = 'cashback';
SELECT ordertrack.rollback_redemption(max(redemption_id)) FROM ordertrack.redemptions WHERE reward = 'mug';
EOC
$publisher->wait_for_catchup('ordertrack');
is($publisher->safe_psql('postgres', <<'EOC'), 'active 1|active shipped -|active -|canceled -', 'units in each state');
SELECT string_agg(concat_ws(' ', u.status, u.delivery_status, u.cashback_status), '|' ORDER BY reward, issued_reward_id) FROM ordertrack.issued_reward_list AS u
 WHERE reward IN ('mug', 'cash');
EOC
same_ok('what a customer got');

# The life of an order: nothing is judged again, or told twice.
$publisher->safe_psql('postgres', <<'EOC');
SELECT ordertrack.create_order('{"source_id": "life", "items": [{"sku": "a", "quantity": 3, "price": 50}, {"sku": "b", "quantity": 2, "price": 25}]}', 'anna') AS life,
	ordertrack.create_order('{"source_id": "instead", "status": "awaiting_exchange", "items": [{"sku": "a", "quantity": 1, "price": 50}]}', 'anna') AS instead \gset
SELECT ordertrack.add_payment(:life, 150, E'ca\trd', transaction_id => 'T"1', idempotency_key => 'life payment'), ordertrack.add_payment(:life, 50, status => 'pending') AS late,
	ordertrack.create_shipment(:life, '[{"line_no": 1, "quantity": 2}]', carrier => E'd\thl', idempotency_key => 'life box') AS box,
	ordertrack.create_shipment(:life, '[{"line_no": 2, "quantity": 1}]') AS held, ordertrack.create_shipment(:life) AS rest \gset
SELECT ordertrack.set_payment_status(:late, 'processed'), ordertrack.set_shipment_status(:rest, 'canceled');
SELECT ordertrack.set_shipment_status(:box, s, 'JD-1') FROM unnest('{released,packing,shipped}'::text[]) AS s;
SELECT ordertrack.create_return(:life, '[{"line_no": 1, "quantity": 1}]', 'wo"rn', :instead) AS back, ordertrack.create_return(:life, reason => 'late') AS open \gset
SELECT ordertrack.receive_return(:back), ordertrack.complete_return(:back, 20, E'ca\trd'), ordertrack.create_refund(:life, 5, 'sorry');
SELECT ordertrack.hold_order(:life, 'asked for'), ordertrack.set_shipment_status(ARRAY[:held, :box], 'packing');
SELECT ordertrack.release_order(:life), ordertrack.set_manual_discount(:life, 5, 'kind'), ordertrack.set_manual_discount(:life, 4);
SELECT ordertrack.cancel_order(:instead, 'no longer');
EOC
$publisher->wait_for_catchup('ordertrack');
is($publisher->safe_psql('postgres', <<'EOC'), 'shipped inventory_assigned canceled|complete awaiting_stock_return|canceled', 'an order in the middle of its life');
SELECT (SELECT string_agg(status, ' ' ORDER BY shipment_id) FROM ordertrack.shipment_list), (SELECT string_agg(status, ' ' ORDER BY return_id) FROM ordertrack.return_list), status
  FROM ordertrack.order_list WHERE source_id = 'instead';
EOC
same_ok('the life of an order');

# An operator's own moves.
is(sqlstate_of($publisher, 'postgres', <<'EOC'), '', 'an operator adds, changes and removes moves on a publisher');
INSERT INTO ordertrack.status_transitions (workspace_id, entity, from_status, to_status)
VALUES (1, 'order', 'completed', 'in_progress');
UPDATE ordertrack.status_transitions SET event_type = 'order_in_progress'
 WHERE from_status = 'completed' AND workspace_id = 1;
DELETE FROM ordertrack.status_transitions
 WHERE from_status = 'created' AND to_status = 'fulfilled' AND workspace_id = 1;
EOC
$publisher->wait_for_catchup('ordertrack');
same_ok('moves');

# A transaction that is rolled back leaves nothing on either side.
$publisher->safe_psql('postgres', <<'EOC');
BEGIN;
SELECT ordertrack.redeem('TEN', 'nobody', '{"amount": 5}');
ROLLBACK;
BEGIN;
SELECT ordertrack.redeem('TEN', 'anna', '{"amount": 5}');
SAVEPOINT s;
SELECT ordertrack.redeem('TEN', 'anna', '{"amount": 6}');
ROLLBACK TO s;
SELECT ordertrack.redeem('TEN', 'anna', '{"amount": 7}');
COMMIT;
EOC
$publisher->wait_for_catchup('ordertrack');
same_ok('transactions');

is_guarded($subscriber, 'postgres', 'subscriber');
is_guarded($publisher, 'postgres', 'publisher');
is($subscriber->safe_psql('postgres', "SELECT count(*) FROM pg_subscription_rel WHERE srsubstate <> 'r'"),
	'0', 'every table is still replicated');
is($subscriber->log_contains('ERROR:  (?!history|order notes|head of|rows of|column "\w+" of table "\w+" cannot)'),
	'', 'no apply worker has failed') or diag(slurp_file($subscriber->logfile));

# The subscriber takes over, by what the README says: no id is given twice.
my ($set_sequences) = slurp_file("$FindBin::RealBin/../../README.md") =~ /^Sequences are not replicated.*?^```sql\n(.*?)^```/ms;
$subscriber->safe_psql('postgres', $set_sequences);
for my $column (split /\n/, $subscriber->safe_psql('postgres', <<'EOC'))
SELECT attrelid::regclass || '|' || attname FROM pg_attribute WHERE attidentity <> '' AND attrelid::regclass::text LIKE 'ordertrack.%'
EOC
{
	my ($table, $id) = split /\|/, $column;

	is($subscriber->safe_psql('postgres', "SELECT nextval(pg_get_serial_sequence('$table', '$id')) > coalesce(max($id), 0) FROM $table"),
		't', "subscriber: the next $id is a new one");
}

# setup() leaves the rows as they are, also which server writes: activity can't be
# followed here while it comes from elsewhere.
$subscriber->safe_psql('postgres', 'SELECT ordertrack.setup()');
same_ok('setup() on the subscriber');
is(sqlstate_of($subscriber, 'postgres', "SELECT ordertrack.$_"), '55000', "subscriber: $_ is refused")
  for 'activity_since()', 'activity_cursor()';
my $cursor = $publisher->safe_psql('postgres', 'SELECT ordertrack.activity_cursor()');

# A hot standby reads, and says clearly that it cannot write.
$publisher->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($publisher, 'base', has_streaming => 1);
$standby->start;
$publisher->safe_psql('postgres', q{SELECT ordertrack.redeem('TEN', 'anna', '{"source_id": "last", "amount": 100}')});
$publisher->wait_for_catchup($standby);

is(rows_of($standby, 'postgres', relations($standby, 'postgres', 'rv')),
	rows_of($publisher, 'postgres', relations($publisher, 'postgres', 'rv')),
	'standby: identical rows of every table and view');
is_sound($standby, 'postgres', 'standby');
is($standby->safe_psql('postgres', <<'EOC'), 'success|100', 'standby: validate works');
SELECT result, discount_amount FROM ordertrack.validate('TEN', 'anna', '{"source_id": "new", "amount": 1000}')
EOC
is($standby->safe_psql('postgres', q{SELECT active, spent FROM ordertrack.points_balance('ben')}), '25|0', 'standby: points_balance works');
is($standby->safe_psql('postgres', 'SELECT count(*) FROM ordertrack.order_history(1)'),
	$publisher->safe_psql('postgres', 'SELECT count(*) FROM ordertrack.order_history(1)'), 'standby: order_history works');
is($standby->safe_psql('postgres', "SELECT count(*) FROM ordertrack.activity_since('$cursor')"),
	$publisher->safe_psql('postgres', "SELECT count(*) FROM ordertrack.activity_since('$cursor')"), 'standby: activity_since works');
is($standby->safe_psql('postgres', q{SELECT ordertrack.export_query('redemptions')}),
	$publisher->safe_psql('postgres', q{SELECT ordertrack.export_query('redemptions')}), 'standby: export_query works');

my @writers = (
	q{redeem('TEN')},
	q{redeem_batch('[]')},
	q{redeem_batch('[{"code": "TEN"}]')},
	q{rollback_redemption(1)},
	q{create_order('{}')},
	q{update_order(1, '{}')},
	q{update_order(1, '{"metadata": {"a": 1}}')},
	q{set_order_status(1, 'canceled')},
	q{add_note(1, 'x')},
	q{edit_note(1, 1, 'x')},
	q{delete_note(1, 1)},
	q{put_customer('anna')},
	q{create_workspace('x')},
	q{create_campaign('x')},
	q{update_campaign('all')},
	q{create_voucher('x', gift_amount => 1)},
	q{update_voucher('TEN', is_active => false)},
	q{create_shipment(1)}, q{set_shipment_status(1, 'released')}, q{set_shipment_status('{1}'::bigint[], 'released')},
	q{hold_order(1)}, q{release_order(1)}, q{cancel_order(1)}, q{add_coupon(1, 'TEN')}, q{remove_coupon(1, 'TEN')}, q{set_manual_discount(1, 1)},
	q{add_payment(1, 1)}, q{create_refund(1, 1)}, q{set_payment_status(1, 'failed')},
	q{create_return(1)}, q{receive_return(1)}, q{complete_return(1)}, q{cancel_return(1)},
	q{grant_points('anna', 1)},
	q{transfer_points('ben', 'anna', 1)},
	q{cancel_points(1)},
	q{grant_access('app', current_user)},
	q{setup()});
for my $call (@writers)
{
	is(sqlstate_of($standby, 'postgres', "SELECT ordertrack.$call"), '25006', "standby: $call is refused");
}
like(message_of($standby, 'postgres', q{SELECT ordertrack.redeem('TEN')}),
	qr/ERROR:  cannot execute ordertrack\.redeem\(\) in a read-only transaction/, 'standby: by a clear message');

# After a failover it goes on where the other server ended.
$publisher->stop;
$standby->promote;
is($standby->safe_psql('postgres', <<'EOC'), 'success|f|t', 'promoted: redeem works');
SELECT result, replayed, r.redemption_id > (SELECT max(redemption_id) FROM ordertrack.redemptions)
  FROM ordertrack.redeem('TEN', 'anna', '{"source_id": "after", "amount": 100}') AS r;
EOC
is_sound($standby, 'postgres', 'promoted');
is($standby->safe_psql('postgres', <<'EOC'), "t\n26", 'promoted: points go on');
SELECT ordertrack.grant_points('ben', 1) > (SELECT max(lot_id) FROM ordertrack.point_lots);
SELECT active FROM ordertrack.points_balance('ben');
EOC
are_counters_right($standby, 'postgres', 'promoted');
is_ledger_right($standby, 'postgres', 'promoted');
is_guarded($standby, 'postgres', 'promoted');

# A subscriber that has taken over goes on where the publisher's cursor was.
$publisher->start;
$publisher->wait_for_catchup('ordertrack');
$publisher->stop;
$subscriber->safe_psql('postgres', $_) for 'ALTER SUBSCRIPTION ordertrack DISABLE', 'ALTER SUBSCRIPTION ordertrack SET (slot_name = NONE)',
	'DROP SUBSCRIPTION ordertrack';
is(sqlstate_of($subscriber, 'postgres', "SELECT ordertrack.activity_since('$cursor')"), '55000', 'subscriber: not before its first note');
my $told = $subscriber->safe_psql('postgres', q{SELECT ordertrack.create_order('{"source_id": "taken over"}')});
is($subscriber->safe_psql('postgres', <<"EOC"), "$told|taken over|1|2", 'subscriber: it comes after the publisher\'s last');
SELECT max(order_id), max(source_id) FILTER (WHERE order_id = $told), max(note_no) FILTER (WHERE order_id = $told), count(DISTINCT order_id)
  FROM ordertrack.activity_since('$cursor')
EOC
is($subscriber->safe_psql('postgres', 'SELECT generation FROM ordertrack.installation'), '2', 'subscriber: it has registered');

$standby->stop;
$subscriber->stop;
done_testing();
