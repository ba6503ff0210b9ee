/* SPDX-License-Identifier: MIT */
/*
 * How an orphan is recognized. Every handler is started with its own value
 * as the hard limit of RLIMIT_LOCKS, which Linux has not enforced since 2.4
 * but which every descendant inherits, and cannot raise. One prlimit(2) reads
 * it. A process that lowered it and has a session of its own cannot be told
 * apart, so it is killed when all the handlers that ran when it was first
 * seen have ended.
 *
 * How orphans are found, cheaply enough for thousands of attempts a second:
 * an orphan of this attempt is our child by now, and /proc/self/task/PID/
 * children lists those. When it has no more than there are leaders, which is
 * the rule, one read(2) is all that an end costs, and nothing is left. proc(5)
 * warns that the list may lack some if children go while it is read; ours go
 * only when we reap them. Orphans are the main thread's, whoever started the
 * leaders. A pass that finds nothing proves that there is nothing: what is
 * alive has, at its root, a child of ours that was there when the pass began.
 *
 * Without that file (CONFIG_PROC_CHILDREN), or when it is long: the orphan's
 * process id is between the handler's and the last one given out, which
 * /proc/loadavg tells. waitid(2) on each number in between says which are our
 * children; only when there are many is /proc walked instead.
 */
#include "run/reap.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/rand.h"
#include "base/str.h"
#include "base/time.h"

#define LIST_MAX 4000 /* bytes of a list of children, all read at once */
#define PROBE_MAX 512 /* more process ids than that: walk /proc */
#define STRAYS_MAX 4096
#define SERIAL_BITS 30 /* of a mark; those above are the worker's */
#define ANCESTORS 1000

void
fr_reaper_init(struct fr_reaper *r)
{
	struct rlimit rl = { 0, 0 };
	uint64_t top = (uint64_t)1 << 62;
	struct fr_rand rnd;
	char path[64];

	memset(r, 0, sizeof(*r));
	(void)prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	r->children = -1;
	if (fr_str_format(path, sizeof(path), "/proc/self/task/%d/children",
		(int)getpid()))
		r->children = open(path, O_RDONLY | O_CLOEXEC);
	r->loadavg = open("/proc/loadavg", O_RDONLY | O_CLOEXEC);
	if (getrlimit(RLIMIT_LOCKS, &rl) == -1)
		return;
	/* The upper half of what we may set is ours, and what lies below is for
	 * workers that run inside a handler. Which part of it is drawn by lot:
	 * other workers have marks, too. */
	while (top > rl.rlim_max)
		top /= 2;
	if (top < (uint64_t)1 << (SERIAL_BITS + 8))
		return;
	fr_rand_init(&rnd);
	r->base = top / 2 +
		  fr_rand_below(&rnd, top / 2 >> SERIAL_BITS << SERIAL_BITS);
	r->base |= ((uint64_t)1 << SERIAL_BITS) - 1;
}

void
fr_reaper_fini(struct fr_reaper *r)
{
	free(r->strays);
	if (r->loadavg > 0)
		(void)close(r->loadavg);
	if (r->children > 0)
		(void)close(r->children);
	memset(r, 0, sizeof(*r));
	r->loadavg = r->children = -1;
}

uint64_t
fr_reaper_mark(const struct fr_reaper *r)
{
	const uint64_t last = ((uint64_t)1 << SERIAL_BITS) - 1;

	return r->base == 0 ? 0 : r->base - (r->serial & last);
}

void
fr_reaper_add(struct fr_reaper *r, struct fr_brood *b, pid_t pid)
{
	b->mark = fr_reaper_mark(r);
	b->serial = ++r->serial;
	b->pid = pid;
	b->reaped = b->alone = false;
	b->prev = NULL;
	b->next = r->first;
	if (r->first != NULL)
		r->first->prev = b;
	r->first = b;
	r->leaders++;
}

void
fr_reaper_forget(struct fr_reaper *r, struct fr_brood *b)
{
	if (b->pid == 0)
		return;
	if (!b->reaped)
		r->leaders--;
	if (b->prev != NULL)
		b->prev->next = b->next;
	else
		r->first = b->next;
	if (b->next != NULL)
		b->next->prev = b->prev;
	memset(b, 0, sizeof(*b));
}

/* 0: cannot be read, or there is none. */
static uint64_t
mark_of(pid_t pid)
{
	struct rlimit rl;

	if (prlimit(pid, RLIMIT_LOCKS, NULL, &rl) == -1)
		return 0;
	return rl.rlim_max;
}

/* The number at the front of text as a pid; 0: there is none. */
static pid_t
pid_of(const char *text)
{
	const size_t len = strspn(text, "0123456789");
	int64_t v;

	if (fr_str_i64((struct fr_span){ text, len }, 1, INT32_MAX, &v) !=
	    FR_OK)
		return 0;
	return (pid_t)v;
}

/* The process id that was given out last; 0: not known. */
static pid_t
last_pid(const struct fr_reaper *r)
{
	char buf[128];
	const char *p;
	ssize_t n;

	if (r->loadavg == -1)
		return 0;
	n = pread(r->loadavg, buf, sizeof(buf) - 1, 0);
	if (n <= 0)
		return 0;
	buf[n] = '\0';
	p = strrchr(buf, ' ');
	return p == NULL ? 0 : pid_of(p + 1);
}

/*
 * The list of our children, each number followed by a space. false: not
 * known, or more than fit.
 */
static bool
list_children(const struct fr_reaper *r, char list[LIST_MAX + 1])
{
	ssize_t n;

	if (r->children == -1)
		return false;
	n = pread(r->children, list, LIST_MAX, 0);
	/* The kernel stops at the last number that fits. */
	if (n < 0 || n > LIST_MAX - 16)
		return false;
	list[n] = '\0';
	return true;
}

/* Whether all children that we have are leaders. */
static bool
only_leaders(const struct fr_reaper *r, const char *list)
{
	size_t n = 0;

	for (; *list != '\0'; list++)
		n += *list == ' ';
	return n == r->leaders;
}

void
fr_reaper_reap(struct fr_reaper *r, struct fr_brood *b, int *status)
{
	char list[LIST_MAX + 1];
	pid_t pid;

	fr_assert(b->pid > 1 && r->first != NULL && !b->reaped);
	b->alone = list_children(r, list) && only_leaders(r, list);
	/* While it is a zombie its number cannot be anybody else's group. */
	if (!b->alone)
		(void)kill(-b->pid, SIGKILL);
	do
		pid = waitpid(b->pid, status, WNOHANG);
	while (pid == -1 && errno == EINTR);
	/* It cannot be, but it must not be taken for success. */
	if (pid != b->pid)
		*status = SIGKILL;
	b->reaped = true;
	r->leaders--;
}

static void
forget_stray(struct fr_reaper *r, pid_t pid)
{
	size_t i;

	for (i = 0; i < r->nstrays; i++)
		if (r->strays[i].pid == pid) {
			r->strays[i] = r->strays[--r->nstrays];
			return;
		}
}

/* Whether all broods that ran when pid was first seen have ended. */
static bool
outlived(struct fr_reaper *r, pid_t pid, const struct fr_brood *ending)
{
	struct fr_stray *grown;
	const struct fr_brood *b;
	uint64_t seen = 0;
	size_t i;

	for (i = 0; i < r->nstrays && seen == 0; i++)
		if (r->strays[i].pid == pid)
			seen = r->strays[i].serial;
	if (seen == 0) {
		seen = r->serial;
		grown = NULL;
		if (r->nstrays < STRAYS_MAX)
			grown = realloc(
			    r->strays, (r->nstrays + 1) * sizeof(*grown));
		if (grown == NULL)
			return true;
		r->strays = grown;
		r->strays[r->nstrays].pid = pid;
		r->strays[r->nstrays++].serial = seen;
	}
	for (b = r->first; b != NULL; b = b->next)
		if (b != ending && b->serial <= seen)
			return false;
	return true;
}

static bool
belongs(struct fr_reaper *r, pid_t pid, const struct fr_brood *ending)
{
	const uint64_t mark = mark_of(pid);
	const pid_t sid = getsid(pid);
	const struct fr_brood *b;

	if ((mark == ending->mark && mark != 0) || sid == ending->pid)
		return true;
	for (b = r->first; b != NULL; b = b->next)
		if (b != ending &&
		    ((mark == b->mark && mark != 0) || sid == b->pid))
			return false;
	return outlived(r, pid, ending);
}

static bool
is_leader(const struct fr_reaper *r, pid_t pid)
{
	const struct fr_brood *b;

	for (b = r->first; b != NULL; b = b->next)
		if (b->pid == pid && !b->reaped)
			return true;
	return false;
}

enum found { NOTHING, REAPED, KILLED };

/* Looks at one process id, which may be anybody's. */
static enum found
look_at(struct fr_reaper *r, pid_t pid, const struct fr_brood *ending)
{
	siginfo_t si;

	si.si_pid = 0;
	if (waitid(P_PID, (id_t)pid, &si, WEXITED | WNOHANG | WNOWAIT) == -1 ||
	    is_leader(r, pid))
		return NOTHING;
	if (si.si_pid == pid) {
		(void)waitpid(pid, NULL, WNOHANG);
		forget_stray(r, pid);
		return REAPED;
	}
	if (!belongs(r, pid, ending))
		return NOTHING;
	(void)kill(pid, SIGKILL);
	return KILLED;
}

/* Calls look_at for every process there is. */
static enum found
walk_proc(struct fr_reaper *r, const struct fr_brood *ending)
{
	enum found worst = NOTHING, f;
	struct dirent *de;
	DIR *d = opendir("/proc");

	if (d == NULL)
		return NOTHING;
	while ((de = readdir(d)) != NULL) {
		if (de->d_name[0] < '1' || de->d_name[0] > '9')
			continue;
		f = look_at(r, pid_of(de->d_name), ending);
		if (f > worst)
			worst = f;
	}
	(void)closedir(d);
	return worst;
}

/* Calls look_at for all that the list names. */
static enum found
walk_list(struct fr_reaper *r, const char *list, const struct fr_brood *ending)
{
	enum found worst = NOTHING, f;

	if (only_leaders(r, list))
		return NOTHING;
	for (; *list != '\0'; list++) {
		f = look_at(r, pid_of(list), ending);
		if (f > worst)
			worst = f;
		list += strcspn(list, " ");
	}
	return worst;
}

/* Calls look_at for every process that may be of it. */
static enum found
probe(struct fr_reaper *r, const struct fr_brood *ending)
{
	const pid_t last = last_pid(r);
	enum found worst = NOTHING, f;
	pid_t pid;

	if (last < ending->pid || last - ending->pid > PROBE_MAX)
		return walk_proc(r, ending);
	for (pid = ending->pid + 1; pid <= last; pid++) {
		f = look_at(r, pid, ending);
		if (f > worst)
			worst = f;
	}
	return worst;
}

static enum found
pass(struct fr_reaper *r, const struct fr_brood *ending)
{
	char list[LIST_MAX + 1];

	return list_children(r, list) ? walk_list(r, list, ending)
				      : probe(r, ending);
}

static bool
have_child(void)
{
	siginfo_t si;

	return waitid(P_ALL, 0, &si, WEXITED | WNOHANG | WNOWAIT) == 0;
}

bool
fr_reaper_sweep(struct fr_reaper *r, struct fr_brood *b)
{
	enum found f = NOTHING;

	fr_assert(b->reaped);
	/* No child at all is the quickest answer. */
	while (!b->alone && have_child()) {
		f = pass(r, b);
		if (f != REAPED)
			break;
	}
	if (f == KILLED)
		return false;
	fr_reaper_forget(r, b);
	return true;
}

void
fr_reaper_tidy(struct fr_reaper *r)
{
	siginfo_t si;

	for (;;) {
		si.si_pid = 0;
		if (waitid(P_ALL, 0, &si, WEXITED | WNOHANG | WNOWAIT) == -1 ||
		    si.si_pid == 0 || is_leader(r, si.si_pid))
			return;
		(void)waitpid(si.si_pid, NULL, WNOHANG);
		forget_stray(r, si.si_pid);
	}
}

/* 0: it is not there. */
static pid_t
parent_of(pid_t pid)
{
	char path[40], buf[256];
	const char *p;
	ssize_t n;
	int fd;

	if (!fr_str_format(path, sizeof(path), "/proc/%d/stat", (int)pid))
		return 0;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd == -1)
		return 0;
	n = read(fd, buf, sizeof(buf) - 1);
	(void)close(fd);
	if (n <= 0)
		return 0;
	buf[n] = '\0';
	/* PID (NAME) STATE PARENT: the name may have anything in it. */
	p = strrchr(buf, ')');
	return p == NULL || strlen(p) < 5 ? 0 : pid_of(p + 4);
}

/* Orphans are our children, so that the way up from ours leads to us. */
static bool
descends(pid_t pid)
{
	const pid_t self = getpid();
	int i;

	for (i = 0; i < ANCESTORS && pid > 1 && pid != self; i++)
		pid = parent_of(pid);
	return pid == self;
}

static bool
is_of(pid_t pid, const struct fr_brood *b)
{
	return (mark_of(pid) == b->mark || getsid(pid) == b->pid) &&
	       descends(pid);
}

/* Its number may be another one's at any time, so that it is held by a
 * descriptor while it is looked at once more. */
static void
signal_if_of(pid_t pid, const struct fr_brood *b, int sig)
{
	int fd;

	if (pid == b->pid || !is_of(pid, b))
		return;
	fd = (int)syscall(SYS_pidfd_open, pid, 0U);
	if (fd == -1)
		return;
	if (is_of(pid, b))
		(void)syscall(SYS_pidfd_send_signal, fd, sig, NULL, 0U);
	(void)close(fd);
}

void
fr_reaper_signal(struct fr_reaper *r, struct fr_brood *b, int sig)
{
	struct dirent *de;
	DIR *d;

	fr_assert(b->pid > 1 && r->first != NULL);
	if (b->reaped)
		return; /* the sweep does it; its number may be another's */
	(void)kill(b->pid, sig);
	d = b->mark == 0 ? NULL : opendir("/proc");
	if (d == NULL) {
		(void)kill(-b->pid, sig);
		return;
	}
	while ((de = readdir(d)) != NULL)
		if (de->d_name[0] >= '1' && de->d_name[0] <= '9')
			signal_if_of(pid_of(de->d_name), b, sig);
	(void)closedir(d);
}

/* The next child of ours in /proc, and whether it has ended; 0: no more. */
static pid_t
next_child(DIR *d, bool *ended)
{
	siginfo_t si;
	struct dirent *de;
	pid_t pid;

	while ((de = readdir(d)) != NULL) {
		pid = pid_of(de->d_name);
		si.si_pid = 0;
		if (pid > 1 && waitid(P_PID, (id_t)pid, &si,
				   WEXITED | WNOHANG | WNOWAIT) == 0) {
			*ended = si.si_pid != 0;
			return pid;
		}
	}
	return 0;
}

size_t
fr_reap_list(pid_t *v, size_t max)
{
	DIR *d = have_child() ? opendir("/proc") : NULL;
	size_t n = 0;
	bool ended;

	while (d != NULL && n < max && (v[n] = next_child(d, &ended)) != 0)
		n++;
	if (d != NULL)
		(void)closedir(d);
	return n;
}

static bool
is_in(pid_t pid, const pid_t *v, size_t n)
{
	while (n > 0 && v[n - 1] != pid)
		n--;
	return n > 0;
}

/* Kills the children that are alive, reaps the others. false: there were none
 * but those to be spared. */
static bool
end_children(const pid_t *spare, size_t n)
{
	DIR *d = opendir("/proc");
	bool found = false, ended;
	pid_t pid;

	if (d == NULL) {
		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
		return true;
	}
	while ((pid = next_child(d, &ended)) != 0) {
		if (is_in(pid, spare, n))
			continue;
		found = true;
		if (ended)
			(void)waitpid(pid, NULL, WNOHANG);
		else
			(void)kill(pid, SIGKILL);
	}
	(void)closedir(d);
	return found;
}

bool
fr_reap_all(int64_t max_ms, const pid_t *spare, size_t n)
{
	const struct timespec ms = { 0, 1000000 };
	const int64_t until = fr_time_mono_ms() + max_ms;

	while (have_child() && end_children(spare, n)) {
		if (fr_time_mono_ms() >= until)
			return false;
		(void)nanosleep(&ms, NULL);
	}
	return true;
}
