#!/usr/bin/env bash
# Install the lock and run a part of the tests under every supported Python that is found, except the
# one of .venv: pythons.sh PYTEST-ARGUMENT...
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
done_by=$(.venv/bin/python -c 'import sys; print("%d.%d" % sys.version_info[:2])')

for minor in 3.11 3.12 3.13; do
    [ "$minor" = "$done_by" ] && continue
    python=""
    for candidate in "python$minor" "${PYENV_ROOT:-$HOME/.pyenv}"/versions/"$minor".*/bin/python; do
        if "$candidate" -c 'pass' 2> /dev/null; then python=$candidate; fi
    done
    if [ -z "$python" ]; then
        echo "Python $minor is not to be had; it is left out."
        continue
    fi
    bash workflow/scripts/install.sh "$python" "$folder/$minor" > /dev/null
    echo "Python $minor:"
    "$folder/$minor/bin/python" -m pytest -q -n 2 --dist loadscope -p no:cacheprovider "$@"
    "$folder/$minor/bin/snakemake" --dry-run --configfile config/quick.yaml \
        --config results="$folder/results" > /dev/null
done
