/*
 * statement_activity.c
 *		The statements of order activity, and of the server that writes it.  The
 *		rules of statement.c hold here too.
 */
#include "postgres.h"

#include "plan.h"

/* clang-format off */
/* Columns of type activity, but for the cursor. */
#define ACTIVITY \
	"n.order_id, (SELECT o.source_id FROM ordertrack.orders AS o" \
	"  WHERE o.workspace_id = $1 AND o.order_id = n.order_id), n.note_no, n.note_type," \
	"  n.event_type, n.channel, n.author, n.title, n.detail, n.data, n.created_at"

const OtStatement ot_activity_statements[OT_PLAN_COUNT] = {
	[OT_PLAN_SERVER_READ] = {"",
		"SELECT server_id, generation, xmin FROM ordertrack.installation WHERE is_only"},
	[OT_PLAN_SERVER_REGISTER] = {"",
		"SELECT ordertrack.register_server()"},

	[OT_PLAN_ACTIVITY_SOURCE] = {"i",
		"SELECT i.server_id, i.generation, EXISTS (SELECT FROM pg_catalog.pg_subscription_rel"
		"   WHERE srrelid = 'ordertrack.order_notes'::regclass),"
		"  EXISTS (SELECT FROM ordertrack.workspaces WHERE workspace_id = $1)"
		"  FROM ordertrack.installation AS i WHERE i.is_only"},
	/*
	 * Notes from number $2 on and those of $3, of what was committed below $4 or is
	 * of our own transaction, $5, which is left out.  The planner doesn't know how
	 * few these are: it is kept from looking for them in the order of time, and from
	 * reading all notes to join them.
	 */
	[OT_PLAN_ACTIVITY_FIRST] = {"iiIiin",
		"WITH new AS MATERIALIZED ("
		"  SELECT created_at, order_id, note_no FROM ordertrack.order_notes"
		"   WHERE workspace_id = $1 AND txid >= $2 AND txid < $4 AND txid <> $5"
		"  UNION ALL SELECT created_at, order_id, note_no FROM ordertrack.order_notes"
		"   WHERE workspace_id = $1 AND txid = ANY ($3) AND txid <> $5)"
		" SELECT a.* FROM (SELECT * FROM new ORDER BY created_at, order_id, note_no LIMIT $6) AS k"
		" CROSS JOIN LATERAL (SELECT " ACTIVITY " FROM ordertrack.order_notes AS n"
		"  WHERE n.workspace_id = $1 AND n.order_id = k.order_id AND n.note_no = k.note_no"
		"  OFFSET 0) AS a"
		" ORDER BY k.created_at, k.order_id, k.note_no"},
	/*
	 * The same in the order of time after a row, up to a snapshot in which $5 were
	 * running.  "+ 0" keeps the planner from the index on txid.
	 */
	[OT_PLAN_ACTIVITY_NEXT] = {"iiIiIzinn",
		"SELECT " ACTIVITY " FROM ordertrack.order_notes AS n"
		" WHERE n.workspace_id = $1 AND (n.created_at, n.order_id, n.note_no) > ($6, $7, $8)"
		"   AND (n.txid + 0 >= $2 OR n.txid + 0 = ANY ($3))"
		"   AND n.txid + 0 < $4 AND n.txid + 0 <> ALL ($5)"
		" ORDER BY n.created_at, n.order_id, n.note_no LIMIT $9"},
};
/* clang-format on */
