#!/usr/bin/env bash
# Makes what the app needs to run from a checkout: system libraries, the environment .venv, dependencies.
# usage: scripts/setup.sh [app|dev|models]    Nothing is done twice; deleting .venv starts afresh.
# `models` makes .venv-models, with PyTorch, in which the network is trained and exported; the app never needs it.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/system.sh
group=${1:-app}
venv=.venv
lock=requirements.lock
[ "$group" = dev ] && lock=requirements-dev.lock
[ "$group" = models ] && venv=.venv-models && lock=resources/envs/models.lock
alone=resources/envs/models.alone.lock  # what asks for more than it needs, so without what it asks for

find_python() {
  local name
  for name in python3 python3.11 python3.12 python3.13; do
    if "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then echo "$name"; return 0; fi
  done
  return 1
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

# install_models: PyTorch with the rest of the list. Through pip, which finds wheels that lie on the machine where its
# settings say so; without a GPU only the build for CPUs will do, for the other brings gigabytes of CUDA.
install_models() {
  local torch rest
  torch=$(grep '^torch==' $lock)
  rest=$(grep -v '^torch==' $lock)
  if [ "$(uname -s)" = Linux ] && ! nvidia-smi >/dev/null 2>&1; then torch=$torch+cpu; fi
  $venv/bin/python -m pip --version >/dev/null 2>&1 || $venv/bin/python -m ensurepip >/dev/null
  # shellcheck disable=SC2086  # one word each
  $venv/bin/python -m pip install -qq --disable-pip-version-check -c requirements-dev.lock $torch $rest \
    pytest pytest-timeout psutil || {
    say "could not install $torch. Tell pip where that build lies (PIP_FIND_LINKS, PIP_EXTRA_INDEX_URL); run this again."
    exit 1
  }
  $venv/bin/python -m pip install -qq --disable-pip-version-check --no-deps -r $alone
}

# make_environment INSTALL FILE...: the environment, filled by a command unless the files are as they were then.
make_environment() {
  local install=$1 stamp=$venv/.installed-$group wanted
  shift
  make_venv
  wanted=$(cat "$@" | cksum)
  [ "$(cat $stamp 2>/dev/null)" = "$wanted" ] && return 0
  say "installing dependencies ($lock) into $venv"
  "$install"
  echo "$wanted" >$stamp
}

install_app() {
  pip_install -r $lock
  pip_install --no-deps -e .
}

if [ "$group" = models ]; then  # the marcher is compiled where it runs
  need_libraries libgomp.so.1=libgomp1 || true
  command -v "${CXX:-g++}" >/dev/null || install_system g++
  make_environment install_models $lock $alone requirements-dev.lock
  exit
fi

# VTK draws off screen through Mesa; OpenMP serves the numeric libraries.
need_libraries libOSMesa.so=libosmesa6 libEGL.so.1=libegl1 libGL.so.1=libgl1 libgomp.so.1=libgomp1 \
  libXrender.so.1=libxrender1 || say "without them drawing off screen may not work."
# Qt draws the window through X11 (also under Wayland, because VTK does).
need_libraries libxcb-cursor.so.0=libxcb-cursor0 libxcb-icccm.so.4=libxcb-icccm4 libxcb-image.so.0=libxcb-image0 \
  libxcb-keysyms.so.1=libxcb-keysyms1 libxcb-render-util.so.0=libxcb-render-util0 libxcb-xkb.so.1=libxcb-xkb1 \
  libxkbcommon-x11.so.0=libxkbcommon-x11-0 libfontconfig.so.1=libfontconfig1 libdbus-1.so.3=libdbus-1-3 \
  libGLX_mesa.so.0=libgl1 || say "without them the window may not open; the command line works."
if [ "$group" = dev ] && [ "$(uname -s)" = Linux ]; then  # the window's tests bring their own screen
  missing=()
  command -v Xvfb >/dev/null || missing+=(xvfb)
  command -v xdotool >/dev/null || missing+=(xdotool)
  [ ${#missing[@]} = 0 ] || install_system "${missing[@]}" || say "without them the window's tests are skipped."
fi
make_environment install_app $lock pyproject.toml
