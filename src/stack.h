/*
 * stack.h
 *		Several codes on one order.
 */
#ifndef OT_STACK_H
#define OT_STACK_H

#include "redemption.h"

typedef struct OtStack
{
	OtRequest request; /* what the codes have in common */
	bool is_partial;   /* the good ones are applied though others are refused */
	int count;
	OtRequest *requests;
	OtAttempt *attempts;
	int64 *redemption_ids; /* of the rows to come */
	/* the verdict on the stack itself */
	OtFailure failure;
	const char *message;
	int accepted_count;
	OtAttempt **accepted;
} OtStack;

/* stack_request.c */
extern void ot_stack_read(OtStack *stack, FunctionCallInfo fcinfo);

/* stack_judge.c */
extern void ot_stack_judge(OtStack *stack, TimestampTz now);

#endif
