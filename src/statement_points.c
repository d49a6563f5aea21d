/*
 * statement_points.c
 *		The statements of points.  The rules of statement.c hold here too.
 */
#include "postgres.h"

#include "plan.h"

/* clang-format off */
const OtStatement ot_point_statements[OT_PLAN_COUNT] = {
	[0] = {NULL, NULL},
};
/* clang-format on */
