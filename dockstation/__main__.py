"""`python -m dockstation` is `shilu-dock`."""

from dockstation.cli import main

main()
