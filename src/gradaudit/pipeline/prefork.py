"""Jobs as forks of a process that has imported everything already.

A job of the workflow is short, and importing what it needs takes longer than most of them work. So
the workflow starts one warm process for the stages that solve and one for those that read tables;
the command `gradaudit`, finding them by `$GRADAUDIT_WARM`, sends its arguments, folder, environment
and standard streams there and waits for the exit code of a fork. Nothing else changes: where there
is no warm process (another machine, another system than Linux) the command does the work itself.

Forking is safe because nothing has run yet: JAX has no backend, and no pool of threads has work.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import importlib
import json
import os
import selectors
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from gradaudit.errors import GradauditError
from gradaudit.pipeline import job_times, temporary
from gradaudit.pipeline.flow import stages
from gradaudit.records.provenance import code_of

VARIABLE = "GRADAUDIT_WARM"
"""Environment variable with the folder of the sockets."""

PROCESSES = ("solving", "tables")
"""The warm processes; a stage declares the one that runs it. The tables must not have JAX."""

LONGEST = 1 << 22  # bytes of a request

Run = Callable[[Sequence[str]], int]


def start(log: Path) -> Callable[[], None]:
    """Start the warm processes of a workflow, and set `$GRADAUDIT_WARM` for its jobs.

    They end with the process that calls this, however it ends, for they read from a pipe that it
    holds; or when the returned function is called. Elsewhere than on Linux there are none.

    Parameters
    ----------
    log
        File for what they print, which is nothing unless they fail.
    """
    if sys.platform != "linux":
        return lambda: None
    temporary.remove_dead()
    folder = temporary.make()
    log.parent.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "gradaudit.cli.prefork_main"]
    with log.open("w", encoding="utf-8") as stream:
        started = [
            subprocess.Popen(
                [*command, str(folder / kind)], stdin=subprocess.PIPE, stdout=stream, stderr=stream
            )
            for kind in PROCESSES
        ]
    os.environ[VARIABLE] = str(folder)

    def stop() -> None:
        os.environ.pop(VARIABLE, None)
        for process in started:
            if process.stdin is not None:
                process.stdin.close()
            process.wait()
        shutil.rmtree(folder, ignore_errors=True)

    atexit.register(stop)
    return stop


def through(argv: Sequence[str]) -> int | None:
    """The exit code of the command `argv` run by a warm process; None if there is none for it."""
    folder = os.environ.get(VARIABLE)
    if not folder or not argv or not argv[0].isidentifier():
        return None
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connection.connect(str(Path(folder) / _link(argv[0])))
    except OSError:
        return None
    environment = {key: value for key, value in os.environ.items() if key != VARIABLE}
    request = {"argv": list(argv), "folder": os.getcwd(), "environment": environment,
               "began": job_times.began()}  # fmt: skip
    with connection:
        socket.send_fds(connection, [b"\0"], [0, 1, 2])
        connection.sendall(json.dumps(request).encode() + b"\n")
        answer = connection.recv(1)
    if not answer:
        print(
            "gradaudit: the process of the job and the one that watches it died; was there enough "
            "memory?",
            file=sys.stderr,
        )
        return 1
    return answer[0]


def stages_of(process: str) -> list[str]:
    """The stages, as commands and modules are named, that a warm process imports."""
    names = (name.partition("_")[0] for name, stage in stages().items() if stage.process == process)
    return list(dict.fromkeys(names))


def serve(place: Path, run: Run) -> None:
    """Import the stages of the process that the socket `place` is named after, and run them.

    What every job would import and compute again, its code's digest among it, is done before.

    A link beside the socket for each stage leads there. Ends when stdin is closed.
    """
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(str(place))  # before the imports: whoever comes early waits
    listener.listen(64)
    served = stages_of(place.name)
    links = [place.with_name(_link(stage)) for stage in served]
    try:
        for link in links:
            link.symlink_to(place.name)
        for stage in served:
            importlib.import_module(f"gradaudit.stages.{stage}")
        for stage in served:
            with contextlib.suppress(GradauditError):  # which a job of the stage tells
                code_of(stage)
        gc.collect()
        gc.freeze()  # what was imported is shared, and never looked at again
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for the forks
        with selectors.DefaultSelector() as selector:
            selector.register(listener, selectors.EVENT_READ)
            selector.register(sys.stdin, selectors.EVENT_READ)
            living, held = os.pipe()  # which closes when this process ends, however it does
            while not any(key.fileobj is sys.stdin for key, _ in selector.select()):
                connection, _ = listener.accept()
                with connection:
                    if os.fork() == 0:
                        os.close(held)
                        _child(connection, living, run)
    finally:
        for path in (*links, place):
            path.unlink(missing_ok=True)
        if os.listdir(place.parent) == [temporary.ALIVE]:  # the last one takes the folder with it
            shutil.rmtree(place.parent, ignore_errors=True)


def _link(stage: str) -> str:
    return f"stage-{stage}"


def _child(connection: socket.socket, living: int, run: Run) -> None:
    """Become the process that asked: its streams, folder and environment; never returns.

    It ends if whoever asked does, or if the warm process does, whose pipe is `living`: that one
    lives as long as its workflow, and a workflow that was killed is to write nothing more.
    """
    code = 1
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        _, streams, _, _ = socket.recv_fds(connection, 1, 3)
        for number, stream in enumerate(streams):
            os.dup2(stream, number)
            os.close(stream)
        with connection.makefile("r", encoding="utf-8") as lines:
            request = json.loads(lines.readline(LONGEST))
        os.environ.clear()
        os.environ.update(request["environment"])
        os.chdir(request["folder"])
        job_times.begin(request["began"])
        for gone in (lambda: connection.recv(1), lambda: os.read(living, 1)):
            threading.Thread(target=_follow, args=(gone,), daemon=True).start()
        code = run(request["argv"])
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else 1
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        with contextlib.suppress(OSError, ValueError):
            sys.stdout.flush()
            sys.stderr.flush()
        with contextlib.suppress(OSError):
            connection.sendall(bytes([code & 0xFF]))
        os._exit(code & 0xFF)


def _follow(gone: Callable[[], bytes]) -> None:
    """End with another process: if it is killed, its end of a connection or a pipe closes."""
    with contextlib.suppress(OSError):
        gone()
    os._exit(130)
