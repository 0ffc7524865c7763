#!/bin/sh
# Coverage of lib/ without kernels by its tests, with gcovr: branches of the parsers, lines of
# the rest.
#
#   sh tests/coverage.sh [ARGUMENT...]    arguments of `meson test` select tests, such as
#                                         --suite unit; default those of the libraries
#
# Branches that only the compiler makes are left out as far as gcovr knows them.
set -eu
cd "$(dirname "$0")/.."
folder=build-tests/coverage
[ $# -gt 0 ] || set -- --suite unit --suite api --suite golden --suite fuzz
command -v gcovr >/dev/null || {
    echo 'coverage: gcovr is not installed: apt-get install gcovr' >&2
    exit 77
}
# What reads files and text of others.
parsers='lib/lstm/io/(header|json_.*|metadata|utf8|file|find|foreign|dtype|records)\.c|'
parsers="${parsers}lib/mnist/(idx|read|stream)\\.c|examples/common/(options|number)\\.c"

[ -f $folder/build.ninja ] ||
    meson setup $folder --buildtype=debug -Db_coverage=true -Db_ndebug=true </dev/null
status=0
meson test -C $folder --timeout-multiplier 4 "$@" </dev/null || status=$?
# gcovr 5.2 stops at functions that a macro defines several times on different lines, as tests
# have them: only the objects of the libraries, without kernels, are read.
report() {
    gcovr --root . --exclude-unreachable-branches --exclude-throw-branches "$@" \
        $folder/lib/lstm/liblstm_core.a.p $folder/lib/mnist/libmnist_core.a.p \
        $folder/examples/libexample_common.a.p
}
echo '== parsers: branches'
report --filter "$parsers" --branches
echo '== the rest of lib: lines'
report --filter lib/ --exclude "$parsers" --txt -
exit $status
