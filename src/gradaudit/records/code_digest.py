"""Digest of the code that a stage runs, read from the source without importing the stage.

The workflow stores it as a parameter of a stage, so that an edit reruns what it can change and
nothing else, and the provenance of a result contains it.
"""

from __future__ import annotations

import hashlib
import importlib
import sys
from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import grimp

from gradaudit.records.catalogue import KINDS, catalogue, declared_text, other_packages
from gradaudit.records.declarations import FOLDERS

PACKAGE = Path(__file__).parents[1]


def stage_names(package: Path = PACKAGE) -> list[str]:
    """Names of the stages, sorted."""
    return sorted(path.stem for path in (package / "stages").glob("[!_]*.py"))


def imported_files(module: str, package: Path = PACKAGE) -> list[Path]:
    """Files of the package that importing and running `module` can execute, sorted.

    Imports inside functions count; those for type checkers alone do not. The package of a folder of
    `gradaudit.records.catalogue.KINDS` brings all modules that declare something in it. Files that
    are no modules, such as templates, belong to the package that they lie in.

    Parameters
    ----------
    module
        Dotted name below the package, such as ``stages.evaluate``.
    package
        Folder of the package.
    """
    return _files(_reachable(f"{package.name}.{module}", _graph_of(package)), package)


def code_digest(stage: str, package: Path = PACKAGE) -> str:
    """Digest of what `stage` runs; of the whole package where it is no stage.

    It has the sources of `imported_files`, those of other packages where the stage runs what they
    add to the catalogue, and what the catalogue declares where the stage reads no more than that:
    another label changes a figure, another solver's code does not.
    """
    digest = hashlib.sha256()
    if stage in stage_names(package):
        graph = _graph_of(package)
        reached = _reachable(f"{package.name}.stages.{stage}", graph)
        files = _files(reached, package)
        for kind in _kinds_read(reached, graph, package):
            if KINDS[kind].folder in reached:
                files += _files_of_other_packages(kind)
            else:
                digest.update(declared_text(kind).encode())
    else:
        files = sorted(package.rglob("*.py"))
    for path in files:
        inside = path.is_relative_to(package)
        digest.update((path.relative_to(package).as_posix() if inside else path.name).encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def _files(modules: set[str], package: Path) -> list[Path]:
    paths = {_file_of(name, package) for name in modules}
    for path in [path for path in paths if path.name == "__init__.py"]:
        paths.update(_data_files(path.parent))
    return sorted(paths)


def _reachable(module: str, graph: grimp.ImportGraph) -> set[str]:
    """Dotted names of the modules that running `module` can import, with the packages above.

    A module that imports one of `FOLDERS` as a whole runs what is declared in it.
    """
    folders = {kind.folder for kind in KINDS.values()}
    root = module.partition(".")[0]
    folders_read = {f"{root}.{folder}" for folder in FOLDERS}
    reached: set[str] = set()
    waiting = [module]
    while waiting:
        name = waiting.pop()
        if name in reached or name not in graph.modules:
            continue
        reached.add(name)
        imported = graph.find_modules_directly_imported_by(name)
        waiting += imported
        for read in imported & folders_read:
            waiting += graph.find_children(read)
        if "." in name:
            waiting.append(name.rpartition(".")[0])
        if name in folders:
            waiting += [child for child in graph.find_children(name) if _declares(child, graph)]
    return reached


def _declares(module: str, graph: grimp.ImportGraph) -> bool:
    """Whether a module of a folder of the catalogue is one of those that the catalogue reads."""
    return not graph.find_children(module) and not module.rpartition(".")[2].startswith("_")


@cache
def _graph(package: Path, stamp: tuple[tuple[str, int], ...]) -> grimp.ImportGraph:
    """Who imports whom at run time in the package, as its files were modified then."""
    del stamp
    sys.path.insert(0, str(package.parent))
    importlib.invalidate_caches()
    try:
        return grimp.build_graph(package.name, exclude_type_checking_imports=True, cache_dir=None)
    finally:
        sys.path.remove(str(package.parent))


def _graph_of(package: Path) -> grimp.ImportGraph:
    files = sorted(package.rglob("*.py"))
    return _graph(package, tuple((str(path), path.stat().st_mtime_ns) for path in files))


def _kinds_read(modules: set[str], graph: grimp.ImportGraph, package: Path) -> Iterator[str]:
    """Kinds of the catalogue that the modules ask for: they name them as a text."""
    reader = "gradaudit.records.catalogue"
    if reader not in graph.modules:
        return
    readers = modules & graph.find_modules_that_directly_import(reader)
    sources = [_file_of(name, package).read_text(encoding="utf-8") for name in sorted(readers)]
    for kind in KINDS:
        if any(f'"{kind}"' in source for source in sources):
            yield kind


def _files_of_other_packages(kind: str) -> list[Path]:
    catalogue(kind)  # tells what is wrong with an entry point that cannot be loaded
    specs = [find_spec(entry.module) for entry in other_packages(kind)]
    return [Path(spec.origin) for spec in specs if spec is not None and spec.origin]


def _file_of(name: str, package: Path) -> Path:
    path = package.joinpath(*name.split(".")[1:])
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def _data_files(folder: Path) -> Iterator[Path]:
    """Files of a package, and of folders in it that are no packages, other than modules."""
    for path in folder.iterdir():
        if path.is_file() and path.suffix not in (".py", ".pyc"):
            yield path
        elif path.is_dir() and path.name != "__pycache__" and not (path / "__init__.py").exists():
            yield from _data_files(path)
