"""Replay scripts: read whole or refused with the place that is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from dockstation import replay
from dockstation.errors import ReplayInvalid
from dockstation.events import Kind
from dockstation.replay.media import content
from dockstation.replay.script import ACTIONS, STEPS_MAX, parse_script

HEAD = 'title = "t"\n[cards.a]\nfiles = [{path = "x.mp4", size = 5}]\n'
EXAMPLE = Path(replay.__file__).with_name("example.toml")


def test_the_shipped_example_is_read() -> None:
    script = parse_script(EXAMPLE.read_text(encoding="utf-8"))
    assert set(script.cards) == {"wang", "li", "nameless"}
    assert script.cards["li"].volume.identity == "D2000018 5E6F-7081"
    first_wait = next(step.after for step in script.steps if step.after is not None)
    assert (first_wait.event, first_wait.bytes) == (Kind.SENDING, 1_000_000)


def test_every_action_stands_on_the_front_page() -> None:
    front = (EXAMPLE.with_name("script.py")).read_text(encoding="utf-8").partition("from __future__")[0]
    assert [action for action in ACTIONS if f'do = "{action}"' not in front] == []


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("title = ", "not TOML"),
        ('title = "t"', "cards is missing"),
        ("steps = []\ncards = {}\ntitle = 1", "title is not a str"),
        ("steps = 1\ncards = {}\ntitle = 't'", "steps is not a list"),
        (HEAD + "colour = 1\n[[steps]]\ndo = 'mend'\ncard = 'a'", "unknown key 'colour'"),
        (HEAD + "[[steps]]\ndo = 'burn'", "step 1: `do` is none of"),
        (HEAD + "[[steps]]\ndo = 'dock'\nslot = '1'", "step 1: card is missing"),
        (HEAD + "[[steps]]\ndo = 'dock'\nslot = '1'\ncard = 'b'", "step 1: there is no card 'b'"),
        (HEAD + "[[steps]]\ndo = 'mend'\ncard = 'a'\nslot = '1'", "step 1: unknown key 'slot'"),
        (HEAD + "[[steps]]\ndo = 'mend'\ncard = 'a'\npause = true", "step 1: pause is not a float"),
        (HEAD + "[[steps]]\ndo = 'mend'\ncard = 'a'\nafter = {event = 'thunder'}", "no event 'thunder'"),
        (HEAD + "[[steps]]\ndo = 'mend'\ncard = 'a'\nafter = {slot = '1'}", "event is missing"),
        (HEAD + "[[steps]]\ndo = 'delete'\ncard = 'a'\npath = '../x'", "does not stay on the card"),
        (HEAD + "[[steps]]\ndo = 'delete'\ncard = 'a'\npath = '/etc/passwd'", "does not stay on the card"),
        (HEAD + "[[steps]]\ndo = 'write'\ncard = 'a'\npath = 'x'\nsize = -1", "not within"),
        (HEAD.replace("5", "9999999999") + "[[steps]]\ndo = 'mend'\ncard = 'a'", "card a: 9999999999"),
        (HEAD + "[[steps]]\ndo = 'mend'\ncard = 'a'\n" * (STEPS_MAX + 1), "more than"),
    ],
)
def test_a_faulty_script_is_refused_whole_and_says_where(text: str, fault: str) -> None:
    with pytest.raises(ReplayInvalid) as caught:
        parse_script(text)
    assert fault in caught.value.message


def test_a_file_s_bytes_are_always_the_same_and_those_of_another_are_others() -> None:
    assert content("a", 100) == content("a", 100)
    assert content("a", 100) != content("b", 100)
    assert len(content("a", 0)) == 0
