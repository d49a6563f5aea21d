/*
 * points.h
 *		Points of customers: lots that expire by the clock, the account in which
 *		two calls for the same customer meet, and the ledger of movements.
 */
#ifndef OT_POINTS_H
#define OT_POINTS_H

#include "ordertrack.h"

/* Points that were granted together and are not spent yet. */
typedef struct OtLot
{
	int64 id;
	int64 left;
	TimestampTz expires_at; /* DT_NOEND: never */
	TimestampTz granted_at;
	TimestampTz pending_until; /* DT_NOBEGIN: not pending */
} OtLot;

/* What a customer has as of a moment. */
typedef struct OtPoints
{
	int64 balance; /* of the account, 0 where there is none */
	int64 movement_count;
	int64 spent;
	int64 booked_expired;
	TimestampTz moved_at; /* of the newest movement */
	int lot_count;
	OtLot *lots; /* that have points left, in the order in which they are spent */
	int64 active;
	int64 pending;
	int64 expired; /* in lots whose expiry is not booked yet */
} OtPoints;

typedef enum OtMovementKind
{
	OT_GRANTED,
	OT_SPENT,
	OT_RETURNED,
	OT_EXPIRED,
	OT_CANCELED,
	OT_TRANSFERRED_OUT,
	OT_TRANSFERRED_IN
} OtMovementKind;

/* One movement of a lot's points. */
typedef struct OtMovement
{
	OtMovementKind kind;
	int64 lot_id;
	int64 points; /* negative where they go */
	bool is_new;  /* the lot is inserted with them */
} OtMovement;

/* Movements of one customer that are booked together. */
typedef struct OtLedger
{
	int64 workspace;
	int64 customer_id;
	TimestampTz now;
	int64 redemption_id; /* 0: none */
	const char *reason;
	const char *actor;
	const char *channel;
	int count;
	int size; /* of the array */
	OtMovement *movements;
} OtLedger;

/* points.c */
extern void ot_points_read(int64 workspace, int64 customer_id, TimestampTz now,
						   OtPoints *points);
extern void ot_points_lots_read(int64 workspace, int64 customer_id, TimestampTz now,
								TimestampTz until, OtPoints *points);
extern void ot_points_lock(int64 workspace, int64 customer_id, TimestampTz now,
						   TimestampTz until, OtPoints *points);
extern bool ot_lot_is_expired(const OtLot *lot, TimestampTz now);
extern bool ot_lot_is_pending(const OtLot *lot, TimestampTz now);

/* points_ledger.c */
extern void ot_ledger_begin(OtLedger *ledger, int64 workspace, int64 customer_id,
							TimestampTz now, const char *channel, const char *actor);
extern void ot_lot_insert(const OtLedger *ledger, const OtLot *lot,
						  int64 transferred_from);
extern void ot_ledger_add(OtLedger *ledger, OtMovementKind kind, int64 lot_id,
						  int64 points, bool is_new);
extern void ot_ledger_expire(OtLedger *ledger, OtPoints *points);
extern void ot_ledger_take(OtLedger *ledger, OtPoints *points, OtMovementKind kind,
						   int64 amount);
extern void ot_ledger_book_locked(const OtLedger *ledger, const OtPoints *points);
extern bool ot_ledger_book(const OtLedger *ledger, const OtPoints *points);

#endif
