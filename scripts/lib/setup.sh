# Sourced by the scripts of this folder: what they print, and how they install what is missing.

step() { printf '\n== %s\n' "$*" >&2; }
note() { printf 'note: %s\n' "$*" >&2; }

# need_command COMMAND PACKAGE...: installs Debian packages unless the command is there.
need_command() {
    local command=$1
    shift
    command -v "$command" >/dev/null && return
    command -v apt-get >/dev/null || {
        printf 'error: `%s` is missing and this is no Debian system: install what provides it and run this again\n' "$command" >&2
        exit 1
    }
    step "installing $*"
    local as_root=()
    [ "$(id -u)" -eq 0 ] || as_root=(sudo)
    "${as_root[@]}" apt-get update -qq
    DEBIAN_FRONTEND=noninteractive "${as_root[@]}" apt-get install -y -qq --no-install-recommends "$@"
}
