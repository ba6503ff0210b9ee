/* SPDX-License-Identifier: MIT */
#ifndef FR_MANAGER_HOOK_H
#define FR_MANAGER_HOOK_H

#include "manager.h"

/*
 * Hooks: executables EVENT and EVENT.TYPE in a directory, run with the
 * event's JSON on stdin. A thread of their own starts them and watches over
 * them, so that a hook that hangs delays nobody. Events come from the store's
 * outbox and leave it when all their hooks have exited 0.
 */
struct fr_hooks;

/* Reads the directory; with none of them (no --hooks) nothing ever happens. */
struct fr_hooks *fr_hooks_open(struct fr_manager *m, struct fr_err *err);
FR_MUSTCHECK enum fr_rc fr_hooks_start(struct fr_hooks *h, struct fr_engine *e,
    const char *url, struct fr_err *err);
/* Ends those that run; the engine must still be there. NULL is fine. */
void fr_hooks_stop(struct fr_hooks *h);
void fr_hooks_close(struct fr_hooks *h);
FR_MUSTCHECK enum fr_rc fr_hooks_reload(struct fr_hooks *h, struct fr_err *err);

/* The engine's thread. */
bool fr_hooks_wanted(void *hooks, enum fr_event_kind kind, struct fr_span type);
void fr_hooks_ready(void *hooks);
/* The HTTP thread: an FR_OP_OUTBOX is back. */
void fr_hooks_answered(struct fr_hooks *h, struct fr_op *op);

#endif
