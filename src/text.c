/*
 * text.c
 *		Compares texts of which each may be missing.
 */
#include "postgres.h"

#include "ordertrack.h"

/* Tells whether two texts are the same; NULL is the same as NULL alone. */
bool
ot_same_text(const char *a, const char *b)
{
	if (a == NULL || b == NULL)
		return a == b;
	return strcmp(a, b) == 0;
}
