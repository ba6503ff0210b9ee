/* SPDX-License-Identifier: MIT */
#ifndef FR_REDIS_TLS_H
#define FR_REDIS_TLS_H

#include <fr/err.h>
#include <sys/types.h>

/* TLS over a non-blocking socket, for rediss://. */

/* Makes *ctx at the first call, and *ssl; files may be "". */
enum fr_rc fr_tls_open(void **ctx, void **ssl, int fd, const char *host,
    const char *cacert, const char *cert, const char *key, struct fr_err *err);
/* 1 done, 0 wait for *events, -1 failed. */
int fr_tls_handshake(void *ssl, short *events);
/* Why it failed: the certificate's fault if it was. */
enum fr_rc fr_tls_why(void *ssl, const char *host, struct fr_err *err);
/* Bytes, 0: wait for *events, -1: lost. */
ssize_t fr_tls_read(void *ssl, void *p, size_t len, short *events);
ssize_t fr_tls_write(void *ssl, const void *p, size_t len, short *events);
void fr_tls_close(void **ssl);
void fr_tls_free(void **ctx);

#endif
