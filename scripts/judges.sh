#!/usr/bin/env bash
# Fetches other people's readers, by which `make validate` judges our exports: Khronos' glTF validator (Node) into
# node_modules, Blender as a Python module into .venv-blender. What cannot be had is said; it is never hidden.
# Neither is ever a dependency of the app (Blender is GPL).
set -uo pipefail
cd "$(dirname "$0")/.."
. scripts/system.sh

fetch_validator() {
  [ -d node_modules/gltf-validator ] && return 0
  if ! command -v node >/dev/null || ! command -v npm >/dev/null; then
    say "ABSENT: Khronos' glTF validator (there is no Node here)"; return 0
  fi
  npm install --silent --no-save --no-package-lock --no-audit --no-fund gltf-validator@2.0.0-dev.3.10 >/dev/null 2>&1 \
    || say "ABSENT: Khronos' glTF validator (npm could not fetch it)"
}

fetch_blender() {
  local python=.venv-blender/bin/python
  [ -x $python ] && $python -c 'import bpy' >/dev/null 2>&1 && return 0
  if ! .venv/bin/python -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))'; then
    say "ABSENT: Blender (its module 5.0.1 needs Python 3.11)"; return 0
  fi
  need_libraries libX11.so.6=libx11-6 libXi.so.6=libxi6 libXfixes.so.3=libxfixes3 libXxf86vm.so.1=libxxf86vm1 \
    libXrender.so.1=libxrender1 libxkbcommon.so.0=libxkbcommon0 libSM.so.6=libsm6 libICE.so.6=libice6 \
    libGL.so.1=libgl1 libEGL.so.1=libegl1
  [ -x $python ] && $python -c 'import bpy' >/dev/null 2>&1 && return 0
  rm -rf .venv-blender
  say "fetching Blender into .venv-blender"
  if command -v uv >/dev/null; then
    uv venv --quiet --python .venv/bin/python .venv-blender \
      && uv pip install --quiet --python $python bpy==5.0.1 2>/dev/null
  else
    .venv/bin/python -m venv .venv-blender \
      && $python -m pip install --quiet --disable-pip-version-check bpy==5.0.1 2>/dev/null
  fi
  $python -c 'import bpy' >/dev/null 2>&1 || { rm -rf .venv-blender; say "ABSENT: Blender (pip could not fetch bpy 5.0.1, or it lacks a system library)"; }
}

fetch_validator
fetch_blender
exit 0
