#!/bin/sh
# SPDX-License-Identifier: MIT
# Words that no file of the tree should have in it.
# shellcheck source=tests/lib.sh
. "${0%/*}/../lib.sh"
cd "$ROOT" || exit 99

hosts='npmjs\.(org|com)|pypi\.org|pythonhosted\.org|crates\.io|rubygems\.org|
golang\.org|docker\.(io|com)|ghcr\.io|quay\.io|repo1\.maven|nuget\.org|
packagist\.org|yarnpkg\.com|unpkg\.com|jsdelivr\.net'
is 'no file names the host of a package registry' \
    "$(git grep -nIE "$(echo "$hosts" | tr -d '\n')" -- . ':!tests/check/names.t')" ''
is 'what is to do has a number' \
    "$(git grep -nIwE 'TODO|FIXME' -- . ':!tests/check/names.t' |
	grep -vE '(TODO|FIXME)[ (]*#[0-9]+')" ''
# shellcheck disable=SC2016 # expanded by the inner shell
is 'every source file names its license' "$(git ls-files '*.c' '*.h' |
	xargs -n 1 sh -c 'head -n 1 "$1" |
	grep -q "SPDX-License-Identifier: MIT" || echo "$1"' _)" ''
done_testing
