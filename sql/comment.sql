-- Comments of columns: a name means the same in every table, view and type, so
-- its meaning stands here once. A column that needs more says so where it is made.

CREATE FUNCTION ordertrack.column_meanings()
RETURNS TABLE (column_name text, meaning text)
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
	VALUES
	('actor', 'who did it, as the caller claims'),
	('address', 'postal address as a JSON object: personal data'),
	('amount', 'in minor units: of an order or line before discounts, of a redemption the value given'),
	('applies_to', 'what a rule is about: customer, order or redemption'),
	('author', 'the role that did it'),
	('campaign', 'name of the campaign, NULL for none'),
	('campaign_id', 'the campaign, NULL for none'),
	('campaigns', 'names of the campaigns that have it'),
	('channel', 'where it was done, as the caller says'),
	('code', 'the code as given, compared byte for byte'),
	('color', 'color of the article'),
	('condition', 'a jsonpath that must be true'),
	('created_at', 'when the row came to be'),
	('customer', 'source_id of the customer'),
	('customer_id', 'the customer, NULL for none'),
	('customer_limit', 'most live redemptions by one customer, NULL is no limit'),
	('customer_per_day', 'most live redemptions by one customer in a calendar day, NULL is no limit'),
	('customer_per_month', 'most live redemptions by one customer in a calendar month, NULL is no limit'),
	('customer_per_week', 'most live redemptions by one customer in a week from Monday, NULL is no limit'),
	('data', 'what changed, old and new; no personal data'),
	('data_source', 'the catalog that the order comes from'),
	('deleted_at', 'when a custom note was deleted'),
	('detail', 'the words of a note, or of a finding'),
	('discount', 'type and value of a discount; amounts in minor units'),
	('discount_amount', 'discounts and gift credits of the order or line, in minor units'),
	('discount_budget', 'most discount that may be given away, in minor units, NULL is no limit'),
	('discount_spent', 'discount given away, in minor units, NULL where no budget counts it'),
	('edited_at', 'when a custom note was edited last'),
	('email', 'personal data'),
	('ended_at', 'when it was redeemed or released or its time was over, NULL while it counts'),
	('entity', 'what moves: order; what is limited: voucher or campaign'),
	('entity_id', 'the voucher or the campaign'),
	('event_type', 'what happened'),
	('expires_at', 'first moment at which it can no longer be used, NULL is never'),
	('failure_code', 'the reason of a refusal, NULL on success'),
	('failure_message', 'the reason in words, for people'),
	('field', 'the field of the order that the value was of'),
	('first_name', 'personal data'),
	('function', 'the function that the key was given to'),
	('gift_amount', 'what a gift card was worth at first, in minor units'),
	('gift_balance', 'what is left on a gift card, in minor units'),
	('granted_by', 'the role that granted it'),
	('has_reservations', 'true: redemptions look for reservations that are over'),
	('hash', 'SHA-256 over the note and the hash of the one before'),
	('holds_campaign', 'true: the counters of its campaign have it'),
	('holds_voucher', 'true: the counters of its voucher have it'),
	('idempotency_key', 'the key as the caller gave it'),
	('initial_amount', 'before discounts, as sent, in minor units'),
	('is_active', 'false: refused as voucher_disabled'),
	('is_only', 'keeps the table at one row'),
	('is_striped', 'true: limit_stripes have uses of it'),
	('item_count', 'number of lines'),
	('items', 'the lines as a JSON array; of a redemption, what it gave on each'),
	('items_discount_amount', 'the part of the discount that is on lines, in minor units'),
	('kind', 'of a redemption: redemption, rollback or stack; of a voucher: discount or gift; of access: app, support, admin or auditor'),
	('last_name', 'personal data'),
	('line_no', 'number of the line, from 1'),
	('member_count', 'customers in a fixed list, NULL for a condition'),
	('message', 'what is said to who breaks the rule, NULL for the general words'),
	('metadata', 'a JSON object of the caller''s own'),
	('name', 'name, of an article, a campaign, a rule, a segment or a workspace'),
	('note_count', 'number of the newest note'),
	('note_no', 'number of the note in its order, from 1'),
	('note_type', 'system or custom'),
	('on_behalf_of', 'for whom it was ordered: personal data'),
	('order_amount', 'of the order before discounts, in minor units'),
	('order_budget', 'most order value, before discounts, in minor units, NULL is no limit'),
	('order_id', 'the order, NULL for none'),
	('order_source_id', 'source_id of the order'),
	('order_spent', 'value of its orders, before discounts, in minor units, NULL where no budget counts it'),
	('order_status', 'status of the order as of now'),
	('paid_at', 'when the order became paid first'),
	('per_day', 'most live redemptions in a calendar day, NULL is no limit'),
	('per_month', 'most live redemptions in a calendar month, NULL is no limit'),
	('per_week', 'most live redemptions in a week from Monday, NULL is no limit'),
	('period', 'day, week (from Monday) or month of the workspace''s time zone'),
	('phone', 'personal data'),
	('price', 'of one unit, in minor units'),
	('problem', 'what is wrong, as a code'),
	('product_id', 'the caller''s id of the article'),
	('quantity', 'number of units'),
	('reason', 'why it was rolled back, in words'),
	('redeemed_by', 'the role that logged in (session_user)'),
	('redeemed_count', 'live redemptions, NULL where no limit counts them'),
	('redemption_id', 'the attempt'),
	('redemption_limit', 'most live redemptions, NULL is no limit'),
	('redemptions', 'the successful redemptions and rollbacks as a JSON array'),
	('reservation_key', 'who passes it to redeem uses what it holds'),
	('reserved_by', 'the role that logged in (session_user)'),
	('reserved_count', 'live reservations, as of now'),
	('result', 'success or failure'),
	('role_name', 'the role that has the access'),
	('rollback_no', '1, 2, 3 ... among the successful rollbacks of one redemption'),
	('rollback_of', 'the redemption that a rollback undoes'),
	('rule_count', 'number of rules that decide its redemptions'),
	('rule_id', 'the rule'),
	('salt', '16 random bytes'),
	('segment_id', 'the segment'),
	('shipping_address', 'where the order goes: personal data'),
	('size', 'size of the article'),
	('sku', 'stock keeping unit of the article'),
	('source_id', 'the caller''s own id, unique in a workspace'),
	('stack_id', 'the redemption_id of the stack that this is a part of'),
	('starts_at', 'first moment at which it can be used, NULL is ever since'),
	('starts_on', 'first day of the period'),
	('state', 'succeeded, failed, partially_rolled_back or rolled_back, as of now'),
	('status', 'status of the order'),
	('status_before_hold', 'the status that a hold goes back to'),
	('stripe_no', 'number of the stripe, from 0'),
	('submitted_by', 'who ordered: personal data'),
	('submitted_by_id', 'the caller''s id of who ordered'),
	('tables_version', 'number of the last step of setup() that ran'),
	('title', 'title of a note'),
	('total_amount', 'what the order still has to pay, in minor units'),
	('updated_at', 'when the row was changed last'),
	('used', 'live redemptions that count here'),
	('uses_left', 'uses that this stripe has left'),
	('validity_hours', 'windows of days and hours in which it can be used, in the workspace''s time zone, NULL is always'),
	('value_in_points', 'price in points of an order of rewards'),
	('voucher_count', 'number of vouchers that have it'),
	('voucher_id', 'the voucher, NULL for none'),
	('workspace_id', 'the tenant')
$$;
COMMENT ON FUNCTION ordertrack.column_meanings() IS
'what a column of this name holds, in each table, view and type';

CREATE FUNCTION ordertrack.comment_columns(relation_kinds "char"[]) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $comment$
DECLARE
	c record;
BEGIN
	FOR c IN
		SELECT r.relname, a.attname, m.meaning
		  FROM pg_class AS r
		  JOIN pg_attribute AS a ON a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped
		  JOIN ordertrack.column_meanings() AS m ON m.column_name = a.attname
		 WHERE r.relnamespace = 'ordertrack'::regnamespace AND r.relkind = ANY (relation_kinds)
		   AND col_description(r.oid, a.attnum) IS NULL
	LOOP
		EXECUTE format('COMMENT ON COLUMN ordertrack.%I.%I IS %L', c.relname, c.attname, c.meaning);
	END LOOP;
END
$comment$;
COMMENT ON FUNCTION ordertrack.comment_columns("char"[]) IS
'comments every column of these kinds of relations that has no comment of its own';

SELECT ordertrack.comment_columns('{c}');
COMMENT ON SCHEMA ordertrack IS
'redemptions of vouchers and gift cards, orders and their unchangeable history';
