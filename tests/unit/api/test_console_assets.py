"""What the console is made of: its size, its words, its policy, and that what it carries is what was published."""

from __future__ import annotations

import gzip
import hashlib
import re
from itertools import pairwise

import pytest

from api.console.assets import INDEX, POLICY, assets
from api.openapi import codes_of
from api.routes.table import ROUTES
from evidence.clips.query_fields import counted_facets
from tests.support.error_codes import errors_of_the_house

OURS = [name for name in assets() if name.endswith(".js") and not name.startswith(("vendor/", "verify."))]
FIRST_LOAD_BYTES_MAX = 400_000
WORDS = ["words.js", *(name for name in OURS if name.startswith("words/"))]


def text(name: str) -> str:
    return assets()[name].body.decode()


def words(language: str) -> dict[str, str]:
    found: list[tuple[str, str]] = []
    for name in WORDS:
        block = text(name).partition(f"const {language} = {{")[2].partition("\n};")[0]
        found += re.findall(r'^  "([^"]+)": "(.*)",$', block, re.MULTILINE)
    assert len(found) == len(dict(found)), "a key stands twice"
    return dict(found)


def asked_at_once(name: str) -> set[str]:
    """Files that a module cannot do without, by its imports; those of `import()` come when they are wanted."""
    folder = name.rpartition("/")[0]
    found = re.findall(r'(?:from|import) "\./([^"]+)"', text(name))
    return {f"{folder}/{asked}" if folder else asked for asked in found}


def asked_routes() -> set[str]:
    """Addresses in the modules, with X in the place of what varies."""
    found = {address for name in OURS for address in re.findall(r"""["`](/(?:v1|log)/[^"`]*)["`]""", text(name))}
    return {re.sub(r"\$\{[^}]*\}", "X", address) for address in found if not address.startswith("/log/tile/")}


def test_the_first_load_is_small() -> None:
    wanted, first = {INDEX, *re.findall(r'(?:src|href)="([^"]+)"', text(INDEX))}, set[str]()
    while wanted:
        name = wanted.pop()
        first.add(name)
        if name.endswith(".js"):
            wanted |= asked_at_once(name) - first
    assert {"app.js", "search.js", "vendor/preact-htm.js"} <= first
    sizes = {name: len(assets()[name].compressed) for name in first}
    assert sum(sizes.values()) <= FIRST_LOAD_BYTES_MAX / 4, sizes


def test_compression_changes_nothing() -> None:
    for name, asset in assets().items():
        assert gzip.decompress(asset.compressed) == asset.body, name


def test_both_languages_have_the_same_words_with_the_same_places_in_them() -> None:
    chinese, english = words("ZH"), words("EN")
    assert len(chinese) > 100
    assert list(chinese) == list(english)
    for key, word in chinese.items():
        assert set(re.findall(r"\{\w+\}", word)) == set(re.findall(r"\{\w+\}", english[key])), key
        assert word.strip(), key


def test_every_word_that_is_used_is_there_and_every_word_is_used() -> None:
    used = {word for name in OURS for word in re.findall(r"""["'`]([a-z]+\.[a-z_.]+)["'`]""", text(name))}
    computed = {f"{head}." for name in OURS for head in re.findall(r"`([a-z]+)\.\$\{", text(name))}
    computed |= {f"{head}." for name in OURS for head in re.findall(r'known\("([a-z]+)"', text(name))}
    known = set(words("ZH"))
    asked = {word for name in OURS for word in re.findall(r'\bt\("([a-z_.]+)"', text(name))}
    assert asked <= known
    assert {key for key in known - used if not key.startswith(tuple(computed))} == set()


def test_nothing_is_inline_and_nothing_comes_from_elsewhere() -> None:
    page = text(INDEX)
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\son\w+=|\sstyle=", page)
    for name in (INDEX, "style.css", *OURS):
        assert not re.search(r"https?://(?!www\.w3\.org/)", text(name)), name
        assert not re.search(r"\b(innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\()", text(name)), name
    assert "unsafe" not in POLICY
    assert "default-src 'none'" in POLICY


@pytest.mark.parametrize("name", [name for name in assets() if name.startswith("vendor/") and name.endswith(".js")])
def test_what_is_carried_is_what_was_published(name: str) -> None:
    stated = text("vendor/licences.txt").partition(f"\n{name.removeprefix('vendor/')}\n")[2]
    assert re.search(r"sha256 ([0-9a-f]{64})", stated) is not None
    assert stated.partition("sha256 ")[2][:64] == hashlib.sha256(assets()[name].body).hexdigest()


def test_every_file_that_is_asked_for_is_there() -> None:
    for name in OURS:
        for asked in asked_at_once(name) | set(re.findall(r'import\("\./([^"]+)"\)', text(name))):
            assert asked in assets(), (name, asked)
    for asked in re.findall(r'(?:src|href)="([^"]+)"', text(INDEX)):
        assert asked in assets(), asked


@pytest.mark.parametrize("language", ["ZH", "EN"])
def test_what_results_divide_into_has_words(language: str) -> None:
    fields = set(counted_facets("").values()) | {"remark", "dialogue", "recorded"}
    said = {f"field.{field}" for field in fields} | {
        f"value.kind.{kind}" for kind in ("video", "audio", "photo", "unknown")
    }
    assert said <= set(words(language)), said - set(words(language))


def test_every_refusal_of_the_routes_that_it_asks_has_chinese_words() -> None:
    told = dict(re.findall(r'^  "([^"]+)": "(.*)",$', text("words/refusals.js"), re.MULTILINE))
    met = {
        code for route in ROUTES if re.sub(r"\{\w+\}", "X", route.path) in asked_routes() for code in codes_of(route)
    }
    assert len(met) > 100
    assert met <= set(told), met - set(told)
    known = {error.code for error in errors_of_the_house()} | {"internal"}
    assert set(told) <= known, set(told) - known
    assert [code for code, words in told.items() if not re.search(r"[\u4e00-\u9fff].*。$", words)] == []


def test_it_asks_for_nothing_but_the_routes_that_everybody_has() -> None:
    asked = asked_routes()
    assert len(asked) > 15
    routes = {re.sub(r"\{\w+\}", "X", route.path) for route in ROUTES}
    assert asked <= routes, asked - routes


def test_colours_can_be_read_in_both_themes() -> None:
    themes = re.findall(r":root[^{]*\{([^}]*)\}", text("style.css"))
    assert len(themes) == 2
    for theme in themes:
        colours = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", theme))
        pairs = [(ink, ground) for ink in ("ink", "quiet", "accent") for ground in ("paper", "ground")]
        pairs += [("ok", "ok-ground"), ("note", "note-ground"), ("bad", "bad-ground"), ("on-accent", "accent")]
        for ink, ground in pairs:
            assert contrast(colours[ink], colours[ground]) >= 4.5, (ink, ground)


def contrast(left: str, right: str) -> float:
    """Contrast ratio of WCAG 2.1, 1.4.3."""
    lighter, darker = sorted((luminance(left), luminance(right)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def luminance(colour: str) -> float:
    parts = [int(colour[at:end], 16) / 255 for at, end in pairwise((1, 3, 5, 7))]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
