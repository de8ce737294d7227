"""Writes `_async_operations.py`: the operations of `_operations.py`, to be awaited.

    python make_async.py          # after every change of _operations.py; a test checks it
"""

from __future__ import annotations

import re
from pathlib import Path

FOLDER = Path(__file__).parent / "python" / "buildly"


def made() -> str:
    """The text of the module."""
    text = (FOLDER / "_operations.py").read_text()
    text = re.sub(
        r'^""".*?"""',
        '"""The operations of a deployment, to be awaited. Made of `_operations.py` by `make_async.py`."""',
        text,
        flags=re.S,
    )
    text = re.sub(r"^    def (?!_attach)", "    async def ", text, flags=re.M)
    text = re.sub(r"(return|=) self\._(perform|control)\(", r"\1 await self._\2(", text)
    return text.replace("class Operations(", "class AsyncOperations(")


if __name__ == "__main__":
    (FOLDER / "_async_operations.py").write_text(made())
