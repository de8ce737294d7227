"""What the pages say is so: every example of theirs is run."""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
QUICK_START_LINES_MAX = 15


def examples(page: str) -> list[str]:
    return re.findall(r"^```python\n(.*?)^```$", (ROOT / page).read_text(), re.S | re.M)


def run(text: str, names: dict[str, object]) -> str:
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        exec(compile(text, "example", "exec"), names)
    return said.getvalue()


def test_the_quick_start_is_short_and_runs() -> None:
    (quick_start,) = examples("bindings/python/README.md")
    assert len([line for line in quick_start.splitlines() if line.strip()]) <= QUICK_START_LINES_MAX
    said = run(quick_start, {"__name__": "quick_start"}).strip()
    assert said and f"It prints `{said}`" in (ROOT / "bindings/python/README.md").read_text()


def test_the_guide_can_be_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {"__name__": "guide"}
    for example in examples("docs/python.md"):
        promised = re.findall(r"\)  # (.*)$", example, re.M)
        assert run(example, names).splitlines() == promised, example
    assert (tmp_path / "data").is_dir()
