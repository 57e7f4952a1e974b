"""The dock's tests share the service and the station of tests/support/dock_fixtures.py."""

from tests.support.dock_fixtures import service, station, url

__all__ = ["service", "station", "url"]
