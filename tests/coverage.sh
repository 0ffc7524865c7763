#!/bin/sh
# Coverage of lib/ without kernels by its tests, with gcovr: branches of the parsers, lines of
# the rest.
#
#   sh tests/coverage.sh [ARGUMENT...]    arguments of `meson test` select tests, such as
#                                         --suite unit; default those of the libraries and of
#                                         the parsers of programs
#
# Left out: branches that only the compiler makes, as far as gcovr knows them, and those of the
# patterns below. Failing allocations are not left out: a test lets each of them fail.
set -eu
cd "$(dirname "$0")/.."
folder=build-tests/coverage
case ${1:-} in
-h | --help)
    sed -n '/^# /s/^# //p; /^#$/s/.*//p; /^set/q' "$0"
    exit 0
    ;;
esac
command -v gcovr >/dev/null || {
    echo 'coverage: gcovr is not installed: apt-get install gcovr' >&2
    exit 77
}
# What reads files and text of others: safetensors, JSON, metadata of checkpoints; IDX and gzip;
# options and numbers; tables.
parsers='lib/lstm/io/(header|json_.*|metadata|progress|checksum|utf8|file|find|foreign|dtype|'
parsers="${parsers}records|layer_file|layers)\\.c|lib/mnist/(idx|read|stream)\\.c|"
parsers="${parsers}examples/common/(options|number)\\.c|examples/csv/.*\\.c"
# Sums and products of sizes in memory: a file that makes them too large for 64 bits is itself
# larger than any disk, and the reader refuses it before.
never='common_(add|multiply)\('

[ -f $folder/build.ninja ] ||
    meson setup $folder --buildtype=debug -Db_coverage=true -Db_ndebug=true </dev/null
# Programs say on standard error, which tests compare, that counts are of another build.
find $folder -name '*.gcda' -delete
status=0
run() {
    meson test -C $folder --timeout-multiplier 4 "$@" </dev/null || status=$?
}
if [ $# -gt 0 ]; then
    run "$@"
else
    # These compare standard error, where libgcov names the counts of programs that were killed
    # while they wrote them. So they come before tests that kill programs.
    run csv csv_rare number options 'csv python' 'forecast*' stream refusals 'names of files'
    run --suite unit --suite api --suite golden --suite fuzz
    run functions output
fi
# gcovr 5.2 stops at functions that a macro defines several times on different lines, as tests
# have them: only the objects of the libraries, without kernels, are read.
report() {
    gcovr --root . --exclude-unreachable-branches --exclude-throw-branches \
        --exclude-branches-by-pattern ".*($never).*" "$@" \
        $folder/lib/lstm/liblstm_core.a.p $folder/lib/mnist/libmnist_core.a.p \
        $folder/examples/libexample_common.a.p $folder/examples/libexample_csv.a.p
}
echo '== parsers: branches'
report --filter "$parsers" --branches
echo '== the rest of lib: lines'
report --filter lib/ --exclude "$parsers" --txt -
exit $status
