"""Which modules of this package a module imports, read from the source without importing it.

The workflow declares them as inputs of a stage, so that an edit reruns what it can change and
nothing else, and the provenance of a result is their digest.
"""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).parents[1]


def stage_names(package: Path = PACKAGE) -> list[str]:
    """Names of the stages, sorted."""
    return sorted(path.stem for path in (package / "stages").glob("[!_]*.py"))


def imported_files(module: str, package: Path = PACKAGE) -> list[Path]:
    """Files of the package that importing and running `module` can execute, sorted.

    Imports inside functions count; those for type checkers alone do not. A name that a package
    re-exports lazily is followed to the module that defines it. A package whose ``__init__``
    finds its members by folder (with pkgutil) brings all of them, as do its subpackages. Files that
    are no modules, such as templates, belong to the package that they lie in.

    Parameters
    ----------
    module
        Dotted name below the package, such as ``stages.evaluate``.
    package
        Folder of the package.
    """
    found: set[Path] = set()
    waiting = [f"{package.name}.{module}"]
    while waiting:
        for path in _files_of(waiting.pop(), package):
            if path not in found:
                found.add(path)
                waiting.extend(_imports(path, package, path.stat().st_mtime_ns))
    for path in [path for path in found if path.name == "__init__.py"]:
        found.update(_data_files(path.parent))
    return sorted(found)


def code_digest(stage: str, package: Path = PACKAGE) -> str:
    """Digest of the sources that `stage` imports; of the whole package where it is no stage."""
    known = stage in stage_names(package)
    files = imported_files(f"stages.{stage}", package) if known else sorted(package.rglob("*.py"))
    digest = hashlib.sha256()
    for path in files:
        digest.update(path.relative_to(package).as_posix().encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def literal_keys(module: str, name: str, package: Path = PACKAGE) -> list[str]:
    """Keys of the dict literal that is assigned to `name` at the top of `module`.

    So the workflow knows the names of solvers and methods without importing JAX.
    """
    path = _module_file(f"{package.name}.{module}", package)
    for node in _tree(path, path.stat().st_mtime_ns).body if path else []:
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        named = any(isinstance(target, ast.Name) and target.id == name for target in targets)
        value = getattr(node, "value", None)
        if named and isinstance(value, ast.Dict):
            return [str(key.value) for key in value.keys if isinstance(key, ast.Constant)]
    raise LookupError(f"{package.name}.{module} has no dict literal {name}.")


def _module_file(dotted: str, package: Path) -> Path | None:
    """File of a module or of a package's ``__init__``; None where there is neither."""
    head, *parts = dotted.split(".")
    if head != package.name:
        return None
    path = package.joinpath(*parts)
    candidates = (
        (path / "__init__.py", path.with_suffix(".py")) if parts else (path / "__init__.py",)
    )
    return next((candidate for candidate in candidates if candidate.is_file()), None)


def _files_of(dotted: str, package: Path) -> Iterator[Path]:
    """The file of a module after those of the packages that it lies in."""
    parts = dotted.split(".")
    for stop in range(1, len(parts) + 1):
        path = _module_file(".".join(parts[:stop]), package)
        if path is not None:
            yield path


@cache
def _imports(path: Path, package: Path, modified: int) -> tuple[str, ...]:
    """Dotted names of what the file, as it was modified then, imports from the package."""
    dotted = ".".join((package.name, *path.relative_to(package).with_suffix("").parts))
    is_package = path.name == "__init__.py"
    here = dotted.removesuffix(".__init__") if is_package else dotted.rpartition(".")[0]
    found: list[str] = []
    for node in _run_time_statements(_tree(path, modified)):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
            found += names
            if is_package and "pkgutil" in names:
                found += _members(path.parent, package)
        elif isinstance(node, ast.ImportFrom):
            source = _source(node, here)
            found += [_origin(source, alias.name, package) for alias in node.names]
    return tuple(name for name in found if name.split(".")[0] == package.name)


def _data_files(folder: Path) -> Iterator[Path]:
    """Files of a package, and of folders in it that are no packages, other than modules."""
    for path in folder.iterdir():
        if path.is_file() and path.suffix not in (".py", ".pyc"):
            yield path
        elif path.is_dir() and path.name != "__pycache__" and not (path / "__init__.py").exists():
            yield from _data_files(path)


def _members(folder: Path, package: Path) -> Iterator[str]:
    for path in folder.rglob("*.py"):
        yield ".".join((package.name, *path.relative_to(package).with_suffix("").parts))


def _origin(source: str, name: str, package: Path) -> str:
    """The module that importing `name` from `source` runs."""
    if _module_file(f"{source}.{name}", package):
        return f"{source}.{name}"
    path = _module_file(source, package)
    if path is not None and path.name == "__init__.py":
        for node in ast.walk(_tree(path, path.stat().st_mtime_ns)):
            if isinstance(node, ast.ImportFrom) and any(a.name == name for a in node.names):
                return _origin(_source(node, source), name, package)
    return source


def _source(node: ast.ImportFrom, here: str) -> str:
    """The absolute name of the module that a ``from`` import, perhaps relative, reads from."""
    if not node.level:
        return node.module or ""
    base = here.split(".")[: len(here.split(".")) - node.level + 1]
    return ".".join([*base, *([node.module] if node.module else [])])


def _run_time_statements(node: ast.AST) -> Iterator[ast.AST]:
    """Every statement but those under ``if TYPE_CHECKING``."""
    yield node
    if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
        children: list[ast.AST] = list(node.orelse)
    else:
        children = list(ast.iter_child_nodes(node))
    for child in children:
        if isinstance(child, (ast.stmt, ast.excepthandler, ast.match_case)):
            yield from _run_time_statements(child)


@cache
def _tree(path: Path, modified: int) -> ast.Module:
    del modified
    return ast.parse(path.read_text(encoding="utf-8"))
