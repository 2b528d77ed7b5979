#!/usr/bin/env bash
# Makes what the app needs to run from a checkout: system libraries, the environment .venv, dependencies.
# usage: scripts/setup.sh [app|dev]    Nothing is done twice; deleting .venv starts afresh.
set -euo pipefail
cd "$(dirname "$0")/.."
group=${1:-app}
venv=.venv
lock=requirements.lock
[ "$group" = dev ] && lock=requirements-dev.lock

say() { printf 'setup: %s\n' "$*" >&2; }

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

find_python() {
  local name
  for name in python3 python3.11 python3.12 python3.13; do
    if "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then echo "$name"; return 0; fi
  done
  return 1
}

install_libraries() {
  [ "$(uname -s)" = Linux ] || return 0
  local known missing=()
  known=$(PATH=$PATH:/sbin:/usr/sbin ldconfig -p 2>/dev/null || true)
  case $known in *libOSMesa.so*) ;; *) missing+=(libosmesa6) ;; esac
  case $known in *libEGL.so.1*) ;; *) missing+=(libegl1) ;; esac
  case $known in *libGL.so.1*) ;; *) missing+=(libgl1) ;; esac
  case $known in *libgomp.so.1*) ;; *) missing+=(libgomp1) ;; esac
  case $known in *libXrender.so.1*) ;; *) missing+=(libxrender1) ;; esac
  [ ${#missing[@]} = 0 ] || install_system "${missing[@]}" || say "drawing off screen may not work without them."
}

make_venv() {
  [ -x $venv/bin/python ] && return 0
  local python
  python=$(find_python) || { install_system python3 python3-venv && python=$(find_python); } \
    || { say "Python 3.11 or newer is needed."; exit 1; }
  if command -v uv >/dev/null && uv venv --quiet --python "$python" $venv; then return 0; fi
  rm -rf $venv
  if ! "$python" -m venv $venv >/dev/null 2>&1; then  # Debian ships Python without venv
    rm -rf $venv
    install_system "$("$python" -c 'import sys; print("python3.%d-venv" % sys.version_info[1])')"
    "$python" -m venv $venv
  fi
}

# pip_install ARGUMENT...: through uv where it is, else through the environment's own pip.
pip_install() {
  if command -v uv >/dev/null; then uv pip install --quiet --python $venv/bin/python "$@"
  else
    $venv/bin/python -m pip --version >/dev/null 2>&1 || $venv/bin/python -m ensurepip >/dev/null
    $venv/bin/python -m pip install --quiet --disable-pip-version-check "$@"
  fi
}

install_libraries
make_venv
stamp=$venv/.installed-$group
wanted=$(cat $lock pyproject.toml | cksum)
if [ "$(cat $stamp 2>/dev/null)" != "$wanted" ]; then
  say "installing dependencies ($lock) into $venv"
  pip_install -r $lock
  pip_install --no-deps -e .
  echo "$wanted" >$stamp
fi
