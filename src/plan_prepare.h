/*
 * plan_prepare.h
 *		What plan.c, which runs statements, needs of plan_prepare.c.
 */
#ifndef OT_PLAN_PREPARE_H
#define OT_PLAN_PREPARE_H

#include "executor/spi.h"

#include "plan.h"

/* How many rows an INSERT may write at once, the most first. */
#define OT_ROW_COUNTS 3
#define OT_ONE_ROW (OT_ROW_COUNTS - 1)

extern const int ot_row_counts[OT_ROW_COUNTS];

/* Gives the kept plan of a statement for ot_row_counts[size] rows. */
extern SPIPlanPtr ot_plan_get(OtPlan plan, int size);

/* plan_domain.c */
extern Oid ot_domain_type(char letter);
extern void ot_domains_check(const char *types, int row_count, const Datum *values,
							 const char *nulls);

#endif
