/* SPDX-License-Identifier: MIT */
#include "tls.h"

#include <limits.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <string.h>

static enum fr_rc
failed(struct fr_err *err, const char *what, const char *name)
{
	char text[160];

	ERR_error_string_n(ERR_get_error(), text, sizeof(text));
	ERR_clear_error();
	return fr_fail(err, FR_INVALID, "redis: %s %s: %s", what, name, text);
}

static enum fr_rc
make_ctx(SSL_CTX **out, const char *cacert, const char *cert, const char *key,
    struct fr_err *err)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	enum fr_rc rc = FR_OK;

	if (ctx == NULL)
		return failed(err, "TLS", "context");
	(void)SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE |
				  SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	if (cacert[0] == '\0')
		(void)SSL_CTX_set_default_verify_paths(ctx);
	else if (SSL_CTX_load_verify_locations(ctx, cacert, NULL) != 1)
		rc = failed(err, "cacert", cacert);
	if (rc == FR_OK && cert[0] != '\0' &&
	    SSL_CTX_use_certificate_chain_file(ctx, cert) != 1)
		rc = failed(err, "cert", cert);
	if (rc == FR_OK && key[0] != '\0' &&
	    SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM) != 1)
		rc = failed(err, "key", key);
	if (rc == FR_OK)
		*out = ctx;
	else
		SSL_CTX_free(ctx);
	return rc;
}

enum fr_rc
fr_tls_open(void **ctx, void **ssl, int fd, const char *host,
    const char *cacert, const char *cert, const char *key, struct fr_err *err)
{
	SSL_CTX *made = *ctx;
	enum fr_rc rc;
	SSL *s;

	if (made == NULL) {
		rc = make_ctx(&made, cacert, cert, key, err);
		if (rc != FR_OK)
			return rc;
		*ctx = made;
	}
	s = SSL_new(made);
	if (s == NULL)
		return failed(err, "TLS", host);
	*ssl = s;
	/* A numeric host must be named as an address in the certificate. */
	if (X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(s), host) != 1 &&
	    SSL_set1_host(s, host) != 1)
		return failed(err, "TLS", host);
	(void)SSL_set_tlsext_host_name(s, host);
	if (SSL_set_fd(s, fd) != 1)
		return failed(err, "TLS", host);
	ERR_clear_error();
	return FR_OK;
}

static int
outcome(SSL *s, int rc, short *events)
{
	switch (SSL_get_error(s, rc)) {
	case SSL_ERROR_WANT_READ:
		*events = POLLIN;
		return 0;
	case SSL_ERROR_WANT_WRITE:
		*events = POLLOUT;
		return 0;
	default:
		return -1;
	}
}

int
fr_tls_handshake(void *ssl, short *events)
{
	const int rc = SSL_connect(ssl);

	return rc == 1 ? 1 : outcome(ssl, rc, events);
}

enum fr_rc
fr_tls_why(void *ssl, const char *host, struct fr_err *err)
{
	const long v = SSL_get_verify_result(ssl);

	if (v != X509_V_OK)
		return fr_fail(err, FR_DENIED, "redis: certificate of %s: %s",
		    host, X509_verify_cert_error_string(v));
	ERR_clear_error();
	return fr_fail(err, FR_AGAIN, "redis: TLS with %s failed", host);
}

ssize_t
fr_tls_read(void *ssl, void *p, size_t len, short *events)
{
	int n;

	ERR_clear_error();
	n = SSL_read(ssl, p, len > INT_MAX ? INT_MAX : (int)len);
	return n > 0 ? n : outcome(ssl, n, events);
}

ssize_t
fr_tls_write(void *ssl, const void *p, size_t len, short *events)
{
	int n;

	ERR_clear_error();
	n = SSL_write(ssl, p, len > INT_MAX ? INT_MAX : (int)len);
	return n > 0 ? n : outcome(ssl, n, events);
}

void
fr_tls_close(void **ssl)
{
	SSL_free(*ssl);
	*ssl = NULL;
}

void
fr_tls_free(void **ctx)
{
	SSL_CTX_free(*ctx);
	*ctx = NULL;
}
