#!/usr/bin/env bash
# Makes the Python environment from the hash-pinned lock: with uv if it is there, else Python's own venv and pip.
set -euo pipefail
venv=$1

python=""
for candidate in python3.13 python3.12 python3.11 python3; do
  if command -v "$candidate" >/dev/null && "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
    python=$(command -v "$candidate")
    break
  fi
done
if [ -z "$python" ] && ! command -v uv >/dev/null; then
  echo "No Python 3.11 or newer was found. Install python3.11 or newer (or uv), then run make again." >&2
  exit 1
fi

if command -v uv >/dev/null; then
  echo "Setting up $venv with uv …" >&2
  uv venv --quiet --allow-existing ${python:+--python "$python"} "$venv"
  uv pip install --quiet --compile-bytecode --python "$venv/bin/python" --require-hashes -r requirements.lock
  uv pip install --quiet --python "$venv/bin/python" --no-deps --no-build-isolation -e .
else
  echo "Setting up $venv with $python and pip (a minute or two) …" >&2
  if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
    package="$(basename "$(readlink -f "$python")")-venv"
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
      apt-get update -qq && apt-get install -y -qq --no-install-recommends "$package" >/dev/null
    else
      echo "Python's venv module is missing. Type: sudo apt-get install $package" >&2
      exit 1
    fi
  fi
  "$python" -m venv "$venv"
  "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
  "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
fi
echo "Ready: $venv/bin/livebase" >&2
