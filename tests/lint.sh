#!/bin/sh
# Static analysis: clang-tidy, cppcheck and the analyzer of gcc for the libraries and programs;
# all scripts with shellcheck and ruff. Takes a few minutes on two cores.
#
#   sh tests/lint.sh [TOOL...]     tidy, cppcheck, analyzer, shellcheck, ruff; default all
#
# .clang-tidy, .ruff.toml and the lists below have the checks that are disabled, with reasons.
# A tool that is not installed is skipped, with the package that has it. Exits with 1 if there
# is a finding, or if a tool that was asked for by its name is not installed.
set -eu
case ${1:-} in
-h | --help)
    sed -n '/^# /s/^# //p; /^#$/s/.*//p; /^set/q' "$0"
    exit 0
    ;;
esac
cd "$(dirname "$0")/.."
. examples/packages.sh

folder=build-tests/lint
jobs=$(getconf _NPROCESSORS_ONLN)
failed=
skipped=

# Whether a tool is wanted and there.
have() {
    tool=$1
    case " ${tools:-$tool} " in *" $tool "*) ;; *) return 1 ;; esac
    if command -v "$2" >/dev/null 2>&1; then
        say "== $tool"
        return 0
    fi
    if [ "$tools" ]; then
        failed="$failed $tool"
        say "FAILED: $tool is not installed: install $3"
        return 1
    fi
    skipped="$skipped $tool"
    say "SKIPPED: $tool: install $3"
    return 1
}

# Runs a command; findings are what it prints or a status other than 0.
check() {
    "$@" >"$log" 2>&1 || echo "exit status $?" >>"$log"
    [ -s "$log" ] || return 0
    cat "$log"
    failed="$failed $tool"
}

files_of() {
    python3 tests/support/compile_commands.py "$folder" "$@"
}

tidy() {
    files_of files lib/ examples/ tests/verify/ | nice xargs -P "$jobs" -n 2 \
        clang-tidy -p "$folder" --quiet 2>/dev/null
}

# disabled: internalAstError, unknownMacro: what this parser does not understand;
# zerodiv, nullPointer: it does not see sums of positive numbers and arguments that go together;
# invalidPointerCast: fields of options are found by their offset;
# arrayIndexThenCheck: the last element is a zero, the limit is that of the copy;
# uninitStructMember: a status says that it is set; readdirCalled: what it proposes is obsolete.
cpp() {
    files_of files lib/ examples/ tests/verify/ | grep -v '/kernels/' | nice xargs cppcheck \
        -j "$jobs" --quiet --std=c11 --enable=warning,portability,performance \
        --inline-suppr --library=posix -D_GNU_SOURCE -DCOMMON_LIBRARY=lstm -I. -Iinclude \
        --suppress=missingIncludeSystem --suppress=preprocessorErrorDirective \
        --suppress=internalAstError --suppress=unknownMacro --suppress=zerodiv \
        --suppress=nullPointer --suppress=invalidPointerCast --suppress=arrayIndexThenCheck \
        --suppress=uninitStructMember --suppress=readdirCalled
}

# Without tests/verify, where a failure ends the process in a function that gcc does not see.
# compile_commands.py has the checks that are disabled.
analyzer() {
    files_of analyzer lib/ examples/ | nice xargs -d '\n' -P "$jobs" \
        -I{} sh -c '{}'
}

# disabled: SC3044: `builtin` is the name of a configuration in tests/run.sh.
scripts() {
    find .ci/run examples tests \( -name '*.sh' -o -name run \) \
        -exec shellcheck -x -e SC3044 {} +
}

tools=$*
for tool in $tools; do
    case $tool in
    tidy | cppcheck | analyzer | shellcheck | ruff) ;;
    *)
        say "lint: unknown tool '$tool', expected tidy, cppcheck, analyzer, shellcheck or ruff"
        exit 2
        ;;
    esac
done
log=$(mktemp)
trap 'rm -f "$log"' EXIT
if [ ! -f "$folder/compile_commands.json" ]; then
    options='--buildtype=debugoptimized -Dtests=false'
    # shellcheck disable=SC2086
    CC=$(command -v clang || command -v cc) meson setup "$folder" $options </dev/null >"$log" ||
        { cat "$log"; exit 1; }
fi
if have shellcheck shellcheck shellcheck; then check scripts; fi
if have ruff ruff 'ruff (pip)'; then check ruff check --quiet .; fi
if have cppcheck cppcheck cppcheck; then check cpp; fi
if have analyzer gcc gcc; then check analyzer; fi
if have tidy clang-tidy clang-tidy; then check tidy; fi
[ -z "$failed" ] || say "FAILED:$failed"
[ -z "$skipped" ] || say "SKIPPED:$skipped"
[ -z "$failed" ]
