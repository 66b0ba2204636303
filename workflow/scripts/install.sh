#!/usr/bin/env bash
# Build an environment from requirements.lock: install.sh PYTHON FOLDER
# uv takes seconds, pip minutes: uv is used where it is found or can be installed.
set -euo pipefail

python=${1:?the first argument is a Python interpreter: make PYTHON=/path/to/python3.11}
folder=${2:?the second argument is the folder of the environment}

command -v "$python" > /dev/null || {
    echo "There is no $python. Install Python 3.11 or later, or name one: make PYTHON=/path/to/python" >&2
    exit 1
}
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
    echo "$python is $("$python" --version 2>&1); gradaudit needs Python 3.11 or later." >&2
    echo "Name one that is: make PYTHON=/path/to/python3.11" >&2
    exit 1
}

# An environment of another Python cannot be brought up to date.
wanted=$("$python" -c 'import sys; print(sys.version_info[:2])')
found=$("$folder/bin/python" -c 'import sys; print(sys.version_info[:2])' 2> /dev/null || true)
if [ "$wanted" != "$found" ]; then
    "$python" -m venv --clear "$folder" || {
        echo "$python cannot make environments; install its venv module (python3-venv on Debian)." >&2
        exit 1
    }
fi

own="$folder/bin/python"
uv=$(command -v uv || true)
if [ -z "$uv" ]; then
    [ -x "$folder/bin/uv" ] || "$own" -m pip install --quiet uv || true
    if [ -x "$folder/bin/uv" ]; then uv="$folder/bin/uv"; fi
fi

if [ -n "$uv" ]; then
    "$uv" pip install --python "$own" --require-hashes -r requirements.lock
    "$uv" pip install --python "$own" --no-deps --no-build-isolation --editable .
else
    echo "uv is not to be had; pip does the same, in a few minutes." >&2
    "$own" -m pip install --require-hashes -r requirements.lock
    "$own" -m pip install --no-deps --no-build-isolation --editable .
fi
