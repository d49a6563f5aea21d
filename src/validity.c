/*
 * validity.c
 *		Recurring validity: reads windows of days and hours, and tells whether
 *		one of them covers a time.  No SQL, no clock.
 *
 * Times are local wall time: where the clock is set back, both passages of an
 * hour count alike, and an hour that is left out counts for nothing.
 */
#include "postgres.h"

#include "ordertrack.h"
#include "validity.h"

#define MINUTES_A_DAY (24 * 60)
#define EVERY_DAY 0x7f

static const char *read_window(OtWindow *window, const JsonbValue *element);
static const char *read_days(OtWindow *window, const JsonbValue *value);
static const char *read_time(JsonbContainer *object, const char *key, int *minute);
static bool read_two_digits(const char *text, int limit, int *number);
static bool starts_on(const OtWindow *window, int day);

/* Reads an array of windows; tells what is wrong with it, or NULL. */
const char *
ot_validity_read(OtValidity *validity, const Jsonb *array)
{
	JsonbContainer *container = unconstify(JsonbContainer *, &array->root);

	if (!JB_ROOT_IS_ARRAY(array) || JB_ROOT_IS_SCALAR(array))
		return "it must be an array of windows";
	if (JB_ROOT_COUNT(array) == 0)
		return "it must have at least one window";
	if (JB_ROOT_COUNT(array) > OT_MAX_WINDOWS)
		return "it has more than 100 windows";
	validity->count = JB_ROOT_COUNT(array);
	for (int i = 0; i < validity->count; i++)
	{
		const char *problem = read_window(&validity->windows[i],
										  getIthJsonbValueFromContainer(container, i));

		if (problem != NULL)
			return problem;
	}
	return NULL;
}

static const char *
read_window(OtWindow *window, const JsonbValue *element)
{
	JsonbContainer *object;
	JsonbValue *days;
	const char *problem;
	int known;

	if (element->type != jbvBinary || !JsonContainerIsObject(element->val.binary.data))
		return "a window must be an object";
	object = element->val.binary.data;
	days = ot_json_find(object, "days_of_week");
	known = (days != NULL) + (ot_json_find(object, "start_time") != NULL) +
			(ot_json_find(object, "expiration_time") != NULL);
	if (known == 0)
		return "a window needs days_of_week, start_time or expiration_time";
	if (known != (int) JsonContainerSize(object))
		return "a window has an unknown key, or a null";

	window->days = EVERY_DAY;
	window->start = 0;
	window->end = MINUTES_A_DAY;
	if (days != NULL && (problem = read_days(window, days)) != NULL)
		return problem;
	if ((problem = read_time(object, "start_time", &window->start)) != NULL ||
		(problem = read_time(object, "expiration_time", &window->end)) != NULL)
		return problem;
	if (window->start == window->end)
		return "start_time and expiration_time must differ";
	return NULL;
}

static const char *
read_days(OtWindow *window, const JsonbValue *value)
{
	JsonbContainer *array;

	if (value->type != jbvBinary || !JsonContainerIsArray(value->val.binary.data) ||
		JsonContainerSize(value->val.binary.data) == 0)
		return "days_of_week must be an array of days, 0 to 6";
	array = value->val.binary.data;
	window->days = 0;
	for (uint32 i = 0; i < JsonContainerSize(array); i++)
	{
		int64 day;

		if (ot_json_value_int8(getIthJsonbValueFromContainer(array, i), &day) !=
				OT_NUMBER_OK ||
			day < 0 || day > 6)
			return "days_of_week must be an array of days, 0 to 6";
		if (window->days & (1 << day))
			return "days_of_week names a day twice";
		window->days |= 1 << day;
	}
	return NULL;
}

/* Reads HH:MM; what is absent or empty leaves the minute as it is. */
static const char *
read_time(JsonbContainer *object, const char *key, int *minute)
{
	JsonbValue *value = ot_json_find(object, key);
	const char *text;
	int hours;
	int minutes;

	if (value == NULL || (value->type == jbvString && value->val.string.len == 0))
		return NULL;
	if (value->type != jbvString || value->val.string.len != 5)
		return "start_time and expiration_time must be like \"09:30\"";
	text = value->val.string.val;
	if (!read_two_digits(text, 24, &hours) || text[2] != ':' ||
		!read_two_digits(text + 3, 60, &minutes))
		return "start_time and expiration_time must be like \"09:30\"";
	*minute = hours * 60 + minutes;
	return NULL;
}

static bool
read_two_digits(const char *text, int limit, int *number)
{
	if (text[0] < '0' || text[0] > '9' || text[1] < '0' || text[1] > '9')
		return false;
	*number = (text[0] - '0') * 10 + (text[1] - '0');
	return *number < limit;
}

/* Tells whether a window covers a local time. */
bool
ot_validity_covers(const OtValidity *validity, Timestamp local_time)
{
	/* Day 0 of PostgreSQL, 2000-01-01, was a Saturday. */
	int64 day = local_time / USECS_PER_DAY - (local_time % USECS_PER_DAY < 0);
	int minute = (int) ((local_time - day * USECS_PER_DAY) / USECS_PER_MINUTE);
	int today = (int) (((day + 6) % 7 + 7) % 7);
	int yesterday = (today + 6) % 7;

	for (int i = 0; i < validity->count; i++)
	{
		const OtWindow *window = &validity->windows[i];
		bool has_started = minute >= window->start;
		bool has_ended = minute >= window->end;

		if (window->start < window->end)
		{
			if (starts_on(window, today) && has_started && !has_ended)
				return true;
		}
		else if ((starts_on(window, today) && has_started) ||
				 (starts_on(window, yesterday) && !has_ended))
			return true;
	}
	return false;
}

static bool
starts_on(const OtWindow *window, int day)
{
	return (window->days & (1 << day)) != 0;
}
