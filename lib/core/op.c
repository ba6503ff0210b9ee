/* SPDX-License-Identifier: MIT */
#include "core/op.h"

void
fr_line_add(struct fr_line *l, struct fr_op *op)
{
	op->next = NULL;
	if (l->first == NULL)
		l->first = op;
	else
		l->last->next = op;
	l->last = op;
}
