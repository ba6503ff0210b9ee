/* SPDX-License-Identifier: MIT */
#include "peer.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/json.h"
#include "base/jsonw.h"
#include "base/log.h"
#include "base/str.h"
#include "base/time.h"

#define VERSION 1
#define ANSWER_MS 10000
#define LEAVE_MS 1000 /* to end by itself once its input has ended */
#define BACKOFF_MIN_MS 50
#define BACKOFF_MAX_MS 2000
#define LINE_MAX_BYTES ((size_t)256 << 20)

extern char **environ;

enum fr_rc
fr_exec_init(struct fr_exec_peer *p, const char *kind, const char *command,
    bool readonly, struct fr_err *err)
{
	unsigned char random[16];

	memset(p, 0, sizeof(*p));
	p->kind = kind;
	p->readonly = readonly;
	p->to = p->from = -1;
	fr_buf_init(&p->tx, 0);
	fr_buf_init(&p->rx, LINE_MAX_BYTES);
	fr_rand_init(&p->rand);
	fr_rand_fill(&p->rand, random, sizeof(random));
	fr_hex_encode(p->handle, random, sizeof(random));
	p->command = strdup(command);
	if (p->command == NULL)
		return fr_fail(err, FR_NOMEM, "exec: out of memory");
	if (command[0] == '\0')
		return fr_fail(err, FR_USAGE,
		    "exec: no command (as in exec:./my-%s)", kind);
	return FR_OK;
}

/* Ends the child and all that is in its process group. */
static void
end_child(struct fr_exec_peer *p, int64_t patience_ms)
{
	const int64_t until_ms = fr_time_mono_ms() + patience_ms;

	if (p->to != -1)
		(void)close(p->to);
	if (p->from != -1)
		(void)close(p->from);
	p->to = p->from = -1;
	if (p->pid == 0)
		return;
	while (patience_ms > 0 && waitpid(p->pid, NULL, WNOHANG) == 0) {
		if (fr_time_mono_ms() >= until_ms)
			patience_ms = 0;
		else
			(void)poll(NULL, 0, 2);
	}
	(void)kill(-p->pid, SIGKILL);
	if (patience_ms == 0)
		while (waitpid(p->pid, NULL, 0) == -1 && errno == EINTR)
			;
	p->pid = 0;
	fr_buf_reset(&p->rx);
	fr_buf_reset(&p->tx);
	p->answer_len = 0;
}

void
fr_exec_fini(struct fr_exec_peer *p)
{
	end_child(p, LEAVE_MS);
	fr_buf_fini(&p->tx);
	fr_buf_fini(&p->rx);
	fr_arena_free(p->arena);
	free(p->command);
	p->arena = NULL;
	p->command = NULL;
}

/* It cannot be used: ends it, says why, and pauses. */
static enum fr_rc
give_up(struct fr_exec_peer *p, struct fr_err *err, const char *why)
{
	end_child(p, 0);
	(void)fr_fail(
	    &p->why, FR_AGAIN, "exec %s %.100s: %s", p->kind, p->command, why);
	/* Before that it is not even open: the caller says why. */
	if (p->greeted)
		fr_log(FR_LOG_WARN, "%s; it will be started again", p->why.msg);
	p->backoff_ms = p->backoff_ms == 0 ? BACKOFF_MIN_MS : p->backoff_ms * 2;
	if (p->backoff_ms > BACKOFF_MAX_MS)
		p->backoff_ms = BACKOFF_MAX_MS;
	p->retry_ms =
	    fr_time_mono_ms() + p->backoff_ms / 2 +
	    (int64_t)fr_rand_below(&p->rand, (uint64_t)p->backoff_ms / 2 + 1);
	return fr_fail(err, FR_AGAIN, "%s", p->why.msg);
}

enum fr_rc
fr_exec_broken(struct fr_exec_peer *p, struct fr_err *err, const char *what)
{
	return give_up(p, err, what);
}

static int
spawn_with(struct fr_exec_peer *p, int in, int out)
{
	char *argv[] = { (char[]){ "sh" }, (char[]){ "-c" }, p->command, NULL };
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attr;
	sigset_t none, all;
	int rc;

	sigemptyset(&none);
	sigfillset(&all);
	(void)posix_spawn_file_actions_init(&files);
	(void)posix_spawn_file_actions_adddup2(&files, in, 0);
	(void)posix_spawn_file_actions_adddup2(&files, out, 1);
	(void)posix_spawnattr_init(&attr);
	(void)posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETPGROUP |
						  POSIX_SPAWN_SETSIGMASK |
						  POSIX_SPAWN_SETSIGDEF);
	(void)posix_spawnattr_setpgroup(&attr, 0);
	(void)posix_spawnattr_setsigmask(&attr, &none);
	(void)posix_spawnattr_setsigdefault(&attr, &all);
	rc = posix_spawn(&p->pid, "/bin/sh", &files, &attr, argv, environ);
	if (rc != 0)
		p->pid = 0;
	(void)posix_spawn_file_actions_destroy(&files);
	(void)posix_spawnattr_destroy(&attr);
	return rc;
}

static enum fr_rc
spawn(struct fr_exec_peer *p, struct fr_err *err)
{
	int in[2] = { -1, -1 }, out[2] = { -1, -1 }, rc = 0;

	if (pipe2(in, O_CLOEXEC) == -1 || pipe2(out, O_CLOEXEC) == -1)
		rc = errno;
	else
		rc = spawn_with(p, in[0], out[1]);
	if (in[0] != -1)
		(void)close(in[0]);
	if (out[1] != -1)
		(void)close(out[1]);
	p->to = in[1];
	p->from = out[0];
	if (rc != 0)
		return give_up(p, err, strerror(rc));
	(void)fcntl(p->to, F_SETFL, O_NONBLOCK);
	(void)fcntl(p->from, F_SETFL, O_NONBLOCK);
	return FR_OK;
}

void
fr_exec_request(struct fr_exec_peer *p, const char *call)
{
	fr_buf_reset(&p->tx);
	fr_jsonw_open(&p->tx, '{');
	fr_jsonw_key(&p->tx, "call");
	fr_jsonw_strz(&p->tx, call);
}

/* Reads what is there; false at the end of the child's output. */
static bool
read_some(struct fr_exec_peer *p)
{
	char *dst = fr_buf_reserve(&p->rx, 65536);
	ssize_t n;

	if (dst == NULL)
		return false;
	n = read(p->from, dst, 65536);
	if (n > 0)
		fr_buf_commit(&p->rx, (size_t)n);
	return n > 0 || (n == -1 && (errno == EAGAIN || errno == EINTR));
}

/* Why it is gone, for people. */
static const char *
last_words(struct fr_exec_peer *p, char *dst, size_t size)
{
	int status = 0, tries = 0;
	pid_t gone = 0;

	/* Its output ends a moment before it does. */
	while (p->pid != 0 && tries++ < 20 &&
	       (gone = waitpid(p->pid, &status, WNOHANG)) == 0)
		(void)poll(NULL, 0, 5);
	if (p->pid == 0 || gone != p->pid)
		return "ended its output";
	(void)kill(-p->pid, SIGKILL); /* what it left behind */
	p->pid = 0;
	if (WIFSIGNALED(status) &&
	    fr_str_format(
		dst, size, "was killed by signal %d", WTERMSIG(status)))
		return dst;
	if (WIFEXITED(status) &&
	    fr_str_format(
		dst, size, "ended with status %d", WEXITSTATUS(status)))
		return dst;
	return "died";
}

/* Writes the request and reads until there is a whole line. */
static enum fr_rc
exchange(struct fr_exec_peer *p, int64_t until_ms, struct fr_err *err)
{
	size_t sent = 0, seen = 0;
	struct pollfd fds[2];
	const char *nl;
	char words[64];
	int64_t left;
	ssize_t n;

	for (;;) {
		nl = p->rx.len > seen
			 ? memchr(p->rx.p + seen, '\n', p->rx.len - seen)
			 : NULL;
		seen = p->rx.len;
		if (nl != NULL) {
			if (sent < p->tx.len)
				return give_up(
				    p, err, "answered before it was asked");
			p->answer_len = (size_t)(nl + 1 - p->rx.p);
			return FR_OK;
		}
		left = until_ms - fr_time_mono_ms();
		if (left <= 0)
			return give_up(p, err, "no answer in 10 s");
		fds[0] = (struct pollfd){ .fd = p->from, .events = POLLIN };
		fds[1] = (struct pollfd){ .fd = p->to, .events = POLLOUT };
		if (poll(fds, sent < p->tx.len ? 2 : 1, (int)left) <= 0)
			continue;
		if (sent < p->tx.len && (fds[1].revents & POLLOUT) != 0) {
			n = write(p->to, p->tx.p + sent, p->tx.len - sent);
			if (n > 0)
				sent += (size_t)n;
		}
		if (fds[0].revents != 0 && !read_some(p))
			return give_up(
			    p, err, last_words(p, words, sizeof(words)));
		if (sent < p->tx.len && (fds[1].revents & POLLERR) != 0 &&
		    fds[0].revents == 0)
			return give_up(
			    p, err, last_words(p, words, sizeof(words)));
	}
}

/* An error as the child says it. */
static enum fr_rc
refused(struct fr_exec_peer *p, struct fr_span answer, struct fr_span text,
    struct fr_err *err)
{
	struct fr_span rc_text = fr_json_get(answer, "rc");
	char msg[300] = "error";
	enum fr_rc rc = FR_IO;

	if (rc_text.p != NULL && (!fr_exec_rc(rc_text, &rc) || rc == FR_OK))
		return give_up(p, err, "an error with an unknown rc");
	if (fr_json_type(text) == FR_JSON_STRING && text.len < sizeof(msg))
		msg[fr_json_unescape(msg, text)] = '\0';
	return fr_fail(err, rc, "exec %s %.100s: %s", p->kind, p->command, msg);
}

enum fr_rc
fr_exec_answer(
    struct fr_exec_peer *p, struct fr_span *answer, struct fr_err *err)
{
	struct fr_err why = FR_ERR_INIT;
	struct fr_span line, text;
	char msg[200];
	enum fr_rc rc;

	fr_jsonw_close(&p->tx, '}');
	fr_buf_addc(&p->tx, '\n');
	if (!fr_buf_ok(&p->tx))
		return fr_fail(err, FR_NOMEM, "exec: out of memory");
	if (p->pid == 0 && p->from == -1)
		return fr_fail(err, FR_AGAIN, "%s", p->why.msg);
	fr_buf_shift(&p->rx, p->answer_len);
	p->answer_len = 0;
	if (p->rx.len > 0)
		return give_up(p, err, "says more than it was asked");
	rc = exchange(p, fr_time_mono_ms() + ANSWER_MS, err);
	if (rc != FR_OK)
		return rc;
	line = (struct fr_span){ p->rx.p, p->answer_len - 1 };
	rc = fr_json_check(line, FR_JSON_DEPTH, answer, &why);
	if (rc == FR_OK && fr_json_type(*answer) != FR_JSON_OBJECT)
		rc = fr_fail(&why, FR_SYNTAX, "not an object");
	if (rc != FR_OK) {
		if (!fr_str_format(
			msg, sizeof(msg), "its answer: %.150s", why.msg))
			msg[sizeof(msg) - 1] = '\0';
		return give_up(p, err, msg);
	}
	fr_arena_free(p->arena);
	p->arena = fr_arena_new(p->answer_len);
	if (p->arena == NULL)
		return fr_fail(err, FR_NOMEM, "exec: out of memory");
	text = fr_json_get(*answer, "error");
	if (text.p != NULL && fr_json_type(text) != FR_JSON_NULL)
		return refused(p, *answer, text, err);
	return FR_OK;
}

/* Reads the answer to the greeting. */
static enum fr_rc
greeted(struct fr_exec_peer *p, struct fr_span hello, struct fr_err *err)
{
	char kind[16] = "";
	int64_t version = 0;

	if (!fr_exec_i64(hello, "version", &version) || version != VERSION ||
	    !fr_exec_word(hello, "kind", kind, sizeof(kind)) ||
	    strcmp(kind, p->kind) != 0) {
		(void)give_up(p, NULL, "not this version and kind of backend");
		return fr_fail(err, FR_BROKEN,
		    "exec %.100s: is no %s of version %d", p->command, p->kind,
		    VERSION);
	}
	p->durable = p->shared = p->resolves = p->wants_data = false;
	(void)fr_exec_bool(hello, "durable", &p->durable);
	(void)fr_exec_bool(hello, "shared", &p->shared);
	(void)fr_exec_bool(hello, "resolves", &p->resolves);
	(void)fr_exec_bool(hello, "wants_data", &p->wants_data);
	if (!fr_exec_word(hello, "name", p->name, sizeof(p->name)))
		p->name[0] = '\0';
	p->greeted = true;
	p->backoff_ms = p->retry_ms = 0;
	return FR_OK;
}

enum fr_rc
fr_exec_start(struct fr_exec_peer *p, struct fr_err *err)
{
	struct fr_span answer;
	struct pollfd in;
	int64_t left;
	enum fr_rc rc;

	if (p->pid != 0) {
		/* Nothing is asked now; what can be read is its end, or too
		 * much. */
		in = (struct pollfd){ .fd = p->from, .events = POLLIN };
		if (poll(&in, 1, 0) == 0)
			return FR_OK;
		if (read_some(p))
			(void)give_up(p, err, "says more than it was asked");
		else
			(void)give_up(p, err, "ended");
		p->retry_ms = 0;
	}
	left = p->retry_ms - fr_time_mono_ms();
	if (left > 0) {
		(void)poll(NULL, 0, left > 50 ? 50 : (int)left);
		if (left > 50)
			return fr_fail(err, FR_AGAIN, "%s", p->why.msg);
	}
	rc = spawn(p, err);
	if (rc != FR_OK)
		return rc;
	fr_exec_request(p, "hello");
	fr_jsonw_key(&p->tx, "version");
	fr_jsonw_i64(&p->tx, VERSION);
	fr_jsonw_key(&p->tx, "kind");
	fr_jsonw_strz(&p->tx, p->kind);
	fr_jsonw_key(&p->tx, "handle");
	fr_jsonw_strz(&p->tx, p->handle);
	fr_jsonw_key(&p->tx, "readonly");
	fr_jsonw_bool(&p->tx, p->readonly);
	rc = fr_exec_answer(p, &answer, err);
	if (rc != FR_OK) {
		if (p->pid != 0)
			(void)give_up(p, NULL, "refused the greeting");
		return rc;
	}
	return greeted(p, answer, err);
}

bool
fr_exec_i64(struct fr_span object, const char *key, int64_t *v)
{
	const struct fr_span x = fr_json_get(object, key);

	return x.p != NULL && fr_json_type(x) == FR_JSON_NUMBER &&
	       fr_json_i64(x, INT64_MIN, INT64_MAX, v) == FR_OK;
}

bool
fr_exec_bool(struct fr_span object, const char *key, bool *v)
{
	const struct fr_span x = fr_json_get(object, key);

	if (x.p == NULL || (fr_json_type(x) != FR_JSON_TRUE &&
			       fr_json_type(x) != FR_JSON_FALSE))
		return false;
	*v = fr_json_type(x) == FR_JSON_TRUE;
	return true;
}

bool
fr_exec_text(struct fr_exec_peer *p, struct fr_span object, const char *key,
    struct fr_span *v)
{
	const struct fr_span x = fr_json_get(object, key);
	char *dst;

	*v = (struct fr_span){ NULL, 0 };
	if (x.p == NULL || fr_json_type(x) == FR_JSON_NULL)
		return true;
	if (fr_json_type(x) != FR_JSON_STRING)
		return false;
	dst = fr_arena_alloc(p->arena, x.len);
	if (dst == NULL)
		return false;
	*v = (struct fr_span){ dst, fr_json_unescape(dst, x) };
	return true;
}

bool
fr_exec_word(struct fr_span object, const char *key, char *z, size_t size)
{
	const struct fr_span x = fr_json_get(object, key);

	if (x.p == NULL || fr_json_type(x) != FR_JSON_STRING || x.len > size)
		return false;
	z[fr_json_unescape(z, x)] = '\0';
	return true;
}

bool
fr_exec_id(struct fr_span object, const char *key, struct fr_uuid *id)
{
	char text[48];

	return fr_exec_word(object, key, text, sizeof(text)) &&
	       fr_uuid_parse(fr_span_of(text), id);
}

bool
fr_exec_array(
    struct fr_span object, const char *key, struct fr_span *v, size_t *n)
{
	struct fr_json_iter it;
	struct fr_span element;

	*v = fr_json_get(object, key);
	if (v->p == NULL || fr_json_type(*v) != FR_JSON_ARRAY)
		return false;
	it = fr_json_iter(*v);
	for (*n = 0; fr_json_element(&it, &element);)
		(*n)++;
	return true;
}

bool
fr_exec_rc(struct fr_span token, enum fr_rc *rc)
{
	int i;

	if (token.p == NULL || fr_json_type(token) != FR_JSON_STRING)
		return false;
	for (i = FR_OK; i <= FR_BROKEN; i++) {
		if (!fr_json_string_is(token, fr_rc_name((enum fr_rc)i)))
			continue;
		*rc = (enum fr_rc)i;
		return true;
	}
	return false;
}
