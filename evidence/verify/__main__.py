"""`python -m evidence.verify`: the offline verifier where no script was installed."""

from __future__ import annotations

import sys

from evidence.verify.cli import main

if __name__ == "__main__":
    sys.exit(main())
