"""The types are right, as mypy and stubtest see them in the package that is installed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def run(*command: str, folder: Path) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-m", *command], cwd=folder, capture_output=True, text=True, timeout=600
    )
    return done.returncode, done.stdout + done.stderr


def test_package_and_tests_are_strictly_typed(tmp_path: Path) -> None:
    cache = f"--cache-dir={tmp_path}"
    code, said = run(
        "mypy", "--strict", cache, str(ROOT / "python/buildly"), str(ROOT / "tests"), folder=ROOT
    )
    assert code == 0, said


def test_the_stub_describes_the_native_half(tmp_path: Path) -> None:
    code, said = run("mypy.stubtest", "buildly._native", folder=tmp_path)
    assert code == 0, said


WRONG = """
import buildly

deployment = buildly.open()
deployment.check_permission(None, "fly", "crm")
reveal_type(deployment.sign_in("ada", "x"))
deployment.sign_in("ada", "x").tokken

async def main() -> None:
    async with buildly.open_async() as other:
        other.me(None).username
"""


def test_programs_are_checked_against_the_types(tmp_path: Path) -> None:
    (tmp_path / "wrong.py").write_text(WRONG)
    code, said = run("mypy", "--strict", "wrong.py", folder=tmp_path)
    lines = [line for line in said.splitlines() if "error:" in line]
    assert code == 1 and len(lines) == 3, said
    assert '"buildly.types.Session"' in said
    assert "wrong.py:5" in lines[0] and "wrong.py:7" in lines[1] and "wrong.py:11" in lines[2]
