#!/bin/sh
# SPDX-License-Identifier: MIT
# key_map renames keys and leaves everything else as it is.
# shellcheck source=tests/lib.sh
. "${0%/*}/../lib.sh"
plan 17

map() { # map DATA [FROM=TO...]
	fr_data=$1
	shift
	printf '%s\n' "$fr_data" | "$HANDLERS/key_map" "$@"
}
is 'keys are renamed, others are kept, the order stays' \
    "$(map '{"source":{"a":1,"b":2,"c":3},"map":{"b":"x"}}')" \
    '{"a":1,"x":2,"c":3}'
is 'values are copied token for token' \
    "$(map '{"source":{"a":12345678901234567890,"b":1e400,"c":1.10,"d":"\u0041\/"},
	"map":{"a":"n"}}')" \
    '{"n":12345678901234567890,"b":1e400,"c":1.10,"d":"\u0041\/"}'
is 'two keys can be swapped' \
    "$(map '{"source":{"a":1,"b":2},"map":{"a":"b","b":"a"}}')" '{"b":1,"a":2}'
is 'a chain of renamings is one step each' \
    "$(map '{"source":{"a":1,"b":2},"map":{"a":"b","b":"c"}}')" '{"b":1,"c":2}'
is 'a renamed key takes the place of one with its new name' \
    "$(map '{"source":{"a":1,"b":2},"map":{"a":"b"}}')" '{"b":1}'
is 'a key that is not there is not renamed' \
    "$(map '{"source":{"a":1},"map":{"b":"a"}}')" '{"a":1}'
is 'an empty map changes nothing' "$(map '{"source":{"a":1},"map":{}}')" \
    '{"a":1}'
is 'an empty object stays empty' "$(map '{"source":{},"map":{"a":"b"}}')" '{}'
is 'keys are compared by what they mean' \
    "$(map '{"source":{"\u0061":1},"map":{"a":"é\n"}}')" '{"é\n":1}'
is 'other members of the data are none of its business' \
    "$(map '{"source":{"a":1},"more":2,"map":{"a":"b"}}')" '{"b":1}'
is 'the names can be arguments, the data is then the object' \
    "$(map '{"destination":"d","archive":"f","n":1}' destination=origin \
	archive=destination)" '{"origin":"d","destination":"f","n":1}'
exits 'two keys cannot become one' 65 \
    map '{"source":{"a":1,"b":2},"map":{"a":"x","b":"x"}}'
exits 'a new name is a string' 65 map '{"source":{"a":1},"map":{"a":1}}'
exits 'a source is needed' 65 map '{"map":{"a":"b"}}'
exits 'a map is needed' 65 map '{"source":{"a":1}}'
exits 'the data is an object' 65 map '[1]' a=b
exits 'an argument is FROM=TO' 64 map '{}' a
