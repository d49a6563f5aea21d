/*
 * points_request.h
 *		What the functions that move points by themselves have in common.
 */
#ifndef OT_POINTS_REQUEST_H
#define OT_POINTS_REQUEST_H

#include "points.h"

#define OT_POINTS_FIELDS 5

/* A call, beside whose points it moves; fields are what its key is hashed from. */
typedef struct OtPointsRequest
{
	const char *function;
	int64 workspace;
	TimestampTz now;
	const char *reason;
	const char *idempotency_key; /* NULL: none */
	const char *channel;
	const char *actor;
	const char *fields[OT_POINTS_FIELDS];
	uint8 hash[OT_HASH_LENGTH];
} OtPointsRequest;

extern int64 ot_points_arg(FunctionCallInfo fcinfo, int n);
extern void ot_points_request_read(OtPointsRequest *request, FunctionCallInfo fcinfo,
								   int first);
extern void ot_points_request_hash(OtPointsRequest *request);
extern bool ot_points_key_take(const OtPointsRequest *request, int64 *lot_id);
extern void ot_points_request_ledger(const OtPointsRequest *request, int64 customer_id,
									 OtLedger *ledger);

#endif
