# Sourced by examples/quickstart.sh and tests/run.sh: finds what is missing on this
# machine by what it does, not by the name of a package, and installs it with apt.
#
#   need_command meson meson          adds the package unless the command is there
#   need_module zlib zlib1g-dev       adds it unless pkg-config knows the module
#   need_file PATH PACKAGE            adds it unless the file is there
#   install_missing                   installs all that was added, or names it and stops
#   install_optional                  the same, but goes on without

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

# What building the libraries and the programs takes.
need_build_tools() {
    need_command cc 'gcc libc6-dev'
    need_command meson meson
    need_command ninja ninja-build
    need_command pkg-config pkg-config
    need_module openblas libopenblas-dev
    need_module zlib zlib1g-dev
    need_module libcurl libcurl4-openssl-dev
    need_module libcrypto libssl-dev
    need_file /etc/ssl/certs/ca-certificates.crt ca-certificates
}

# How this user runs something as root: prints "" or "sudo"; fails when there is no way.
# Without a terminal sudo must not ask for a password.
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
    command -v apt-get >/dev/null 2>&1 || name_and_stop 'There is no apt-get here.'
    as_root >/dev/null || name_and_stop 'Installing needs root or sudo.'
    apt_install || name_and_stop 'apt-get failed.'
}

# The same for what can be done without: says so and goes on.
install_optional() {
    [ -z "$missing" ] || ! command -v apt-get >/dev/null 2>&1 || ! as_root >/dev/null ||
        apt_install || say "Going on without:$missing"
    missing=
}

apt_install() {
    root=$(as_root)
    say "Installing:$missing"
    # Old package lists are no reason to stop: what they name may still be there.
    $root apt-get -q update </dev/null >&2 || say 'apt-get update failed; going on.'
    # shellcheck disable=SC2086
    $root env DEBIAN_FRONTEND=noninteractive apt-get -qy --no-install-recommends \
        install $missing </dev/null >&2 || return 1
    missing=
}
