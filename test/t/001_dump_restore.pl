# Dump and restore, by all of the documented paths: only pg_dump and pg_restore
# themselves can tell whether rows, triggers with their state, views, grants and
# sequences come back, and they need databases of their own.
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use LedgerTest;
use OrdertrackTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_server('main');
my $dumps = $node->backup_dir;
my $limit = $PostgreSQL::Test::Utils::timeout_default;

install($node, 'shop');
$node->safe_psql('shop', <<'EOC');
CREATE ROLE ot_app LOGIN;
CREATE ROLE ot_support LOGIN;
CREATE ROLE ot_admin LOGIN;
CREATE ROLE ot_auditor LOGIN;
SELECT ordertrack.grant_access(kind, 'ot_' || kind) FROM unnest('{app,support,admin,auditor}'::text[]) AS kind;
EOC

# Two workspaces with all that the tables can hold, written by several roles.
$node->safe_psql('shop', <<'EOC', extra_params => [ '-U', 'ot_admin' ]);
SELECT ordertrack.create_workspace('second', 'Europe/Berlin');
SELECT ordertrack.create_campaign('summer', now() - interval '1 day', now() + interval '1 year', 50, 3,
	metadata => '{"season": "summer"}', workspace => w) FROM unnest('{1,2}'::bigint[]) AS w;
SELECT ordertrack.create_voucher('TEN', '{"type": "percent", "percent_off": 10.25, "amount_limit": 600}',
	campaign => 'summer', workspace => w) FROM unnest('{1,2}'::bigint[]) AS w;
SELECT ordertrack.create_voucher('OFF', '{"type": "amount", "amount_off": 1000}', redemption_limit => 3);
SELECT ordertrack.create_voucher('FIXED', '{"type": "fixed", "fixed_amount": 5000}', customer_limit => 1,
	metadata => '{"a": [1, 2.50, "\u00e9\"\\"]}');
SELECT ordertrack.create_campaign('budget', discount_budget => 5000, order_budget => 100000,
	validity_hours => '[{"start_time": "00:00"}]');
SELECT ordertrack.create_voucher('DAILY', '{"type": "amount", "amount_off": 100}', campaign => 'budget', per_day => 5,
	customer_per_month => 4);
SELECT ordertrack.create_voucher('SPLIT', '{"type": "amount", "amount_off": 1}', redemption_limit => 40);
SELECT ordertrack.create_voucher('PAUSED', '{"type": "amount", "amount_off": 1}', is_active => false);
SELECT ordertrack.create_voucher('OLD', '{"type": "amount", "amount_off": 1}', expires_at => '2020-01-01');
SELECT ordertrack.create_voucher(E'tab\tÄ\\n', '{"type": "amount", "amount_off": 1}');
SELECT ordertrack.create_voucher('LINES', '{"type": "unit", "product_id": "mug", "unit_off": 2, "price": 450}');
SELECT ordertrack.create_voucher('GIFT', gift_amount => 10000, workspace => w) FROM unnest('{1,2}'::bigint[]) AS w;
SELECT ordertrack.put_customer('anna', 'anna@example.com', '+49 1', 'Anna', E'O''Neil\n',
	'{"city": "Köln"}', '{"vip": true}');
SELECT ordertrack.create_segment('listed', customers => '{anna}'),
	ordertrack.create_segment('new', '!exists($.customer.last_order_at) && !($.customer.metadata."k ey" == "x\"")');
SELECT ordertrack.create_rule('rule', 'order', '!($.order.source_id like_regex "^\\d+\\." flag "i")', E'O''Neil\n', w),
	ordertrack.assign_rule('rule', campaign => 'summer', workspace => w) FROM unnest('{1,2}'::bigint[]) AS w;
SELECT ordertrack.assign_rule('rule', 'FIXED');
SELECT ordertrack.cancel_points(ordertrack.grant_points('anna', 7), 'granted twice');
EOC
$node->safe_psql('shop', <<'EOC', extra_params => [ '-U', 'ot_app' ]);
SELECT ordertrack.redeem('TEN', 'anna', format('{"source_id": "a-%s", "items": [{"product_id": "p", "sku": "s",
	"name": "tab\there", "quantity": %s, "price": 1999, "metadata": {"x": null}}]}', i, i)::jsonb,
	idempotency_key => 'key ' || i, channel => 'web', actor => 'basket', workspace => w)
  FROM generate_series(1, 5) AS i, unnest('{1,2}'::bigint[]) AS w;
SELECT ordertrack.redeem(code, 'ben', '{"amount": 7000, "shipping_address": {"city": "Ulm"}, "metadata": {"k": 1}}')
  FROM unnest(ARRAY['OFF', 'OFF', 'OFF', 'OFF', 'DAILY', 'DAILY', 'SPLIT', 'SPLIT', 'FIXED', 'FIXED', 'PAUSED', 'OLD', 'none', E'tab\tÄ\\n']) AS code;
SELECT ordertrack.redeem('OFF', NULL, '[]');
SELECT ordertrack.redeem('LINES', 'ben', '{"items": [{"product_id": "mug", "quantity": 1, "price": 500}]}');
SELECT ordertrack.redeem('GIFT', 'carl', '{"source_id": "g-1", "amount": 4000}', workspace => w)
  FROM unnest('{1,2}'::bigint[]) AS w;
SELECT ordertrack.redeem('GIFT', amount => 700);
SELECT ordertrack.redeem('GIFT', 'carl', '{"amount": 90000}', 50000);
SELECT ordertrack.grant_points('anna', 100, '2100-01-01', '2001-01-01', 'wel\tcome', 'points', 'web', 'basket', w),
	ordertrack.grant_points('anna', 30, NULL, '2100-01-01', workspace => w), ordertrack.grant_points('ben', 5, workspace => w)
  FROM unnest('{1,2}'::bigint[]) AS w;
SELECT ordertrack.transfer_points('anna', 'ben', 40, 'for Ben''s', 'transfer');
SELECT ordertrack.redeem_batch('[{"code": "TEN", "customer": "dora"}, {"code": "GIFT", "amount": 1}]');
SELECT ordertrack.create_order('{"source_id": "o-1", "amount": 12345, "shipping_address": {"street": "x\\y"}}', 'anna');
SELECT ordertrack.create_order('{"source_id": "o-2", "status": "awaiting_exchange"}', workspace => 2);
SELECT ordertrack.reserve(E'tab\tÄ\\n', 'anna', '{"amount": 100}', hold => hold, metadata => '{"k": 1}',
	idempotency_key => 'held for ' || hold) FROM unnest('{1 microsecond,1 hour}'::interval[]) AS hold;
EOC
$node->safe_psql('shop', <<'EOC');
-- Dealt out to stripes, as by sessions that queue for it.
UPDATE ordertrack.vouchers SET redeemed_count = 40, is_striped = true WHERE workspace_id = 1 AND code = 'SPLIT';
INSERT INTO ordertrack.limit_stripes (workspace_id, entity, entity_id, stripe_no, uses_left)
SELECT workspace_id, 'voucher', voucher_id, n, 19 FROM ordertrack.vouchers, generate_series(0, 1) AS n WHERE code = 'SPLIT';
INSERT INTO ordertrack.status_transitions (workspace_id, entity, from_status, to_status)
VALUES (1, 'order', 'completed', 'in_progress');
DELETE FROM ordertrack.status_transitions
 WHERE workspace_id = 1 AND from_status = 'created' AND to_status = 'fulfilled';
SELECT ordertrack.rollback_redemption(redemption_id, 'part', 500, 'undo') FROM ordertrack.redemptions
 WHERE workspace_id = 1 AND code = 'GIFT' AND result = 'success' ORDER BY redemption_id LIMIT 1;
SELECT ordertrack.rollback_redemption(redemption_id, E'line\nbreak') FROM ordertrack.redemptions
 WHERE code = 'OFF' AND result = 'success' ORDER BY redemption_id LIMIT 1;
SELECT ordertrack.rollback_redemption(redemption_id) FROM ordertrack.redemptions
 WHERE code = 'OFF' AND result = 'failure' LIMIT 1;
CREATE TEMP TABLE of AS SELECT order_id FROM ordertrack.orders WHERE source_id = 'o-1';
SELECT ordertrack.set_order_status(order_id, 'on_hold', 'phone', 'eve') FROM of;
SELECT ordertrack.set_order_status(order_id, 'created') FROM of;
SELECT ordertrack.update_order(order_id, '{"items": [{"quantity": 2, "price": 5}],
	"shipping_address": {"street": "new"}}') FROM of;
SELECT ordertrack.set_order_status(order_id, s) FROM of, unnest('{paid,in_progress,completed,in_progress}'::text[]) AS s;
UPDATE ordertrack.orders SET status = 'on_hold' WHERE workspace_id = 2 AND status = 'paid';
EOC
$node->safe_psql('shop', <<'EOC', extra_params => [ '-U', 'ot_support' ]);
SELECT ordertrack.add_note(order_id, E'called,\t"angry"\n\\.', 'call') FROM ordertrack.order_list WHERE workspace_id = 1;
SELECT ordertrack.edit_note(order_id, note_count, repeat('calm ', 1900)) FROM ordertrack.order_list
 WHERE workspace_id = 1 AND order_id % 3 > 0;
SELECT ordertrack.delete_note(order_id, note_no) FROM ordertrack.order_history_list
 WHERE workspace_id = 1 AND note_type = 'custom' AND order_id % 3 = 1;
SELECT ordertrack.set_manual_discount(order_id, 3, E'Ben''s\t"friend"') FROM ordertrack.order_list WHERE source_id = 'o-1';
EOC

# Rewards, and what customers got: used, on its way, paid out, given back, or not yet to be used.
$node->safe_psql('shop', <<'EOC', extra_params => [ '-U', 'ot_admin' ]);
SELECT ordertrack.create_reward('mug', 'gift', 10, tax_value => 20, stock => '[{"color": "blue", "stock": 9}]', customer_limit => 5),
	ordertrack.create_reward('code', 'value_code', 5, segments => '{listed}', code_source => 'pool', days_inactive => 3, days_valid => 9),
	ordertrack.create_reward('cash', 'cashback', 2, point_value => 3);
SELECT ordertrack.add_reward_codes('code', ARRAY['C-1', E'C\t2', 'C-3']), ordertrack.grant_points('anna', 60);
EOC
$node->safe_psql('shop', <<'EOC', extra_params => [ '-U', 'ot_app' ]);
SELECT ordertrack.redeem_reward('mug', 'anna', 2, 'blue'), ordertrack.redeem_reward('code', 'anna', 2),
	ordertrack.redeem_reward('cash', 'anna'), ordertrack.redeem_reward('mug', 'anna', 1, 'blue');
SELECT ordertrack.mark_used(array_agg(issued_reward_id), 'till', 'bob') FROM ordertrack.reward_list AS r, generate_series(1, 2) AS issued_reward_id WHERE r.name = 'mug';
EOC
$node->safe_psql('shop', <<'EOC');
INSERT INTO ordertrack.status_transitions (workspace_id, entity, from_status, to_status) VALUES (2, 'delivery', 'canceled', 'ordered');
SELECT ordertrack.set_delivery_status(min(issued_reward_id), 'shipped') FROM ordertrack.issued_rewards WHERE delivery_status = 'ordered';
SELECT ordertrack.set_cashback_status(issued_reward_id, 2, '501', E'un\tknown') FROM ordertrack.issued_rewards WHERE reward_type = 'cashback';
SELECT ordertrack.rollback_redemption(max(redemption_id)) FROM ordertrack.issued_rewards WHERE reward_type = 'gift';
EOC
is($node->safe_psql('shop', <<'EOC'), 'canceled -|active 2: 501: un	known|inactive -|inactive -|active ordered -|active shipped -', 'units in each state');
SELECT string_agg(concat_ws(' ', status, delivery_status, cashback_status), '|' ORDER BY issued_reward_id DESC) FROM ordertrack.issued_reward_list;
EOC

# An order on its way: paid, shipped in part, returned in part, held.
$node->safe_psql('shop', <<'EOC');
SELECT ordertrack.create_order('{"source_id": "life", "items": [{"sku": "a", "quantity": 3, "price": 50}, {"sku": "b", "quantity": 2, "price": 25}]}', 'anna') AS life,
	ordertrack.create_order('{"source_id": "instead", "status": "awaiting_exchange", "items": [{"sku": "a", "quantity": 1, "price": 50}]}', 'anna') AS instead \gset
SELECT ordertrack.add_payment(:life, 150, E'ca\trd', transaction_id => 'T"1', idempotency_key => 'life payment'), ordertrack.add_payment(:life, 50, status => 'pending') AS late,
	ordertrack.create_shipment(:life, '[{"line_no": 1, "quantity": 2}]', carrier => E'd\thl', idempotency_key => 'life box') AS box,
	ordertrack.create_shipment(:life, '[{"line_no": 2, "quantity": 1}]') AS held, ordertrack.create_shipment(:life) AS rest \gset
SELECT ordertrack.set_payment_status(:late, 'processed'), ordertrack.set_shipment_status(:rest, 'canceled');
SELECT ordertrack.set_shipment_status(:box, s, 'JD-1') FROM unnest('{released,packing,shipped}'::text[]) AS s;
SELECT ordertrack.create_return(:life, '[{"line_no": 1, "quantity": 1}]', 'wo"rn', :instead) AS back, ordertrack.create_return(:life, reason => 'late') AS open \gset
SELECT ordertrack.receive_return(:back), ordertrack.complete_return(:back, 20, E'ca\trd'), ordertrack.create_refund(:life, 5, 'sorry');
SELECT ordertrack.hold_order(:life), ordertrack.set_shipment_status(ARRAY[:held, :box], 'packing');
EOC
is($node->safe_psql('shop', <<'EOC'), 'shipped on_hold canceled|complete awaiting_stock_return|200|25|on_hold|in_progress', 'an order in the middle of its life');
SELECT (SELECT string_agg(status, ' ' ORDER BY shipment_id) FROM ordertrack.shipment_list), (SELECT string_agg(status, ' ' ORDER BY return_id) FROM ordertrack.return_list),
	o.paid_amount, o.refunded_amount, o.status, e.status FROM ordertrack.order_list AS o, ordertrack.order_list AS e WHERE o.source_id = 'life' AND e.source_id = 'instead';
EOC

my @tables = relations($node, 'shop', 'r');
my @relations = relations($node, 'shop', 'rv');
my $rows = rows_of($node, 'shop', @relations);
my @schema = schema_of($node, 'shop');
my @empty = grep { /\|0\|/ } split /\n/, $rows;

is("@empty", '', 'every table and view has rows to compare');
is_sound($node, 'shop', 'original');
are_counters_right($node, 'shop', 'original');
is_ledger_right($node, 'shop', 'original');

sub run_ok
{
	my ($name, @command) = @_;
	my $errors;

	ok(IPC::Run::run(\@command, '>', '/dev/null', '2>', \$errors, IPC::Run::timeout($limit)), $name)
	  or diag($errors);
	is($errors, '', "$name: without a warning");
}

sub restored_ok
{
	my ($db, $name) = @_;

	is(rows_of($node, $db, relations($node, $db, 'rv')), $rows, "$name: identical rows of every table and view");
	same_lines([ schema_of($node, $db) ], \@schema, "$name: identical definitions, triggers, comments and grants");
	is_sound($node, $db, $name);
	is_guarded($node, $db, $name);
	is($node->safe_psql($db, 'SELECT ordertrack.setup()'), $node->safe_psql('shop', 'SELECT ordertrack.setup()'),
		"$name: setup() runs again");
	is(rows_of($node, $db, @relations), $rows, "$name: and changes nothing, so a removed move stays removed");

	# A role's access: what its kind opens, and no more.
	isnt($node->safe_psql($db, 'SELECT count(*) FROM ordertrack.export_redemptions',
		extra_params => [ '-U', 'ot_auditor' ]), '0', "$name: the auditor reads the export");
	is(sqlstate_of($node, $db, 'SELECT count(*) FROM ordertrack.order_details', '-U', 'ot_auditor'),
		'42501', "$name: but no personal data");
	is(sqlstate_of($node, $db, q{SELECT ordertrack.redeem('TEN')}, '-U', 'ot_auditor'),
		'42501', "$name: and redeems nothing");

	# The next rows get new numbers, in every table with an identity.
	is($node->safe_psql($db, <<'EOC', extra_params => [ '-U', 'ot_admin' ]), 'success|f|t|t', "$name: ids continue");
SELECT ordertrack.create_workspace('third') > 2 AS made_workspace,
	ordertrack.create_campaign('autumn') > 0 AS made_campaign,
	ordertrack.create_voucher('NEW', '{"type": "amount", "amount_off": 5}', campaign => 'autumn') > 0 AS made_voucher \gset
SELECT r.result, r.replayed,
	r.redemption_id > (SELECT max(redemption_id) FROM ordertrack.redemption_list WHERE redemption_id <> r.redemption_id),
	r.order_id > (SELECT max(order_id) FROM ordertrack.order_list WHERE order_id <> r.order_id)
  FROM ordertrack.redeem('NEW', 'new customer', '{"source_id": "new", "amount": 100}') AS r;
EOC
	is($node->safe_psql($db, <<'EOC', extra_params => [ '-U', 'ot_app' ]), 't|88', "$name: points are what they were, and go on");
SELECT ordertrack.grant_points('new customer', 5) > ordertrack.grant_points('anna', 100, '2100-01-01', '2001-01-01',
		'wel\tcome', 'points'), active FROM ordertrack.points_balance('anna');
EOC
	is($node->safe_psql($db, <<'EOC', extra_params => [ '-U', 'ot_admin' ]), 'OT007|t|t|on_hold|partially_shipped|on_hold', "$name: an order goes on");
SELECT order_id AS life FROM ordertrack.order_list WHERE source_id = 'life' \gset
DO $$ BEGIN PERFORM ordertrack.create_refund((SELECT order_id FROM ordertrack.order_list WHERE source_id = 'life'), 176);
EXCEPTION WHEN SQLSTATE 'OT007' THEN PERFORM set_config('test.refused', SQLSTATE, false); END $$;
SELECT current_setting('test.refused'), ordertrack.add_payment(:life, 150, E'ca\trd', transaction_id => 'T"1', idempotency_key => 'life payment')
	 = (SELECT min(payment_id) FROM ordertrack.payment_list),
	ordertrack.create_shipment(:life, '[{"line_no": 1, "quantity": 2}]', carrier => E'd\thl', idempotency_key => 'life box') = (SELECT min(shipment_id) FROM ordertrack.shipment_list),
	(ordertrack.order_as_of(:life) ->> 'status'), ordertrack.release_order(:life), ordertrack.order_as_of(:life, 'infinity') #>> '{shipments,1,status}';
EOC
	is($node->safe_psql($db, <<'EOC', extra_params => [ '-U', 'ot_app' ]), 't', "$name: keys are known");
SELECT replayed FROM ordertrack.redeem('TEN', 'anna', '{"source_id": "a-1", "items": [{"product_id": "p", "sku": "s",
	"name": "tab\there", "quantity": 1, "price": 1999, "metadata": {"x": null}}]}', idempotency_key => 'key 1');
EOC
	$node->safe_psql($db, <<'EOC', extra_params => [ '-U', 'ot_support' ]);
SELECT ordertrack.edit_note(order_id, note_no, 'again') FROM ordertrack.order_history_list
 WHERE workspace_id = 1 AND note_type = 'custom' AND deleted_at IS NULL;
EOC
	is_sound($node, $db, "$name, then worked with");
	are_counters_right($node, $db, $name);
	is_ledger_right($node, $db, $name);
}

my $shop = $node->connstr('shop');

$node->safe_psql('postgres', "CREATE DATABASE $_") for qw(plain custom parallel);
run_ok('pg_dump as plain SQL', 'pg_dump', '-f', "$dumps/plain.sql", '-d', $shop);
run_ok('psql', 'psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-f', "$dumps/plain.sql", '-d', $node->connstr('plain'));
restored_ok('plain', 'plain');

run_ok('pg_dump in custom format', 'pg_dump', '-Fc', '-f', "$dumps/custom.dump", '-d', $shop);
run_ok('pg_restore', 'pg_restore', '-e', '-d', $node->connstr('custom'), "$dumps/custom.dump");
restored_ok('custom', 'custom');

run_ok('pg_dump in directory format', 'pg_dump', '-Fd', '-j2', '-f', "$dumps/directory", '-d', $shop);
run_ok('parallel pg_restore', 'pg_restore', '-e', '-j2', '-d', $node->connstr('parallel'), "$dumps/directory");
restored_ok('parallel', 'parallel');

# Data only: the tables are there, without rows, before the data come.
install($node, 'data', 'seed => false');
my @filled = grep { !/\|0\|/ } split /\n/, rows_of($node, 'data', @tables);
is("@filled", '', 'setup(seed => false) leaves every table empty');
run_ok('pg_restore --data-only', 'pg_restore', '-e', '--data-only', '--disable-triggers',
	'-d', $node->connstr('data'), "$dumps/custom.dump");
isnt(unarmed($node, 'data'), '', 'data only: the triggers are no longer armed');
$node->safe_psql('data', 'SELECT ordertrack.setup()');
restored_ok('data', 'data only');

# A dump of the restored database is one again.
run_ok('pg_dump of what was restored', 'pg_dump', '-Fc', '-f', "$dumps/again.dump", '-d', $node->connstr('data'));
$node->safe_psql('postgres', 'CREATE DATABASE again');
run_ok('pg_restore of it', 'pg_restore', '-e', '-d', $node->connstr('again'), "$dumps/again.dump");
is(rows_of($node, 'again', @relations), rows_of($node, 'data', @relations), 'restored twice: identical rows');
is_sound($node, 'again', 'restored twice');

$node->stop;
done_testing();
