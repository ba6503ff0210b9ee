#!/bin/sh
# SPDX-License-Identifier: MIT
# Functions that lib/base has something better for are not called.
# shellcheck source=tests/lib.sh
. "${0%/*}/../lib.sh"
cd "$ROOT" || exit 99

words='strcpy|strcat|sprintf|vsprintf|strncpy|strncat|strtok|atoi|atol|atoll|
strtol|strtoll|strtoul|strtoull|sscanf|gets|system|popen|localtime|gmtime|
ctime|asctime|alloca|tmpnam|mktemp'
words=$(echo "$words" | tr -d '\n')
is 'nothing banned is called' "$(git grep -nE \
    "(^|[^a-zA-Z0-9_>.])($words)[[:space:]]*\(" -- 'lib/*.[ch]' \
    'backends/*.[ch]' 'cmd/*.[ch]' | grep -vE '^[^:]*:[0-9]*:[[:space:]]*(/?\*|//)')" ''
done_testing
