"""Several workers, as real processes: they serve as one, and one that is killed takes nothing with it."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from api.rates import Rates, SharedRates
from api.resolvers.limits import Limits
from api.seen.appended import Appended
from api.settings import Settings
from engine.caller import Caller
from engine.connection import connect
from engine.places import Places
from engine.settings import EngineSettings
from semantic.errors import RateLimited
from semantic.query.query import Viewer
from tests.shop import MODEL, SLOW_QUERY, make_project, make_slow_project

HEADWATER = Path(sys.executable).with_name("headwater")
PATIENCE = 60.0  # seconds; a machine may be busy
GMV = "{ metrics { totals { gmv } } }"
RIGHT = {"data": {"metrics": {"totals": {"gmv": 70}}}}


@dataclass
class Server:
    """A running `headwater serve`, and what it has written."""

    process: subprocess.Popen[bytes]
    log: Path
    port: int = 0

    @property
    def text(self) -> str:
        return self.log.read_text(encoding="utf-8")

    @property
    def workers(self) -> list[int]:
        """The processes that answer."""
        return [pid for pid in children(self.process.pid) if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()]

    def post(self, query: str) -> tuple[int, bytes]:
        """Ask over a connection of its own."""
        with closing(HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)) as connection:
            body = json.dumps({"query": query}).encode()
            connection.request("POST", "/graphql", body, {"content-type": "application/json"})
            response = connection.getresponse()
            return response.status, response.read()

    def metrics(self) -> dict[str, float]:
        with closing(HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)) as connection:
            connection.request("GET", "/metricsz")
            text = connection.getresponse().read().decode()
        samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
        return {f"{one.name}{''.join(f'/{value}' for value in one.labels.values())}": one.value for one in samples}


def children(pid: int) -> list[int]:
    return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()]


def wait_until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


@contextmanager
def serving(model: Path, folder: Path, *options: str) -> Iterator[Server]:
    """`headwater serve --workers 2`, when it has greeted."""
    log = folder / "serve.log"
    command = [str(HEADWATER), "serve", "--model", str(model), "--port", "0", "--workers", "2", *options]
    with log.open("wb") as out, subprocess.Popen(command, stdout=out, stderr=out) as process:
        server = Server(process, log)
        try:
            wait_until(lambda: "Ctrl-C" in server.text or process.poll() is not None)
            found = re.search(r"GraphiQL  http://127\.0\.0\.1:(\d+)/", server.text)
            assert found is not None, server.text
            server.port = int(found[1])
            yield server
        finally:
            for pid in [*server.workers, process.pid] if process.poll() is None else []:
                os.kill(pid, signal.SIGKILL)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("workers")


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[Server]:
    """Two workers; the tests of this file change them one after the other."""
    options = ("--audit-log", str(folder / "audit.jsonl"), "--spill-dir", str(folder / "spill"), "--log-format", "json")
    with serving(make_project(folder), folder, *options) as running:
        yield running


def answered(server: Server) -> float:
    return server.metrics().get("headwater_request_seconds_count/graphql/200", 0)


def audited(folder: Path) -> int:
    return len((folder / "audit.jsonl").read_text(encoding="utf-8").splitlines())


def requests_logged(server: Server) -> int:
    lines = [json.loads(line) for line in server.text.splitlines() if line.startswith("{")]
    return sum(line["logger"] == "headwater.request" for line in lines)


def test_two_workers_serve_as_one(server: Server) -> None:
    assert server.text.count("ready with 2 workers") == 1
    assert len(server.workers) == 2
    before = answered(server)
    with ThreadPoolExecutor(8) as pool:
        replies = list(pool.map(server.post, [GMV] * 40))
    assert [(status, json.loads(body)) for status, body in replies] == [(200, RIGHT)] * 40
    wait_until(lambda: answered(server) == before + 40)
    assert {answered(server) for _ in range(6)} == {before + 40}  # whichever of them is asked
    found = server.metrics()
    assert (found["headwater_workers"], found["headwater_model_problem"]) == (2, 0)
    assert sum(name.startswith("headwater_model_info/") for name in found) == 1
    assert found["process_resident_memory_bytes"] > 100_000_000
    assert found["headwater_answers_total/hit"] + found["headwater_answers_total/miss"] == answered(server)


def test_connections_are_shared_out_evenly(server: Server) -> None:
    """However slowly a pool of them is opened."""

    def held() -> list[int]:
        return [len(list(Path(f"/proc/{worker}/fd").iterdir())) for worker in server.workers]

    with ExitStack() as pool:
        before = held()
        for _ in range(20):
            pool.enter_context(socket.create_connection(("127.0.0.1", server.port)))
            time.sleep(0.01)
        wait_until(lambda: min(now - then for now, then in zip(held(), before, strict=True)) >= 6)


def test_a_worker_that_is_killed_loses_nothing(server: Server, folder: Path) -> None:
    """Callers who ask again are all answered; another takes its place, and counts on from where it was."""
    before, lines, killed = answered(server), audited(folder), server.workers[0]
    left = set((folder / "spill").iterdir())
    stop = time.monotonic() + 1.5
    asked = failed = 0

    def ask_on() -> tuple[int, int]:
        good = again = 0
        while time.monotonic() < stop:
            try:
                status, body = server.post(GMV)
            except (OSError, HTTPException):
                again += 1
                assert again < 10
                continue
            assert (status, json.loads(body)) == (200, RIGHT)
            good += 1
        return good, again

    with ThreadPoolExecutor(4) as pool:
        askers = [pool.submit(ask_on) for _ in range(4)]
        time.sleep(0.5)
        os.kill(killed, signal.SIGKILL)
        for asker in askers:
            good, again = asker.result()
            asked, failed = asked + good, failed + again
    assert asked > 20
    assert failed <= 4  # what was in flight with the one that was killed
    wait_until(lambda: server.metrics()["headwater_workers"] == 2)
    assert killed not in server.workers
    callers = 4  # it is told after an answer was sent, and between the two comes the end
    assert before + asked - callers <= answered(server) <= before + asked + failed
    assert lines + asked - callers <= audited(folder) <= lines + asked + failed
    assert server.text.count("A worker has ended (signal 9) and is replaced.") == 1
    assert len(left - set((folder / "spill").iterdir())) == 2  # its folder and its lock
    assert len(list((folder / "spill").iterdir())) == 4


def test_each_request_has_one_line_in_each_log(server: Server, folder: Path) -> None:
    before, lines, logged = answered(server), audited(folder), requests_logged(server)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(server.post, [GMV] * 40))
    wait_until(lambda: answered(server) == before + 40)
    audit = [json.loads(line) for line in (folder / "audit.jsonl").read_text(encoding="utf-8").splitlines()]
    assert len(audit) == lines + 40
    assert all(line["asked"] == ["gmv"] for line in audit)
    wait_until(lambda: requests_logged(server) == logged + 40)


def test_a_changed_model_takes_effect_in_every_worker(server: Server, folder: Path) -> None:
    changed = MODEL.replace("name: gmv,", "name: sales,")
    (folder / "model" / "shop.yml").write_text(changed, encoding="utf-8")
    asked = GMV.replace("gmv", "sales")
    streak = 0

    def all_know() -> bool:
        nonlocal streak
        streak = streak + 1 if b"70" in server.post(asked)[1] else 0
        return streak == 12

    wait_until(all_know)
    wait_until(lambda: sum(name.startswith("headwater_model_info/") for name in server.metrics()) == 1)


def test_workers_whose_supervisor_is_killed_end(server: Server) -> None:
    workers = server.workers
    server.process.kill()
    server.process.wait()
    wait_until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in workers))
    assert "Traceback" not in server.text


def test_a_server_that_is_told_to_stop_gives_queries_a_while(tmp_path: Path) -> None:
    options = ("--threads", "1", "--drain", "0.5")
    with serving(make_slow_project(tmp_path), tmp_path, *options) as server, ThreadPoolExecutor(1) as pool:
        slow = pool.submit(server.post, SLOW_QUERY)
        wait_until(lambda: server.metrics()["headwater_requests_running"] == 1)
        workers, began = server.workers, time.monotonic()
        server.process.terminate()
        status, body = slow.result()
        assert status == 503
        assert b"CANCELLED" in body
        assert server.process.wait(20) == -signal.SIGTERM
        assert time.monotonic() - began < 6
        assert not any(Path(f"/proc/{pid}").exists() for pid in workers)
    assert "Traceback" not in server.text
    assert "is replaced" not in server.text


def test_a_broken_model_is_told_once(tmp_path: Path) -> None:
    model = make_project(tmp_path, MODEL.replace("paid_on", "payed_on"))
    ran = subprocess.run(
        [HEADWATER, "serve", "--model", model, "--port", "0", "--workers", "2"],
        capture_output=True,
        timeout=PATIENCE,
        check=False,
    )
    assert (ran.returncode, ran.stdout) == (1, b"")
    assert ran.stderr.count(b"UNKNOWN_COLUMN") == 1
    assert ran.stderr.endswith(b"1 problem in the model.\n")


# --- what they share, and what is divided -----------------------------------------------------------------------------


def test_what_is_for_all_is_divided() -> None:
    whole = Settings(workers=4, memory_limit=400, concurrency=8, queue=2, cache_bytes=1000)
    engine = whole.engine
    assert (engine.memory_limit, engine.concurrent, engine.queue_length, engine.cache_bytes) == (100, 2, 1, 250)
    assert Settings(workers=4, threads=3).engine.threads == 3
    assert Settings(workers=10_000).engine.threads == 1
    assert Settings(workers=4, cache_bytes=0).engine.cache_bytes == 0
    assert whole.each(whole.subscribers) == 1250


def test_a_caller_s_own_limit_is_divided() -> None:
    assert [Caller("a", most).within(2).concurrent for most in (0, 1, 2, 5)] == [0, 1, 1, 2]


def test_the_memory_of_the_machine_is_divided() -> None:
    def limit(processes: int) -> float:
        with connect(EngineSettings(processes=processes), Places((), ())) as database:
            ((text,),) = database.execute("SELECT current_setting('memory_limit')").fetchall()
        number, unit = text.split()
        return float(number) * {"MiB": 1, "GiB": 1024, "TiB": 1024**2}[unit]

    assert limit(4) == pytest.approx(limit(1) / 4, rel=0.05)


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def outcome(rates: Rates, viewer: str, limits: Limits) -> str | None:
    try:
        rates.take(Viewer(viewer), limits)
    except RateLimited as error:
        return str(error)
    return None


def test_a_viewer_has_one_bucket_whoever_answers(tmp_path: Path) -> None:
    """Two that share a file are as one that has it all: the same requests are refused, with the same words."""
    clock, limits = Clock(), Limits(rate=2, burst=3)
    alone, shared = Rates(clock), [SharedRates(tmp_path / "rates", clock) for _ in range(2)]
    seen = []
    for step in range(200):
        clock.now += (step * 7 % 5) / 20
        viewer = f"viewer {step % 3}"
        expected = outcome(alone, viewer, limits)
        assert outcome(shared[step * 5 % 7 % 2], viewer, limits) == expected
        seen.append(expected is None)
    assert True in seen
    assert False in seen


def test_of_too_many_viewers_the_oldest_is_forgotten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SharedRates, "_SETS", 1)
    clock, limits = Clock(), Limits(rate=0.001, burst=1)
    rates = SharedRates(tmp_path / "rates", clock)
    for number in range(9):
        clock.now += 1
        assert outcome(rates, f"viewer {number}", limits) is None
    assert [outcome(rates, f"viewer {number}", limits) is None for number in range(8, 0, -1)] == [False] * 8
    assert outcome(rates, "viewer 0", limits) is None


APPENDS = """
import sys
from pathlib import Path
from api.seen.appended import Appended
path, name = Path(sys.argv[1]), sys.argv[2]
file = Appended(path, 3000, 100)
sys.stdin.readline()
for number in range(200):
    file.add(f"{name} {number} {'x' * (number % 90)}.\\n".encode())
"""


def test_several_write_to_a_file_that_is_put_aside_and_every_line_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    writers = [
        subprocess.Popen([sys.executable, "-c", APPENDS, str(path), name], stdin=subprocess.PIPE) for name in "abc"
    ]
    for writer in writers:
        assert writer.stdin is not None
        writer.stdin.close()
    assert [writer.wait(PATIENCE) for writer in writers] == [0, 0, 0]
    files = sorted(tmp_path.iterdir())
    assert len(files) > 5
    assert all(file.stat().st_size <= 3000 for file in files)
    lines = [line for file in files for line in file.read_text(encoding="utf-8").splitlines()]
    expected = {f"{name} {number} {'x' * (number % 90)}." for name in "abc" for number in range(200)}
    assert (len(lines), set(lines)) == (600, expected)


def test_a_file_that_somebody_else_puts_aside_is_begun_anew(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    file = Appended(path, 1000, 2)
    file.add(b"one\n")
    path.rename(tmp_path / "aside")
    file.add(b"two\n")
    file.close()
    assert ((tmp_path / "aside").read_bytes(), path.read_bytes()) == (b"one\n", b"two\n")
