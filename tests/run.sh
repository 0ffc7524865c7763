#!/bin/sh
# Installs missing packages, then builds and runs all tests in six configurations: a release,
# without OpenBLAS and network, with clang, with two kinds of sanitizers, and for 64-bit ARM.
# Then it runs each fuzzer for a short time, and static analysis (tests/lint.sh).
# The release runs every test. The others leave out what they would only repeat: texts, slow tests
# of programs and campaigns of faults; with a sanitizer large networks, and other sets of kernels
# in tests that are not of kernels (tests/meson.build).
#
#   sh tests/run.sh --quick [OPTION...]    only the release: every test once, as a user builds,
#                                          but no packages and no WebAssembly
#   sh tests/run.sh [OPTION...]            everything; options are those of `meson setup`,
#                                          such as -Dwerror=true
#
# At the end it says what was skipped and why, and which tests failed. The last line counts the
# tests of all configurations: N passed, N failed, N skipped.
set -eu
case ${1:-} in
-h | --help)
    sed -n '/^# /s/^# //p; /^#$/s/.*//p; /^set/q' "$0"
    exit 0
    ;;
esac
cd "$(dirname "$0")/.."
. examples/packages.sh

quick=
if [ "${1:-}" = --quick ]; then
    quick=yes
    shift
fi

need_build_tools
need_module cmocka libcmocka-dev
need_command python3 python3
need_command c++ 'g++ libc6-dev'
[ "$quick" ] || need_command clang 'clang libclang-rt-14-dev'
python3 -c 'import cffi' 2>/dev/null ||
    need_file /usr/lib/python3/dist-packages/cffi python3-cffi
install_missing
need_command doxygen doxygen
need_command cmake cmake
need_command dh 'debhelper dh-python dpkg-dev'
need_command lintian lintian
need_command musl-gcc 'musl-tools make'
need_command man 'man-db groff-base'
need_command zsh zsh
need_command fish fish
need_command arm-none-eabi-gcc gcc-arm-none-eabi
need_command qemu-system-arm qemu-system-arm
need_file /usr/share/i18n/locales/de_DE locales
need_picture_tools
install_optional
need_command mpirun.openmpi 'libopenmpi-dev openmpi-bin'
need_command mpirun.mpich 'libmpich-dev mpich'
install_optional
need_web_tools
need_command node nodejs
need_command chromium chromium
need_command chromedriver chromium-driver
install_optional
need_notebook_packages
install_optional
if [ ! "$quick" ]; then
    need_command clang-tidy clang-tidy
    need_command cppcheck cppcheck
    need_command shellcheck shellcheck
    need_command gcovr gcovr
fi
install_optional
# The libraries of 64-bit ARM are packages of a second architecture, which the owner of the
# machine adds: dpkg --add-architecture arm64
arm=/usr/lib/aarch64-linux-gnu/pkgconfig
if [ ! "$quick" ] && dpkg --print-foreign-architectures 2>/dev/null | grep -qx arm64; then
    need_command qemu-aarch64 qemu-user
    need_command aarch64-linux-gnu-gcc 'gcc-aarch64-linux-gnu libc6-dev-arm64-cross'
    need_file $arm/cmocka.pc libcmocka-dev:arm64
    need_file $arm/zlib.pc zlib1g-dev:arm64
    install_optional
fi

# Some tests wait, for a server or a terminal: another one runs meanwhile.
: "${MESON_TESTTHREADS=$(($(getconf _NPROCESSORS_ONLN) + 1))}"
export MESON_TESTTHREADS

passed=0
failed=0
skipped=0
troubles=
notes=
logs=
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# Number of tests in a Meson log with one of these results.
results() {
    grep -cE "\"result\": \"($2)\"" "$1" || :
}

count() {
    passed=$((passed + $(results "$1" 'OK|EXPECTEDFAIL')))
    failed=$((failed + $(results "$1" 'FAIL|ERROR|TIMEOUT|INTERRUPT|UNEXPECTEDPASS')))
    skipped=$((skipped + $(results "$1" SKIP)))
}

fail() {
    failed=$((failed + 1))
    troubles="$troubles
FAILED: $1"
}

skip() {
    skipped=$((skipped + 1))
    notes="$notes
SKIPPED: $*"
}

# Sets a build folder up, again when the options differ from those of the last run.
configure() {
    folder=$1
    shift
    if [ -f "$folder/build.ninja" ] && [ "$*" = "$(cat "$folder/options" 2>/dev/null)" ]; then
        return 0
    fi
    rm -rf "$folder"
    meson setup "$folder" "$@" </dev/null && printf '%s' "$*" >"$folder/options"
}

# run NAME 'SETUP OPTIONS' ARGUMENT...: builds one configuration and runs its tests. The
# arguments are passed to `meson test`; $setup has the arguments of this script. If $only_tests
# is set, it builds only what these tests need.
only_tests=
run() {
    folder=build-tests/$1
    options=$2
    name=$1
    shift 2
    say "== $name"
    # shellcheck disable=SC2086
    if ! configure "$folder" -Db_ndebug=false $options $setup ||
        ! { [ "$only_tests" ] || ninja -C "$folder" </dev/null; }; then
        fail "$name: build"
        return 0
    fi
    log=$folder/meson-logs/testlog.json
    rm -f "$log"
    [ "$only_tests" ] || set -- --no-rebuild "$@"
    status=0
    meson test -C "$folder" --print-errorlogs "$@" </dev/null || status=$?
    if [ ! -f "$log" ]; then
        fail "$name: no test ran"
        return 0
    fi
    count "$log"
    logs="$logs $log"
    [ "$status" -eq 0 ] || troubles="$troubles
FAILED: $name: $(python3 tests/support/skips.py --failed "$log"): see ${log%json}txt"
}

# Whether a program built with these flags starts. Sanitizers need libraries that may be
# missing, and some containers do not allow their memory layout.
works() {
    echo 'int main(void) { return 0; }' >"$scratch/probe.c"
    "$@" "$scratch/probe.c" -o "$scratch/probe" 2>/dev/null && "$scratch/probe"
}

setup=$*
# With a sanitizer gcc reports some variables as uninitialised that are initialised.
sanitized='--buildtype=debugoptimized -Dc_args=-Wno-maybe-uninitialized -Db_sanitize='
computing='--suite unit --suite kernel --suite api --suite golden --suite bits --suite fuzz'

if [ "$quick" ]; then
    run release --buildtype=release --no-suite packages
    skip 'packages, WebAssembly: run without --quick'
else
    run release --buildtype=release
fi

# What the other configurations, fuzzing and static analysis add.
others() {
    options='-Dblas=builtin -Ddownload=disabled -Dlibdeflate=disabled -Dmpi=disabled'
    run builtin "--buildtype=release $options" \
        --no-suite once --no-suite packages --no-suite headers --no-suite faults
    if works clang; then
        CC=clang
        export CC
        # shellcheck disable=SC2086
        run clang --buildtype=release $computing --no-suite once
        unset CC
    else
        skip 'clang: it is not installed'
    fi
    # The release has compiled the programs with the same compiler.
    only_tests=yes
    if works cc -fsanitize=address,undefined; then
        # shellcheck disable=SC2086
        run asan "${sanitized}address,undefined" --timeout-multiplier 4 $computing
    else
        skip 'asan: programs with the address sanitizer do not start on this machine'
    fi
    if works cc -fsanitize=thread; then
        run tsan "${sanitized}thread -Dshake=true" --timeout-multiplier 4 --suite threads
    else
        skip 'tsan: programs with the thread sanitizer do not start on this machine'
    fi
    only_tests=

    # 64-bit ARM under an emulator: the tests that take less than a minute. -O2, because the cross
    # compiler of Debian 12 fails on some tests with -O3; kernels have -O3.
    if command -v aarch64-linux-gnu-gcc >/dev/null && command -v qemu-aarch64 >/dev/null &&
        [ -e $arm/cmocka.pc ] && [ -e $arm/zlib.pc ]; then
        options='--cross-file tests/support/aarch64.ini --buildtype=debugoptimized'
        run arm "$options -Dblas=builtin -Ddownload=disabled" --timeout-multiplier 4 \
            'bits neon' exact elementary \
            'cell neon' 'gemm neon' 'outer neon' 'pairs neon' 'product neon' 'vector neon' \
            'adam neon' 'evaluation neon' 'layer neon' 'linear neon' 'params neon'
    else
        skip 'arm: needs gcc-aarch64-linux-gnu and qemu-user, and for the architecture' \
            'arm64 libcmocka-dev and zlib1g-dev'
    fi

    say '== fuzz'
    status=0
    python3 tests/fuzz/run.py --runs 2000 --seconds 60 --build build-tests/fuzz </dev/null ||
        status=$?
    case $status in
    0) passed=$((passed + 1)) ;;
    77) skip 'fuzz: clang with libFuzzer is not installed' ;;
    *) fail 'fuzz: see above' ;;
    esac

    say '== static analysis'
    if sh tests/lint.sh </dev/null; then
        passed=$((passed + 1))
    else
        fail 'static analysis: sh tests/lint.sh'
    fi
}
[ "$quick" ] || others

# shellcheck disable=SC2086
[ -z "$logs" ] || python3 tests/support/skips.py $logs >&2
[ -z "$notes" ] || say "$notes"
[ -z "$troubles" ] || say "$troubles"
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ] && [ -z "$troubles" ]
