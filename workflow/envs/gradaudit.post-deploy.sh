#!/usr/bin/env bash
# Runs in the new environment, with the root of the repository as its working directory.
set -euo pipefail
python -m pip install --require-hashes -r requirements.lock
python -m pip install --no-deps --no-build-isolation .
