"""Settings: read from the environment, overridden by words of the command line, refused when they cannot be meant."""

from __future__ import annotations

import os

import pytest
from pydantic import ValidationError

from api.config import PREFIX, ServiceConfig, load_config
from api.errors import ConfigInvalid


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith(PREFIX):
            monkeypatch.delenv(name)


def test_the_environment_is_read_and_the_command_line_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHILU_LISTEN_PORT", "9000")
    monkeypatch.setenv("SHILU_DATABASE", "postgresql://user:geheim@host/db")
    assert load_config().listen_port == 9000
    assert load_config(listen_port=0, database=None).listen_port == 0
    assert "geheim" not in repr(load_config())


def test_a_misspelled_variable_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHILU_LISTEN_PROT", "9000")
    with pytest.raises(ConfigInvalid, match="SHILU_LISTEN_PROT"):
        load_config()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("listen_port", "65536"),
        ("listen_port", "-1"),
        ("listen_port", "http"),
        ("upload_bytes_max", "0"),
        ("json_bytes_max", "1"),
        ("origin", "two words"),
        ("origin", "plus+sign"),
        ("origin", ""),
        ("public_url", "ftp://example.org"),
        ("public_url", "https://example.org/"),
        ("public_url", "https://example.org\n"),
        ("view_ticket_seconds", "0"),
        ("view_ticket_seconds", "86401"),
        ("log_level", "loud"),
        ("pool_connections_max", "3"),
        ("sequencer_interval_seconds", "nan"),
    ],
)
def test_values_out_of_bounds_are_refused_by_name(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(f"{PREFIX}{name.upper()}", value)
    with pytest.raises(ConfigInvalid, match=name):
        load_config()


def test_every_setting_says_what_it_is_and_in_which_unit() -> None:
    for name, field in ServiceConfig.model_fields.items():
        assert field.description, name
        for unit in ("bytes", "seconds"):
            if f"_{unit}" in name:
                assert unit in field.description.lower(), name


def test_the_configuration_cannot_be_changed() -> None:
    with pytest.raises(ValidationError):
        setattr(load_config(), "listen_port", 1)  # noqa: B010 - mypy would not let it stand otherwise
