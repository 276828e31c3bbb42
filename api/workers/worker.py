"""One of several workers: a process that serves at a socket it is given, until it is told to stop."""

from __future__ import annotations

import logging
import os
import shutil
import signal
import socket
from contextlib import suppress
from multiprocessing.connection import Connection
from threading import Thread
from typing import TYPE_CHECKING

from api.settings import Settings
from api.workers.crew import Crew
from semantic.errors import Code, HeadwaterError, OurError

if TYPE_CHECKING:
    from api.server import Server

LOG = logging.getLogger("headwater")

SIGNALS = (signal.SIGINT, signal.SIGTERM)
"""They ask for an end."""


def work(settings: Settings, crew: Crew, listening: socket.socket, line: Connection) -> None:
    """Serve. `line` leads to the supervisor: it is told a `Started`, or why there is none.

    When its other end closes, the supervisor was killed, and nobody would replace or stop this one: it stops itself.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the supervisor, who tells the others
    signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
    try:
        _serve(settings, crew, listening, line)
    except HeadwaterError as error:
        line.send(error)
    except Exception as error:
        LOG.exception("A worker has failed.")
        line.send(OurError(Code.INTERNAL, f"A worker has failed: {type(error).__name__}: {error}"))
    finally:
        from engine.spill import move_out

        move_out()
        os._exit(0)  # all is written; taking the interpreter apart has nothing to add but DuckDB's words about it


def _serve(settings: Settings, crew: Crew, listening: socket.socket, line: Connection) -> None:
    from api.seen.lines import start_logging
    from api.seen.together import join_metrics

    start_logging(settings.log_level, settings.logs_json, crew.log)
    join_metrics(crew)  # before any metric is made
    from api.app import create_app
    from api.workers.accepting import WorkerServer

    server = WorkerServer(create_app(settings, crew), settings, crew, listening, line.send)
    for number in SIGNALS:  # uvicorn puts them back when it has ended, and raises the signal once more
        signal.signal(number, server.handle_exit)
    Thread(target=_stop_when_alone, args=(line, server, crew), daemon=True).start()
    server.serve_at()


def _stop_when_alone(line: Connection, server: Server, crew: Crew) -> None:
    with suppress(EOFError, OSError):
        line.recv()  # the supervisor says nothing
    server.should_exit = True
    shutil.rmtree(crew.folder, ignore_errors=True)
