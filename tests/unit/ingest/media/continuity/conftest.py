from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.support.continuity import MAKES


@pytest.fixture(scope="session")
def intact(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Path]:
    """One recording of every make, made once."""
    folder = tmp_path_factory.mktemp("intact")
    return {name: make.write(folder / f"{number}{make.suffix}") for number, (name, make) in enumerate(MAKES.items())}
