"""`gradaudit certify`: certified gradients of estimation problems, as JSON documents."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from gradaudit.cli.terminal import positive
from gradaudit.errors import GradauditError, ProblemError, SettingError
from gradaudit.model.spec import names_problem, problems_in

TEXT = "certify the gradients of estimation problems in PEtab, and write them as JSON"
NOTES = """\
PATH is the YAML file of a problem, or a folder, which is searched for problems
at any depth. One document NAME.json is written per problem, where NAME is that
of the folder of the problem; docs/certified.md describes it. A document by
this version with the same files, points and digits is kept.

exit code: 0 if every gradient at a nominal point has the digits asked for, 1
if one has not, 2 if a problem or an option is invalid.
"""


def add_certify(commands: Any) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "certify",
        help=TEXT,
        description=f"{TEXT[0].upper()}{TEXT[1:]}.",
        epilog=NOTES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("paths", nargs="+", type=Path, metavar="PATH", help="problem, or folder")
    parser.add_argument(
        "--output",
        type=Path,
        metavar="DIR",
        default=Path("certified"),
        help="folder of the documents (default: certified)",
    )
    parser.add_argument(
        "--drawn",
        type=int,
        metavar="N",
        default=3,
        help="points drawn within the bounds, beside the nominal one (default: 3)",
    )
    parser.add_argument(
        "--seed", type=int, metavar="N", default=1, help="of these points (default: 1)"
    )
    parser.add_argument(
        "--digits",
        type=float,
        metavar="N",
        default=10.0,
        help="significant digits to certify of each entry (default: 10)",
    )
    parser.add_argument(
        "--time-limit",
        type=float,
        metavar="SECONDS",
        default=300.0,
        help="for each point (default: 300)",
    )
    parser.add_argument(
        "--cores",
        type=positive,
        metavar="N",
        help="conditions at a time, where they take long (default: all cores)",
    )
    parser.set_defaults(call=_certify)


def _certify(
    paths: list[Path],
    output: Path,
    drawn: int,
    seed: int,
    digits: float,
    time_limit: float,
    cores: int | None,
) -> int:
    from gradaudit.cli.audit.jobs import cores as available
    from gradaudit.problem.certificate import gradients
    from gradaudit.problem.document import document, told, write
    from gradaudit.problem.loading import load_problem
    from gradaudit.problem.points import NOMINAL

    code, problems = 0, documents(paths)
    if output.exists() and not output.is_dir():
        raise SettingError(f"--output {output} is a file; name a folder.")
    for name, file in problems.items():
        target = output / f"{name}.json"
        try:
            problem = load_problem(file)
            wanted = _wanted(problem, drawn, seed)
            if _is_kept(target, file, wanted, digits):
                print(f"{name}: {target} is up to date")
                continue
            results: dict[str, Any] = {}
            for point, result in gradients(
                problem,
                drawn=drawn,
                seed=seed,
                digits=digits,
                time_limit=time_limit,
                processes=cores or available(),
            ):
                results[point] = result
                print(f"{name}, {told(point, result)}", flush=True)
            write(target, document(problem, results, seed))
            code = max(code, int(getattr(results[NOMINAL], "status", "refused") != "ok"))
        except GradauditError as error:
            if len(problems) == 1:
                raise
            print(f"{name}: {error}", file=sys.stderr, flush=True)
            code = 2
    return code


def _wanted(problem: Any, drawn: int, seed: int) -> Any:
    from gradaudit.problem.points import points

    return points(problem.parameters, drawn=drawn, seed=seed)


def _is_kept(target: Path, file: Path, wanted: Any, digits: float) -> bool:
    """Whether a document has the same files, points and code, and the digits that are asked for."""
    from gradaudit.model.spec import digests_of
    from gradaudit.problem.document import read
    from gradaudit.records.provenance import code_of

    if not target.exists():
        return False
    content = read(target)
    if content.get("code") != code_of("certificate"):
        return False  # an earlier version may have claimed digits that do not hold
    if content["files"] != digests_of(file) or list(content["points"]) != list(wanted):
        return False
    for name, p in wanted.items():
        found = content["points"][name]
        if found["status"] != "ok":
            return False
        if p is not None and list(found["point"].values()) != p.tolist():
            return False
        if not found["least_digits"] >= digits:
            return False
    return True


def documents(paths: Sequence[Path]) -> dict[str, Path]:
    """The problems at `paths` by the names of their documents.

    That is the name of the folder, with that of the file where a folder has several.

    Raises
    ------
    ProblemError
        If a path is none, a folder without any, or two problems have the same name.
    """
    named: dict[str, Path] = {}
    for file in (file for path in paths for file in _problems(path)):
        folder = file.resolve().parent
        alone = sum(map(names_problem, folder.glob("*.yaml"))) == 1
        name = folder.name if alone else f"{folder.name}_{file.stem}"
        if named.setdefault(name, file).resolve() != file.resolve():
            raise ProblemError(
                f"{named[name]} and {file} would have the same document {name}.json; give their "
                "folders different names, or an --output to each."
            )
    return named


def _problems(path: Path) -> list[Path]:
    """The YAML files of problems in a folder at any depth, or the one that is named."""
    try:
        return [path] if path.is_file() else problems_in(path)
    except SettingError as error:
        raise ProblemError(str(error)) from None
