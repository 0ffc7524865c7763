# shellcheck shell=sh
# Sourced by examples/quickstart.sh and tests/run.sh: checks for commands, pkg-config modules
# and files instead of package names, and installs what is missing with apt.
#
#   need_command meson meson          adds the package unless the command exists
#   need_module zlib zlib1g-dev       adds it unless pkg-config finds the module
#   need_file PATH PACKAGE            adds it unless the file exists
#   install_missing                   installs the added packages, or names them and stops
#   install_optional                  the same, but continues when it fails

missing=

say() {
    printf '%s\n' "$*" >&2
}

need_command() {
    command -v "$1" >/dev/null 2>&1 || missing="$missing $2"
}

need_module() {
    pkg-config --exists "$1" 2>/dev/null || missing="$missing $2"
}

need_file() {
    [ -e "$1" ] || missing="$missing $2"
}

# What the libraries and programs need to build.
need_build_tools() {
    need_command cc 'gcc libc6-dev'
    need_command meson meson
    need_command ninja ninja-build
    need_command pkg-config pkg-config
    need_module openblas libopenblas-dev
    need_module zlib zlib1g-dev
    need_module libcurl libcurl4-openssl-dev
    need_module libdeflate libdeflate-dev
    need_file /etc/ssl/certs/ca-certificates.crt ca-certificates
}

# What mnist-predict needs for PNG and JPEG pictures; builds without them succeed.
need_picture_tools() {
    need_module libpng libpng-dev
    need_module libjpeg libjpeg62-turbo-dev
}

# What examples/web needs to compile for WebAssembly.
need_web_tools() {
    need_command clang clang
    need_command llvm-ar llvm
    need_command wasm-ld lld
    need_file /usr/include/wasm32-wasi/stdio.h wasi-libc
    need_file "$(clang --target=wasm32-wasi -print-libgcc-file-name 2>/dev/null || :)" \
        libclang-rt-14-dev-wasm32
}

# What tests/python/test_notebook.py needs to run examples/python/experiment.ipynb. Packages of
# the system are of use to the Python of the system alone.
need_notebook_packages() {
    [ "$(command -v python3)" = /usr/bin/python3 ] || return 0
    for module in nbclient ipykernel matplotlib tqdm; do
        need_file "/usr/lib/python3/dist-packages/$module" "python3-$module"
    done
}

# Prints what runs a command as root, "" or "sudo"; fails when neither works. Without a
# terminal sudo must not ask for a password.
as_root() {
    [ "$(id -u)" -ne 0 ] || return 0
    command -v sudo >/dev/null 2>&1 || return 1
    { [ -t 0 ] || sudo -n true 2>/dev/null; } && echo sudo
}

name_and_stop() {
    say "$1 Install these (names of Debian and Ubuntu) and run this again:"
    say " $missing"
    exit 1
}

install_missing() {
    [ -n "$missing" ] || return 0
    command -v apt-get >/dev/null 2>&1 || name_and_stop 'apt-get is not installed.'
    as_root >/dev/null || name_and_stop 'Installing needs root or sudo.'
    apt_install || name_and_stop 'apt-get failed.'
}

# The same for optional packages: prints what could not be installed, and continues.
install_optional() {
    [ -z "$missing" ] || ! command -v apt-get >/dev/null 2>&1 || ! as_root >/dev/null ||
        apt_install || say "Continuing without:$missing"
    missing=
}

apt_install() {
    root=$(as_root)
    say "Installing:$missing"
    # Old package lists may still be usable.
    $root apt-get -q update </dev/null >&2 || say 'apt-get update failed; continuing.'
    # shellcheck disable=SC2086
    $root env DEBIAN_FRONTEND=noninteractive apt-get -qy --no-install-recommends \
        install $missing </dev/null >&2 || return 1
    missing=
}
