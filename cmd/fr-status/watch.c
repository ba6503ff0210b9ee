/* SPDX-License-Identifier: MIT */
/*
 * The whole screen, drawn anew every second. What the terminal was is put
 * back whatever ends it: q, a signal, or an error. Between two drawings it
 * waits in ppoll, which a key or a changed window size ends early.
 */
#include "status.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "base/io.h"
#include "base/time.h"

#define EVERY_MS 1000

/* Alternate screen, cursor hidden; and back. */
static const char enter_text[] = "\033[?1049h\033[?25l";
static const char leave_text[] = "\033[?25h\033[?1049l";

static struct termios before;
static volatile sig_atomic_t on_screen;

static void
leave(void)
{
	if (!on_screen)
		return;
	on_screen = 0;
	(void)fr_io_write_all(
	    STDOUT_FILENO, leave_text, sizeof(leave_text) - 1);
	(void)tcsetattr(STDIN_FILENO, TCSANOW, &before);
}

static void
enter(void)
{
	struct termios raw = before;

	raw.c_lflag &= (tcflag_t) ~(ICANON | ECHO);
	raw.c_cc[VMIN] = 0;
	raw.c_cc[VTIME] = 0;
	(void)tcsetattr(STDIN_FILENO, TCSANOW, &raw);
	(void)fr_io_write_all(
	    STDOUT_FILENO, enter_text, sizeof(enter_text) - 1);
	on_screen = 1;
}

/* All that these call is safe in a handler. */
static void
on_end(int sig)
{
	leave();
	(void)signal(sig, SIG_DFL);
	(void)raise(sig);
}

static void
on_stop(int sig)
{
	const int no = errno;

	(void)sig;
	leave();
	(void)raise(SIGSTOP);
	enter(); /* it goes on */
	errno = no;
}

static void
on_size(int sig)
{
	(void)sig; /* ppoll ends: that is all */
}

static void
trap_signal(int sig, void (*handler)(int))
{
	struct sigaction sa = { .sa_handler = handler };

	(void)sigemptyset(&sa.sa_mask);
	(void)sigaction(sig, &sa, NULL);
}

static void
prepare(void)
{
	(void)tcgetattr(STDIN_FILENO, &before);
	(void)atexit(leave);
	trap_signal(SIGINT, on_end);
	trap_signal(SIGTERM, on_end);
	trap_signal(SIGHUP, on_end);
	trap_signal(SIGQUIT, on_end);
	trap_signal(SIGTSTP, on_stop);
	trap_signal(SIGWINCH, on_size);
	enter();
}

/* Puts the lines on the screen, each cleared to its end. */
static void
draw(const struct text *t)
{
	struct winsize w = { .ws_row = 24, .ws_col = 80 };
	struct fr_buf out;

	(void)ioctl(STDOUT_FILENO, TIOCGWINSZ, &w);
	if (w.ws_row == 0 || w.ws_col == 0) {
		w.ws_row = 24;
		w.ws_col = 80;
	}
	fr_buf_init(&out, 0);
	fr_buf_adds(&out, "\033[H");
	text_render(t, &out, w.ws_col, w.ws_row - 1U,
	    fr_tty_color(STDOUT_FILENO), "\033[K\r\n");
	fr_buf_adds(&out, "\033[J");
	if (fr_buf_ok(&out))
		(void)fr_io_write_all(STDOUT_FILENO, out.p, out.len);
	fr_buf_fini(&out);
}

/* Waits; true if q was pressed or there is no terminal any more. */
static bool
pause_or_quit(int64_t until_ms)
{
	struct pollfd fd = { .fd = STDIN_FILENO, .events = POLLIN };
	int64_t left = until_ms - fr_time_mono_ms();
	char keys[64];
	ssize_t n;

	if (left < 0)
		left = 0;
	if (poll(&fd, 1, (int)left) <= 0)
		return false;
	n = read(STDIN_FILENO, keys, sizeof(keys));
	if (n == 0 || (n == -1 && errno != EINTR && errno != EAGAIN))
		return true;
	return n > 0 && (memchr(keys, 'q', (size_t)n) != NULL ||
			    memchr(keys, 'Q', (size_t)n) != NULL);
}

static void
compose(struct fr_client *cl, const struct conf *conf, struct pace *pace,
    struct text *t)
{
	struct fr_err err = FR_ERR_INIT;
	char now[FR_TIME_TEXT];
	enum fr_rc rc;

	text_reset(t);
	fr_time_format(now, fr_time_wall_ms());
	text_line(t, DIM, "fr-status --watch  %s  q ends it", now);
	rc = overview_text(cl, t, pace, &err);
	if (rc == FR_OK) {
		text_line(t, PLAIN, "%s", "");
		rc = list_text(
		    cl, conf, conf->limit > 0 ? conf->limit : 20, t, &err);
	}
	if (rc != FR_OK)
		text_line(t, RED, "%s", err.msg);
}

enum fr_rc
watch(struct fr_client *cl, const struct conf *conf)
{
	struct pace pace = { 0, 0, -1 };
	struct text t;
	int64_t next;

	text_init(&t);
	prepare();
	do {
		next = fr_time_mono_ms() + EVERY_MS;
		compose(cl, conf, &pace, &t);
		draw(&t);
	} while (!pause_or_quit(next));
	leave();
	text_fini(&t);
	return FR_OK;
}
