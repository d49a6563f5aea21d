# ordertrack. PGXS builds, installs and tests the extension (all, install,
# installcheck, clean, uninstall); the goals named here are this project's own.
GOALS = packages check-packages demo psql check stress bench replay format format-check

EXTENSION = ordertrack
# The control file is the only place that states the version.
EXTVERSION := $(shell sed -n "s/^default_version *= *'\(.*\)'.*/\1/p" $(EXTENSION).control)
MODULE_big = $(EXTENSION)
OBJS = $(patsubst %.c,%.o,$(wildcard src/*.c))

# What ships is these parts of sql/ in this order, and the upgrade scripts. (PGXS
# asks by ifdef, which takes only what is empty at once, by ":=", for undefined.)
SQL_PARTS = begin domain workspace customer campaign voucher limit order note order_as_of redemption stack redemption_item rule segment reservation points reward issued_reward reward_redemption shipment payment return coupon cancel activity view export access comment setup
SQL_FILES = $(SQL_PARTS:%=sql/%.sql)
DATA_built = sql/$(EXTENSION)--$(EXTVERSION).sql
DATA := $(wildcard sql/$(EXTENSION)--*--*.sql)
DOCS := $(wildcard doc/*.md)

# pg_regress looks for sql/NAME.sql and expected/NAME.out in its output folder
# before its input folder. With "." as output it would run our parts in sql/
# instead of the tests, so it gets a folder of its own with a link to expected/.
REGRESS := $(patsubst test/sql/%.sql,%,$(wildcard test/sql/*.sql))
ISOLATION := $(patsubst test/specs/%.spec,%,$(wildcard test/specs/*.spec))
REGRESS_OPTS = --inputdir=test --outputdir=results --encoding=UTF8 --no-locale
ISOLATION_OPTS = $(REGRESS_OPTS)
REGRESS_PREP = results/expected

# Debian has PGXS in the server's package, and the headers, which tell whether
# something can be built, in another.
PG_CONFIG ?= pg_config
SERVER_HEADER := $(wildcard $(shell $(PG_CONFIG) --includedir-server 2>/dev/null)/postgres.h)
PGXS := $(if $(SERVER_HEADER),$(shell $(PG_CONFIG) --pgxs))
ifeq (,$(PGXS)$(filter file,$(origin PG_CONFIG)))
$(error PG_CONFIG=$(PG_CONFIG) is of no PostgreSQL that has its server headers)
endif

# PGXS is not read for our goals, since it has a "check" too, nor on a fresh
# machine, where it is still to be installed.
ifeq (,$(if $(PGXS),$(filter $(GOALS),$(MAKECMDGOALS)),missing))

include $(PGXS)

.DELETE_ON_ERROR:

$(DATA_built): $(SQL_FILES) Makefile
	cat $(SQL_FILES) > $@

# PGXS doesn't follow #include.
$(OBJS) $(OBJS:.o=.bc): $(wildcard src/*.h)

results/expected:
	$(MKDIR_P) results
	ln -sfn ../expected $@

else

.NOTPARALLEL:
.PHONY: all install installcheck uninstall clean install-here $(GOALS)

# Our goals work on Debian's PostgreSQL 15, whatever else a machine has.
PGBIN = /usr/lib/postgresql/15/bin
BUILD = $(MAKE) --no-print-directory PG_CONFIG=$(PGBIN)/pg_config
# What sudo starts has no part in our parallel jobs and flags.
INSTALL_HERE = $(AS_ROOT) env MAKEFLAGS= $(BUILD) -s install
SERVER = env -u USER -u LOGNAME -u PGPORT LC_ALL=C.UTF-8 pg_virtualenv -t -v 15 -c --locale=C.UTF-8

BUILD_PACKAGES = postgresql-15 postgresql-server-dev-15 postgresql-common gcc libc6-dev
CHECK_PACKAGES = postgresql-15-pgtap libtap-parser-sourcehandler-pgtap-perl libipc-run-perl clang-format \
	clang libclang-rt-dev

# Not every function needs all arguments that PostgreSQL passes, and its code
# compares an int with lengthof() everywhere.
STRICT = -Wall -Wextra -Werror -Wno-unused-parameter -Wno-sign-compare

AS_ROOT = as_root() { \
		if [ "$$(id -u)" = 0 ]; then "$$@"; \
		elif command -v sudo >/dev/null; then sudo "$$@"; \
		else echo "This can't go on without root or sudo for: $$*" >&2; return 1; \
		fi; }; as_root

# Installs those of the named packages that are missing.
define need
@missing=$$(for package in $(1); do \
		dpkg-query -W -f '$${db:Status-Status}' $$package 2>/dev/null | grep -qx installed \
			|| echo $$package; \
	done); \
	test -z "$$missing" && exit; \
	echo "Missing Debian packages:" $$missing; \
	command -v apt-get >/dev/null || { echo "This can't go on without them, and there is no apt-get." >&2; exit 1; }; \
	$(AS_ROOT) sh -c 'apt-get -q update && \
		DEBIAN_FRONTEND=noninteractive apt-get -qy install --no-install-recommends "$$@"' \
		apt-get $$missing
endef

# Goals of PGXS, asked for beside ours or before there is a PGXS.
all install installcheck uninstall clean: packages
	+$(BUILD) $@

packages:
	$(call need,$(BUILD_PACKAGES))

check-packages:
	$(call need,$(BUILD_PACKAGES) $(CHECK_PACKAGES))

# The throwaway servers load what is installed.
install-here: packages
	+@$(BUILD) -s all
	@$(INSTALL_HERE)

demo psql: install-here
	@test/demo $(filter psql,$@)

# Built anew, so that no warning hides in an object file that was there before.
check: check-packages
	+@$(BUILD) -s clean
	+@$(BUILD) -s all COPT='$(STRICT)'
	@$(INSTALL_HERE)
	@test/check

stress: check-packages install-here
	@test/check stress

bench: install-here
	@test/bench/run

# Real orders from a folder of CSV files: make replay OLIST=folder
replay: install-here
	@$(if $(OLIST),$(SERVER) test/replay/run '$(abspath $(OLIST))',echo 'replay: skipped, no OLIST=folder given')

format: check-packages
	clang-format -i src/*.[ch] test/fuzz/*.c

format-check: check-packages
	clang-format --dry-run -Werror src/*.[ch] test/fuzz/*.c

endif
