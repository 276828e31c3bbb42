"""One Spark Connect session: Sail's server where it is installed, else a local Spark (which needs Java 17 or newer)."""

from __future__ import annotations

import importlib.util
import os
import time
import warnings
from collections.abc import Iterator

import pytest

from tests.spark.session import Session


@pytest.fixture(scope="session")
def spark() -> Iterator[Session]:
    os.environ["TZ"] = "UTC"  # the client reads naive times as local ones
    time.tzset()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if importlib.util.find_spec("pysail"):
            yield from _sail()
        else:
            yield from _spark()


def _sail() -> Iterator[Session]:
    from pysail.spark import SparkConnectServer
    from pyspark.sql import SparkSession

    server = SparkConnectServer(ip="127.0.0.1", port=0)
    server.start(background=True)
    _, port = server.listening_address
    session = SparkSession.builder.remote(f"sc://127.0.0.1:{port}").getOrCreate()
    yield Session(session, "sail")
    session.stop()
    server.stop()


def _spark() -> Iterator[Session]:
    from pyspark.sql import SparkSession

    quiet = {"spark.ui.enabled": "false", "spark.sql.shuffle.partitions": "2", "spark.ui.showConsoleProgress": "false"}
    builder = SparkSession.builder.remote("local[2]")
    for name, value in quiet.items():
        builder = builder.config(name, value)
    session = builder.getOrCreate()
    yield Session(session, "spark")
    session.stop()
