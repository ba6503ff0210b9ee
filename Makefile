# SPDX-License-Identifier: MIT
# One Makefile, no recursion; one build directory for each set of sanitizers.
# FAULT=1: programs that know the store fault:URL?fail=…, for tests.
# make demo | check | lint | fuzz | bench | install | clean

comma := ,
B := build$(if $(SAN),/san-$(subst $(comma),-,$(SAN)))$(if $(FAULT),/fault)
PREFIX ?= /usr/local
WERROR ?= -Werror
CFLAGS ?= -O2 -g
HARDEN = -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fPIE
FLAGS = -std=c17 -D_GNU_SOURCE -Wall -Wextra -Wshadow -Wconversion \
	-Wswitch-enum -Wvla -Wmissing-prototypes -Wstrict-prototypes \
	-Wpointer-arith -Wwrite-strings $(WERROR) -fvisibility=hidden \
	-fno-strict-aliasing -pthread \
	$(if $(SAN),-fsanitize=$(SAN) -fno-sanitize-recover=all \
	    -fno-omit-frame-pointer,$(HARDEN))
CPPFLAGS += -Ilib -I. -I$B/gen -DFR_LIBEXEC=\"$(PREFIX)/libexec/forerunner\" \
	$(if $(FAULT),-DFR_FAULT)
LINK = -pie -pthread -Wl,-z,relro,-z,now,--as-needed \
	$(if $(SAN),-fsanitize=$(SAN))

# Programs, and the built-in handlers.
PROGS := $(sort $(notdir $(patsubst %.c,%,$(wildcard cmd/fr-*.c)) \
	$(patsubst %/main.c,%,$(wildcard cmd/fr-*/main.c))))
HANDLERS := $(patsubst cmd/handlers/%.c,%,$(wildcard cmd/handlers/*.c))
UNITS := $(patsubst tests/unit/%.c,%,$(wildcard tests/unit/test_*.c))

# The third-party libraries of each program; by default none.
BACKEND_LIBS := sqlite3 libpq hiredis openssl
LIBS_fr-manager := libevent libevent_pthreads $(BACKEND_LIBS)
LIBS_fr-worker := libevent libcurl
LIBS_fr-submit := libcurl
LIBS_fr-status := libcurl
LIBS_fr-ctl := libcurl
LIBS_fr-run := $(BACKEND_LIBS)
LIBS_fr-store-test := $(BACKEND_LIBS)
LIBS_fr-queue-test := $(BACKEND_LIBS)
LIBS_fr-bench := libcurl libevent
LIBS_handler_fetch := libcurl
LIBS_handler_targz := libarchive
LIBS_handler_key_map :=
LIBS_handler_word_count :=
LIBS_handler_ping :=
# Those that open a store or a queue link the backends.
BACKED := fr-manager fr-run fr-store-test fr-queue-test

# What two of them share, from cmd/shared.
SHARED_fr-run := guard handling
SHARED_fr-worker := guard handling
SHARED_fr-store-test := judge
SHARED_fr-queue-test := judge

src = $(if $(wildcard cmd/$1),$(sort $(wildcard cmd/$1/*.c)),cmd/$1.c) \
	$(SHARED_$1:%=cmd/shared/%.c)
obj = $(patsubst %.c,$B/%.o,$(call src,$1))
pkg = $(if $1,$(shell pkg-config --libs $1))
# What is made is named; make V=1 shows the whole commands, make -s nothing.
quiet := $(findstring s,$(firstword -$(MAKEFLAGS)))
say = $(if $V,,@$(if $(quiet),,echo '  $1 $(@:$B/%=%)';))

all: $(PROGS:%=$B/bin/%) $(HANDLERS:%=$B/libexec/forerunner/handlers/%)
	@:

define program
$B/bin/$1: $(call obj,$1) $(if $(filter $1,$(BACKED)),$B/libbackends.a) \
    $B/libfr.a
	@mkdir -p $$(@D)
	$$(call say,LD)$$(CC) $$(CFLAGS) $$(LINK) $$(LDFLAGS) -o $$@ $$^ \
	    $$(call pkg,$$(LIBS_$1)) $(if $(filter $1,$(BACKED)),-ldl) -lm
endef
$(foreach p,$(PROGS),$(eval $(call program,$p)))

define handler
$B/libexec/forerunner/handlers/$1: $B/cmd/handlers/$1.o $B/libfr.a
	@mkdir -p $$(@D)
	$$(call say,LD)$$(CC) $$(CFLAGS) $$(LINK) $$(LDFLAGS) -o $$@ $$^ \
	    $$(call pkg,$$(LIBS_handler_$1))
endef
$(foreach p,$(HANDLERS),$(eval $(call handler,$p)))

define unit
$B/tests/unit/$1: $B/tests/unit/$1.o $B/libbackends.a $B/libfr.a
	@mkdir -p $$(@D)
	$$(call say,LD)$$(CC) $$(CFLAGS) $$(LINK) $$(LDFLAGS) -o $$@ $$^ \
	    $$(call pkg,cmocka libevent libcurl jansson $(BACKEND_LIBS)) -ldl -lm
endef
$(foreach p,$(UNITS),$(eval $(call unit,$p)))

# Fuzz targets: with clang and SAN=fuzzer-no-link,... for libFuzzer, else with
# a main that only replays the corpus.
FUZZ := $(patsubst tests/fuzz/%.c,%,$(wildcard tests/fuzz/*.c))
define fuzzer
$B/tests/fuzz/$1: $B/tests/fuzz/$1.o $B/tests/fuzz/lib/failed.o \
    $(if $(findstring fuzzer,$(SAN)),,$B/tests/fuzz/lib/replay.o) \
    $B/libbackends.a $B/libfr.a
	@mkdir -p $$(@D)
	$$(call say,LD)$$(CC) $$(CFLAGS) $$(subst fuzzer-no-link,fuzzer,$$(LINK)) \
	    $$(LDFLAGS) -o $$@ $$^ \
	    $$(call pkg,libevent libcurl jansson $(BACKEND_LIBS)) -ldl -lm
endef
$(foreach p,$(FUZZ),$(eval $(call fuzzer,$p)))
fuzzers: $(FUZZ:%=$B/tests/fuzz/%)

# Programs whose allocations can be made to fail.
ALLOC := $(patsubst tests/alloc/%.c,%,$(wildcard tests/alloc/*.c))
WRAP := $(foreach f,malloc calloc realloc reallocarray strdup free,-Wl,--wrap=$f)
define allocation
$B/tests/alloc/$1: $B/tests/alloc/$1.o $B/tests/alloc/lib/alloc.o \
    $B/libbackends.a $B/libfr.a
	@mkdir -p $$(@D)
	$$(CC) $$(CFLAGS) $$(LINK) $$(LDFLAGS) $$(WRAP) -o $$@ $$^ \
	    $$(call pkg,$(BACKEND_LIBS)) -ldl -lm
endef
$(foreach p,$(ALLOC),$(eval $(call allocation,$p)))
allocs: $(ALLOC:%=$B/tests/alloc/%)

# The engine's simulated days, on seeds.
$B/tests/sim/%: $B/tests/sim/%.o $B/libbackends.a $B/libfr.a
	@mkdir -p $(@D)
	$(call say,LD)$(CC) $(CFLAGS) $(LINK) $(LDFLAGS) -o $@ $^ \
	    $(call pkg,$(BACKEND_LIBS)) -ldl -lm

# Helpers of the tests in tests/backend and tests/api.
DRIVERS := $(patsubst tests/%.c,$B/tests/%,\
	$(wildcard tests/backend/*.c tests/api/*.c))
$(DRIVERS): $B/tests/%: $B/tests/%.o $B/libbackends.a $B/libfr.a
	@mkdir -p $(@D)
	$(call say,LD)$(CC) $(CFLAGS) $(LINK) $(LDFLAGS) -o $@ $^ \
	    $(call pkg,$(BACKEND_LIBS)) -ldl -lm
drivers: $(DRIVERS)

# Backends with faults, which the judges must find. A module has its own copy
# of what it needs, compiled to be loaded anywhere.
BAD := $(patsubst %.c,$B/%.so,$(wildcard tests/bad/*.c))
BAD_OBJ := $(patsubst %.c,$B/pic/%.o,$(wildcard lib/base/*.c) \
	backends/weigh.c $(wildcard backends/memory/*.c backends/sqlite/*.c))
$B/pic/%.o: %.c Makefile | $(GEN)
	@mkdir -p $(@D)
	$(call say,CC)$(CC) -MMD -MP $(FLAGS) -fPIC $(CPPFLAGS) $(CFLAGS) \
	    -c -o $@ $<
$(BAD): $B/tests/bad/%.so: $B/pic/tests/bad/%.o $(BAD_OBJ)
	@mkdir -p $(@D)
	$(call say,LD)$(CC) $(CFLAGS) $(filter-out -pie,$(LINK)) -shared \
	    $(LDFLAGS) -o $@ $^ $(call pkg,sqlite3) -lm
bads: $(BAD)

# Programs that measure one part; they have no test library.
BENCHES := $(patsubst tests/bench/%.c,%,$(wildcard tests/bench/*.c))
$B/tests/bench/%: $B/tests/bench/%.o $B/tests/bench/lib/load.o \
    $B/libbackends.a $B/libfr.a
	@mkdir -p $(@D)
	$(call say,LD)$(CC) $(CFLAGS) $(LINK) $(LDFLAGS) -o $@ $^ \
	    $(call pkg,$(BACKEND_LIBS)) -ldl -lm \
	    $(if $(filter gearman,$*),-lgearman)

$B/libfr.a: $(patsubst %.c,$B/%.o,$(wildcard lib/*/*.c))
	@mkdir -p $(@D)
	$(call say,AR)rm -f $@ && $(AR) rcs $@ $^

$B/libbackends.a: $(patsubst %.c,$B/%.o,$(wildcard backends/*.c backends/*/*.c))
	@mkdir -p $(@D)
	$(call say,AR)rm -f $@ && $(AR) rcs $@ $^

# SQL and Lua are files: share/sql/X.sql becomes the string literal sql/X.sql.h,
# to be included behind an equals sign.
GEN := $(patsubst share/%,$B/gen/%.h,$(wildcard share/sql/*.sql share/lua/*.lua))
$B/gen/%.h: share/%
	@mkdir -p $(@D)
	@sed -e 's/[\\"]/\\&/g' -e 's/^/"/' -e 's/$$/\\n"/' $< >$@

PQ_CFLAGS := $(subst -I,-isystem ,$(shell pkg-config --cflags libpq))
$B/backends/%.o: CPPFLAGS += $(PQ_CFLAGS)

$B/%.o: %.c Makefile | $(GEN)
	@mkdir -p $(@D)
	$(call say,CC)$(CC) -MMD -MP $(FLAGS) $(CPPFLAGS) $(CFLAGS) -c -o $@ $<

units: $(UNITS:%=$B/tests/unit/%)

# Installs what is missing, builds everything, runs every test that prints TAP;
# TESTS='tests/cli tests/api/work.t' picks some. The last line is "N passed, N failed".
LSAN := print_suppressions=0
TESTS ?= tests $(UNITS:%=$B/tests/unit/%)
check:
	@share/install-deps build check
	+@$(MAKE) --no-print-directory all units fuzzers \
	    allocs drivers bads $B/tests/sim/sim $B/tests/sim/stores
	+@$(MAKE) --no-print-directory FAULT=1 $B/fault/bin/fr-manager
	@env PATH="$(CURDIR)/$B/bin:$$PATH" FR_BUILD="$(CURDIR)/$B" \
	    FR_LIBEXEC="$(CURDIR)/$B/libexec/forerunner" \
	    $(if $(SAN),FR_TEST_SLOW=4 UBSAN_OPTIONS=print_stacktrace=1 \
	        LSAN_OPTIONS=suppressions=$(CURDIR)/tests/lsan.supp:$(LSAN) \
	        TSAN_OPTIONS=suppressions=$(CURDIR)/tests/tsan.supp) \
	    tests/run $(TESTS)

# Shows it at work; installs what is missing and builds first.
JOBS = $(if $(findstring -j,$(MAKEFLAGS)),,-j$(shell nproc))
demo:
	@share/install-deps build demo
	+@$(MAKE) $(JOBS) --no-print-directory all
	@PATH="$(CURDIR)/$B/bin:$$PATH" share/demo

# Where things go: make install DESTDIR=/tmp/stage PREFIX=/usr
BINDIR = $(DESTDIR)$(PREFIX)/bin
LIBEXECDIR = $(DESTDIR)$(PREFIX)/libexec/forerunner
SHAREDIR = $(DESTDIR)$(PREFIX)/share
UNITDIR = $(DESTDIR)$(PREFIX)/lib/systemd/system
MANPAGES := $(wildcard man/*.[1-8])
EXAMPLES := $(patsubst share/%,%,$(shell find share/examples -type f))
COMPLETION = $(SHAREDIR)/bash-completion/completions
ZSH = $(SHAREDIR)/zsh/site-functions

install: all
	install -d $(BINDIR) $(LIBEXECDIR)/handlers $(UNITDIR)
	install $(PROGS:%=$B/bin/%) $(BINDIR)
	install $(HANDLERS:%=$B/libexec/forerunner/handlers/%) \
	    $(LIBEXECDIR)/handlers
	install -d $(DESTDIR)$(PREFIX)/include/fr $(COMPLETION) $(ZSH)
	install -m 644 lib/fr/*.h $(DESTDIR)$(PREFIX)/include/fr
	install -m 644 share/completion/fr.bash $(COMPLETION)
	for p in $(PROGS); do ln -sf fr.bash $(COMPLETION)/$$p || exit; done
	install -m 644 share/completion/_fr $(ZSH)
	for m in $(MANPAGES); do \
		d=$(SHAREDIR)/man/man$${m##*.} && install -d $$d && \
		install -m 644 $$m $$d || exit; done
	for e in demo $(EXAMPLES); do \
		install -D -m $$(stat -c %a share/$$e) share/$$e \
		    $(SHAREDIR)/forerunner/$$e || exit; done
	for u in share/systemd/*; do \
		sed 's,@PREFIX@,$(PREFIX),' $$u >$(UNITDIR)/$${u##*/} && \
		chmod 644 $(UNITDIR)/$${u##*/} || exit; done

uninstall:
	rm -f $(PROGS:%=$(BINDIR)/%) $(COMPLETION)/fr.bash \
	    $(PROGS:%=$(COMPLETION)/%) $(ZSH)/_fr \
	    $(patsubst share/systemd/%,$(UNITDIR)/%,$(wildcard share/systemd/*))
	for m in $(notdir $(MANPAGES)); do \
		rm -f $(SHAREDIR)/man/man$${m##*.}/$$m; done
	rm -rf $(LIBEXECDIR) $(SHAREDIR)/forerunner \
	    $(DESTDIR)$(PREFIX)/include/fr

# Each fuzz target for FUZZ_SECONDS under libFuzzer and the sanitizers.
FUZZ_SECONDS ?= 10
FUZZ_SAN := fuzzer-no-link,address,undefined
fuzz:
	@if ! command -v clang >/dev/null; then \
		echo "fuzz: skipped: clang is not installed"; \
	else \
		$(MAKE) --no-print-directory CC=clang SAN=$(FUZZ_SAN) WERROR= \
		    fuzzers && tests/fuzz/run $(FUZZ_SECONDS) \
		    build/san-$(subst $(comma),-,$(FUZZ_SAN)) $(FUZZ); \
	fi

# Form and likely bugs; needs what make has generated.
lint:
	@share/install-deps build lint
	+@$(MAKE) -s --no-print-directory all
	@tests/check/lint $(CPPFLAGS) $(shell pkg-config --cflags libpq)

# Every figure beside the peers', in one run; BENCH='--quick --only drain'.
bench:
	@share/install-deps build bench
	+@$(MAKE) --no-print-directory all drivers $(BENCHES:%=$B/tests/bench/%)
	@FR_BUILD=$(CURDIR)/$B FR_LIBEXEC=$(CURDIR)/$B/libexec/forerunner \
	    tests/bench/run.py $(BENCH)

# The lease protocol, proved with Spin (package spin; about a minute).
model:
	@share/install-deps model
	@tests/model/check

clean:
	rm -rf build

-include $(shell find $B -name '*.d' 2>/dev/null)
.PHONY: model all bads units fuzzers allocs drivers check lint demo fuzz bench install uninstall clean deps
.SECONDARY: $(GEN)
.DELETE_ON_ERROR:
