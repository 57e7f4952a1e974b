"""Explanations: every file with the rule that spoke for it, every group with what became of it."""

from __future__ import annotations

from dockstation.explaining import Explanation, explain, rule_of, taken_from_name
from dockstation.layout import load_profiles, parse_profile

NAME = "DCIM/DCAM_D200001_100001_20260302_093015_IMP.mp4"


def lines(explanation: Explanation, path: str) -> list[str]:
    item = next(item for item in explanation.files if item.path == path)
    return [rule_of(item), *taken_from_name(explanation.profile, item)]


def test_a_file_is_explained_by_its_list_its_name_rule_and_what_each_group_took() -> None:
    explanation = explain(load_profiles(), [NAME, "Thumbs.db", "odd.bin"])
    assert lines(explanation, NAME) == [
        "media '**/*.mp4'",
        "names[0]",
        "recorder 'D200001'",
        "officer '100001'",
        "start '20260302_093015'",
    ]
    assert lines(explanation, "Thumbs.db") == ["ignore '**/Thumbs.db'"]
    assert lines(explanation, "odd.bin") == ["no list knows it"]


def test_what_a_name_holds_and_cannot_be_used_is_said() -> None:
    own = parse_profile(
        "name = 'x'\ntitle = 'x'\ntime_zone = 'UTC'\n[[names]]\n"
        "pattern = '(?P<recorder>[^/]*)/(?P<start>\\d+)(?P<officer>x)?'\ntime = '%Y%m%d'",
        source="x.toml",
    )
    explanation = explain([own], [" padded/20261345"])
    assert lines(explanation, " padded/20261345") == [
        "no list knows it",
        "names[0]",
        "recorder ' padded'; not usable: statements cannot carry such a name",
        "start '20261345'; not usable: no such time in the form '%Y%m%d'",
    ]


def test_the_choice_of_the_profile_is_explained_by_the_claims() -> None:
    chosen = explain(load_profiles(), [NAME, "x.bin"])
    assert chosen.profile.name == "dcam"
    assert dict(chosen.claims) == {"axis": 0, "dcam": 1, "dcim": 0, "gopro": 0}
    assert "claims 1 of 2" in chosen.why
    assert "no profile claims" in explain(load_profiles(), ["x.bin"]).why
    assert explain(load_profiles(only="gopro"), ["x.bin"]).why == "it was named"


def test_the_json_of_an_explanation_keeps_its_keys() -> None:
    files = explain(load_profiles(), [NAME]).as_json()["files"]
    assert files == [
        {
            "path": NAME,
            "read": True,
            "kind": "media",
            "recorder": "D200001",
            "officer": "100001",
            "recorded_at": "2026-03-02T01:30:15.000Z",
            "key_mark": True,
            "why": "a recording",
            "rule": "media '**/*.mp4'",
            "name_rule": 0,
            "taken": {"recorder": "D200001", "officer": "100001", "start": "20260302_093015"},
            "notes": ["names[0]", "recorder 'D200001'", "officer '100001'", "start '20260302_093015'"],
        }
    ]
