"""What queries put on disk goes with the process, however it ends."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from engine import EngineSettings
from engine.connection import connect
from engine.places import Places
from engine.spill import LOCK, sweep

SPILLS = """
import sys
from pathlib import Path
from engine.spill import spill_folder
folder = Path(spill_folder(Path(sys.argv[1])))
folder.mkdir()
(folder / "rows").write_text("x")
print(folder, flush=True)
sys.stdin.read()
"""


def spilling(within: Path) -> tuple[subprocess.Popen[str], Path]:
    """A process that has spilled, and where."""
    command = [sys.executable, "-c", SPILLS, str(within)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    return process, Path(process.stdout.readline().strip())


def test_what_was_spilled_goes_with_the_process(tmp_path: Path) -> None:
    (killed, left), (living, kept) = spilling(tmp_path), spilling(tmp_path)
    killed.kill()
    killed.communicate()
    assert (left / "rows").exists()
    sweep(tmp_path)
    assert not left.parent.exists()
    assert not Path(f"{left.parent}{LOCK}").exists()
    assert (kept / "rows").exists()
    living.communicate("")
    assert list(tmp_path.iterdir()) == []


def test_databases_spill_into_places_of_their_own(tmp_path: Path) -> None:
    databases = [connect(EngineSettings(spill_directory=tmp_path / "new"), Places((), ())) for _ in range(2)]
    folders = [database.execute("SELECT current_setting('temp_directory')").fetchall()[0][0] for database in databases]
    assert len(set(folders)) == 2
    assert {Path(folder).parent.parent for folder in folders} == {tmp_path / "new"}
    for database in databases:
        database.close()


def test_what_is_nobody_s_lock_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "headwater-notes").mkdir()
    (tmp_path / "other.lock").touch()
    sweep(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["headwater-notes", "other.lock"]


def test_where_nothing_can_be_written_a_database_opens_all_the_same(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    database = connect(EngineSettings(spill_directory=file), Places((), ()))
    assert database.execute("SELECT 7").fetchall() == [(7,)]
    database.close()
