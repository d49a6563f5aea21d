/*
 * validity.h
 *		Windows of days and hours in which a code can be used.
 */
#ifndef OT_VALIDITY_H
#define OT_VALIDITY_H

#include "datatype/timestamp.h"
#include "utils/jsonb.h"

#define OT_MAX_WINDOWS 100

/* For the hint of an error: what a window looks like, with all its keys. */
#define OT_VALIDITY_FORM                                                                 \
	"[{\"days_of_week\":[1,2,3,4,5],\"start_time\":\"09:00\",\"expiration_time\":"       \
	"\"17:30\"}], days from 0, Sunday, to 6, and at least one of the keys"

/*
 * From a minute of the day, inclusive, to another, exclusive.  Where it starts
 * after it ends it lasts over midnight, and its days are those on which it
 * starts.
 */
typedef struct OtWindow
{
	uint8 days; /* one bit each, Sunday is the lowest */
	int start;
	int end;
} OtWindow;

typedef struct OtValidity
{
	int count;
	OtWindow windows[OT_MAX_WINDOWS];
} OtValidity;

extern const char *ot_validity_read(OtValidity *validity, const Jsonb *array);
extern bool ot_validity_covers(const OtValidity *validity, Timestamp local_time);

#endif
