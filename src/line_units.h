/*
 * line_units.h
 *		Units of an order's lines, as shipments and returns name them.
 */
#ifndef OT_LINE_UNITS_H
#define OT_LINE_UNITS_H

#include "ordertrack.h"

typedef struct OtLineQuantity
{
	int32 line_no;
	int64 quantity;
} OtLineQuantity;

typedef struct OtLineUnits
{
	int count;
	OtLineQuantity *lines;
} OtLineUnits;

extern OtLineUnits *ot_line_units_make(int most);
extern OtLineUnits *ot_line_units_arg(FunctionCallInfo fcinfo, int n, const char *name);
extern void ot_arg_line_units(OtArgs *args, const OtLineUnits *units);
extern void ot_line_units_describe(const OtLineUnits *units, OtJson *json);

#endif
