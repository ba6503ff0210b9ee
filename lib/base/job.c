/* SPDX-License-Identifier: MIT */
#include <fr/job.h>

#include "base/str.h"

static const char *const states[FR_STATES] = {
	[FR_STATE_SCHEDULED] = "scheduled",
	[FR_STATE_QUEUED] = "queued",
	[FR_STATE_RUNNING] = "running",
	[FR_STATE_COMPLETE] = "complete",
	[FR_STATE_FAILED] = "failed",
	[FR_STATE_CANCELLED] = "cancelled",
};

static const char *const events[FR_EVENTS] = {
	[FR_EVENT_CREATED] = "created",
	[FR_EVENT_STAGED] = "staged",
	[FR_EVENT_PROGRESS] = "progress",
	[FR_EVENT_COMPLETE] = "complete",
	[FR_EVENT_COUNT_FAILED] = "count_failed",
	[FR_EVENT_FAILED] = "failed",
	[FR_EVENT_CANCELLED] = "cancelled",
};

/* The place of name in the n names, or -1. */
static int
find(const char *const *names, int n, struct fr_span name)
{
	int i;

	for (i = 0; i < n; i++)
		if (fr_span_is(name, names[i]))
			return i;
	return -1;
}

const char *
fr_state_name(enum fr_state s)
{
	return (unsigned)s < FR_STATES ? states[s] : "?";
}

bool
fr_state_parse(struct fr_span name, enum fr_state *s)
{
	const int i = find(states, FR_STATES, name);

	if (i >= 0)
		*s = (enum fr_state)i;
	return i >= 0;
}

bool
fr_type_valid(struct fr_span name)
{
	size_t i;
	char c;

	if (name.len == 0 || name.len > FR_TYPE_MAX)
		return false;
	for (i = 0; i < name.len; i++) {
		c = name.p[i];
		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
			(c >= '0' && c <= '9') || c == '_' || c == '.' ||
			c == '-'))
			return false;
	}
	return !fr_span_is(name, ".") && !fr_span_is(name, "..");
}

const char *
fr_event_name(enum fr_event_kind k)
{
	return (unsigned)k < FR_EVENTS ? events[k] : "?";
}

bool
fr_event_parse(struct fr_span name, enum fr_event_kind *k)
{
	const int i = find(events, FR_EVENTS, name);

	if (i >= 0)
		*k = (enum fr_event_kind)i;
	return i >= 0;
}
