/*
 * statement_order_state.c
 *		The statements that read an order as it is, for its history.  The rules of
 *		statement.c hold here too.
 */
#include "postgres.h"

#include "plan.h"

/* clang-format off */
const OtStatement ot_order_state_statements[OT_PLAN_COUNT] = {
	/* What order_as_of() tells from the history, told from the tables. */
	[OT_PLAN_ORDER_STATE] = {"ii",
		"SELECT jsonb_build_object('status', o.status, 'status_before_hold', o.status_before_hold,"
		"  'amount', o.amount, 'discount_amount', o.discount_amount,"
		"  'total_amount', o.total_amount, 'value_in_points', o.value_in_points,"
		"  'data_source', o.data_source, 'customer_id', o.customer_id,"
		"  'items', (SELECT jsonb_agg(jsonb_build_object('line_no', i.line_no,"
		"     'product_id', i.product_id, 'sku', i.sku, 'name', i.name, 'color', i.color,"
		"     'size', i.size, 'quantity', i.quantity, 'price', i.price, 'amount', i.amount,"
		"     'discount_amount', i.discount_amount))"
		"    FROM ordertrack.order_items AS i WHERE i.workspace_id = $1 AND i.order_id = $2),"
		"  'shipments', (SELECT jsonb_agg(jsonb_build_object('shipment_id', s.shipment_id,"
		"     'status', s.status, 'status_before_hold', s.status_before_hold,"
		"     'carrier', s.carrier, 'tracking_number', s.tracking_number,"
		"     'items', (SELECT jsonb_agg(jsonb_build_object('line_no', i.line_no,"
		"        'quantity', i.quantity)) FROM ordertrack.shipment_items AS i"
		"       WHERE i.workspace_id = $1 AND i.shipment_id = s.shipment_id)))"
		"    FROM ordertrack.shipments AS s WHERE s.workspace_id = $1 AND s.order_id = $2),"
		"  'payments', (SELECT jsonb_agg(jsonb_build_object('payment_id', p.payment_id,"
		"     'transaction_type', p.transaction_type, 'method', p.method, 'amount', p.amount,"
		"     'status', p.status, 'return_id', p.return_id))"
		"    FROM ordertrack.payments AS p WHERE p.workspace_id = $1 AND p.order_id = $2),"
		"  'returns', (SELECT jsonb_agg(jsonb_build_object('return_id', r.return_id,"
		"     'status', r.status, 'exchange_order_id', r.exchange_order_id,"
		"     'refund_amount', r.refund_amount,"
		"     'items', (SELECT jsonb_agg(jsonb_build_object('line_no', i.line_no,"
		"        'quantity', i.quantity, 'received_quantity',"
		"        (SELECT coalesce(sum(t.quantity), 0) FROM ordertrack.return_receipts AS t"
		"          WHERE t.workspace_id = $1 AND t.return_id = r.return_id"
		"            AND t.line_no = i.line_no))) FROM ordertrack.return_items AS i"
		"       WHERE i.workspace_id = $1 AND i.return_id = r.return_id)))"
		"    FROM ordertrack.returns AS r WHERE r.workspace_id = $1 AND r.order_id = $2))"
		"  FROM ordertrack.orders AS o WHERE o.workspace_id = $1 AND o.order_id = $2"},

	/* What an update is about to change. */
	[OT_PLAN_ORDER_BEFORE] = {"ii",
		"SELECT data_source, value_in_points, note_count FROM ordertrack.orders"
		" WHERE workspace_id = $1 AND order_id = $2"},
	[OT_PLAN_ITEMS_READ] = {"ii",
		"SELECT product_id, sku, name, color, size, quantity, price, amount"
		"  FROM ordertrack.order_items WHERE workspace_id = $1 AND order_id = $2 ORDER BY line_no"},
};
/* clang-format on */
