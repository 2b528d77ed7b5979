# Sourced by the other scripts: what the system lacks is installed where that is possible, else named.

say() { printf '%s: %s\n' "$(basename "$0" .sh)" "$*" >&2; }

# as_root COMMAND...: run it with the rights to install packages, if this machine gives them without asking.
as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"
  elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then sudo -n "$@"
  else return 1
  fi
}

# install_system PACKAGE...: Debian's packages, where there is apt-get; says what is missing where it cannot.
install_system() {
  say "installing system packages: $*"
  if command -v apt-get >/dev/null \
    && as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq update >/dev/null \
    && as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends "$@" >/dev/null
  then return 0
  fi
  say "could not install $*; install them yourself and run this again."
  return 1
}

# need_libraries LIBRARY=PACKAGE...: install the packages of those shared libraries that Linux does not find.
need_libraries() {
  [ "$(uname -s)" = Linux ] || return 0
  local known pair missing=()
  known=$(PATH=$PATH:/sbin:/usr/sbin ldconfig -p 2>/dev/null || true)
  for pair in "$@"; do
    case $known in *"${pair%%=*}"*) ;; *) missing+=("${pair#*=}") ;; esac
  done
  [ ${#missing[@]} = 0 ] || install_system "${missing[@]}"
}
