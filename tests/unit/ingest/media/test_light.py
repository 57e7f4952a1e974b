from __future__ import annotations

import subprocess
import sys


def test_the_services_own_process_loads_no_decoder() -> None:
    """What decodes hostile bytes must not even be in the memory of the process that holds the keys."""
    code = "import sys, ingest.media.runner; print(sorted({'av', 'numpy'} & set(sys.modules)))"
    ended = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True)
    assert ended.stdout.strip() == "[]"
