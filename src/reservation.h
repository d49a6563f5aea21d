/*
 * reservation.h
 *		Uses that are held for a while: how they count, and how they end.
 */
#ifndef OT_RESERVATION_H
#define OT_RESERVATION_H

#include "utils/array.h"

#include "limit.h"
#include "redemption.h"

/* What a voucher or a campaign gets back. */
typedef struct OtEndingPart
{
	int64 uses;
	int64 amount;
	int64 order_amount;
	ArrayType *keys;
} OtEndingPart;

/* Reservations that a call ends: their rows are ours, their counters still full. */
typedef struct OtEnding
{
	int64 workspace;
	OtEndingPart voucher;
	OtEndingPart campaign;
	int customer_count;
	Datum *customers; /* room for two more */
} OtEnding;

/* reservation_facts.c */
extern void ot_reservations_read(const OtRequest *request, TimestampTz now,
								 OtFacts *facts);
extern void ot_arg_keys(OtArgs *args, ArrayType *keys);

/* reservation_end.c */
extern bool ot_reservations_end(const OtRequest *request, const OtFacts *facts,
								TimestampTz now, OtEnding *ending);
extern void ot_ending_lock_customers(const OtEnding *ending, int64 customer_id,
									 int64 order_customer_id);
extern void ot_ending_give_back_voucher(OtUse *use);
extern void ot_ending_give_back_campaign(OtUse *use);
extern void ot_ending_give_back_counters(const OtUse *use);
extern void ot_reservations_clear(int64 workspace, const char *entity, int64 entity_id,
								  TimestampTz now);

/* reservation_write.c */
typedef struct OtReservationOutcome
{
	OtOutcome outcome;
	const char *reservation_key;
	TimestampTz expires_at;
} OtReservationOutcome;

extern bool ot_reservation_write(const OtRequest *request, const OtFacts *facts,
								 const OtVerdict *verdict, TimestampTz now,
								 OtReservationOutcome *outcome);
extern OtKeyState ot_reservation_replay(const OtRequest *request,
										OtReservationOutcome *outcome);

#endif
