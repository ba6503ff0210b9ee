/* SPDX-License-Identifier: MIT */
#include <string.h>
#include <unistd.h>

/*
 * The least that a handler can do: reads its data and answers. Under a name
 * that ends in .lines it is kept running and answers each line.
 */

static char in[1 << 16], out[1 << 20];

static int
answer(size_t len)
{
	return len > 0 && write(1, out, len) != (ssize_t)len;
}

int
main(int argc, char *argv[])
{
	static const char line[] = "{\"result\":{\"ok\":true}}\n";
	const size_t name = argc > 0 ? strlen(argv[0]) : 0;
	const int kept = name > 6 && strcmp(argv[0] + name - 6, ".lines") == 0;
	ssize_t n, i;
	size_t len;

	while ((n = read(0, in, sizeof(in))) > 0) {
		for (i = 0, len = 0; kept && i < n; i++) {
			if (in[i] != '\n')
				continue;
			memcpy(out + len, line, sizeof(line) - 1);
			len += sizeof(line) - 1;
			if (len > sizeof(out) - sizeof(line)) {
				if (answer(len))
					return 1;
				len = 0;
			}
		}
		if (kept && answer(len))
			return 1;
	}
	if (kept)
		return 0;
	return write(1, "{\"ok\":true}\n", 12) != 12;
}
