"""Layout profiles: what names tell, what is read, and which files are no profile at all."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dockstation.errors import ProfileInvalid
from dockstation.layout import Kind, Profile, Reading, choose_profile, compile_glob, load_profiles, parse_profile

MINIMAL = 'name = "mine"\ntitle = "Mine"\ntime_zone = "+08:00"\n'


def shipped(name: str) -> Profile:
    return load_profiles(only=name)[0]


def read(name: str, path: str) -> Reading:
    return shipped(name).read(path)


def test_a_dcam_name_tells_recorder_officer_and_time_in_utc() -> None:
    reading = read("dcam", "DCIM/100/DCAM_D200001_100001_20260302_093015.mp4")
    assert (reading.kind, reading.recorder, reading.officer) == (Kind.MEDIA, "D200001", "100001")
    assert reading.recorded_at == datetime(2026, 3, 2, 1, 30, 15, tzinfo=UTC)
    assert not reading.key_mark


@pytest.mark.parametrize(
    ("path", "marked"),
    [
        ("DCAM_D200001_100001_20260302_093015_IMP.mp4", True),
        ("a/b/DCAM_D200001_100001_20260302_093015_imp.JPG", True),
        # An unknown name is no reason to overlook the officer's mark: marked files are never cleared.
        ("holiday_IMP.mov", True),
        ("DCAM_D200001_100001_20260302_093015_IMPORT.mp4", False),
        ("IMP/DCAM_D200001_100001_20260302_093015.mp4", False),
        ("x_IMP.d/DCAM_D200001_100001_20260302_093015.mp4", False),
    ],
)
def test_the_key_mark_stands_before_the_extension(path: str, marked: bool) -> None:
    assert read("dcam", path).key_mark is marked


@pytest.mark.parametrize(
    "path",
    [
        "DCAM_D200001_100001_20261345_093015.mp4",
        "DCAM_D200001_100001_00000000_000000.mp4",
        "DCAM_D200001_100001_20260302_256199.mp4",
    ],
)
def test_a_time_that_does_not_exist_is_no_time_and_the_file_is_read(path: str) -> None:
    reading = read("dcam", path)
    assert (reading.kind, reading.recorder, reading.recorded_at) == (Kind.MEDIA, "D200001", None)
    assert "does not exist" in reading.why


@pytest.mark.parametrize(
    "path",
    [
        "DCAM_D20000_100001_20260302_093015.mp4",  # serial too short
        "DCAM_D200001_1000010_20260302_093015.mp4",  # officer too long
        "DCAM_D200001_１００００１_20260302_093015.mp4",  # digits, but not ASCII ones
        "DCAM_D200001_100001_20260302_093015",  # no extension
        "xDCAM_D200001_100001_20260302_093015.mp4",
        "footage.mp4",
        "没有名字.mp4",
    ],
)
def test_names_that_no_pattern_knows_tell_nothing_and_are_read(path: str) -> None:
    reading = read("dcam", path)
    assert reading.kind is not Kind.IGNORED
    assert (reading.recorder, reading.officer, reading.recorded_at) == (None, None, None)


@pytest.mark.parametrize("name", ["dcam", "dcim", "gopro", "axis"])
@pytest.mark.parametrize(
    "path", ["odd.xyz", "no extension", ".hidden.mp4", "deep/er/und/erer/x.bin", "line\nbreak.mp4"]
)
def test_what_is_not_ignored_by_name_is_read_by_every_profile(name: str, path: str) -> None:
    assert read(name, path).kind is not Kind.IGNORED


@pytest.mark.parametrize("name", ["dcam", "dcim", "gopro", "axis"])
@pytest.mark.parametrize("path", ["System Volume Information/IndexerVolumeGuid", ".Trashes/501/x.mp4", "DCIM/._A.mp4"])
def test_the_litter_of_operating_systems_is_ignored(name: str, path: str) -> None:
    assert read(name, path).kind is Kind.IGNORED


@pytest.mark.parametrize(
    ("profile", "path", "kind"),
    [
        ("dcam", "DCIM/X.MP4", Kind.MEDIA),
        ("dcam", "DCIM/x.jpg", Kind.STILL),
        ("dcam", "DCIM/X.M4A", Kind.SOUND),
        ("dcam", "track.gps", Kind.POSITION),
        ("dcam", "sys.log", Kind.LOG),
        ("dcam", "a.srt", Kind.COMPANION),
        ("dcam", "firmware.bin", Kind.OTHER),
        ("dcim", "DCIM/100MEDIA/a.HEIC", Kind.STILL),
        ("dcim", "a.amr", Kind.SOUND),
        ("dcim", "a.kml", Kind.POSITION),
        ("gopro", "DCIM/100GOPRO/GOPR0001.GPR", Kind.STILL),
        ("gopro", "DCIM/100GOPRO/GX010001.WAV", Kind.SOUND),
        ("axis", "20260302/gnss_1.json", Kind.POSITION),
        ("axis", "index.db", Kind.COMPANION),
    ],
)
def test_kinds_of_files_are_told_apart(profile: str, path: str, kind: Kind) -> None:
    assert read(profile, path).kind is kind


@pytest.mark.parametrize(
    ("path", "start"),
    [
        ("DCIM/100MEDIA/VID_20260302_093015.mp4", "01:30:15"),
        ("DCIM/20260302_093015_001_IMP.mov", "01:30:15"),
        ("2026-03-02 09.30.15.jpg", "01:30:15"),
        ("DCIM/Movie/2026_0302_093015_002A.MP4", "01:30:15"),
        ("DCIM/IMG_0001.JPG", None),
        ("DCIM/VID_20261399_093015.mp4", None),
        ("20260302_0930150.mp4", None),
    ],
)
def test_a_general_name_that_holds_nothing_but_a_time_tells_it(path: str, start: str | None) -> None:
    at = read("dcim", path).recorded_at
    assert (None if at is None else f"{at:%H:%M:%S}") == start


def test_gopro_thumbnails_and_low_resolution_copies_are_ignored_and_chapters_are_not() -> None:
    assert read("gopro", "DCIM/100GOPRO/GL010123.LRV").kind is Kind.IGNORED
    assert read("gopro", "DCIM/100GOPRO/GX010123.THM").kind is Kind.IGNORED
    assert read("gopro", "DCIM/100GOPRO/GX020123.MP4").kind is Kind.MEDIA
    assert read("gopro", "MISC/version.txt").kind is Kind.LOG
    assert read("gopro", "MISC/qik_meta.sav").kind is Kind.COMPANION


def test_an_axis_folder_tells_the_serial_and_a_block_its_start() -> None:
    folder = "20260302/09/20260302_093000_5C3E_ACCC8E123456"
    block = read("axis", f"{folder}/20260302_09/20260302_093001_A1B2.mkv")
    assert (block.recorder, block.recorded_at) == ("ACCC8E123456", datetime(2026, 3, 2, 1, 30, 1, tzinfo=UTC))
    note = read("axis", f"{folder}/recording.xml")
    assert (note.kind, note.recorder, note.recorded_at) == (Kind.COMPANION, "ACCC8E123456", None)


@pytest.mark.parametrize(
    ("paths", "chosen"),
    [
        (["DCIM/DCAM_D200001_100001_20260302_093015.mp4", "x.txt"], "dcam"),
        (["DCIM/100GOPRO/GX010123.MP4"], "gopro"),
        (["20260302/09/20260302_093000_5C3E_ACCC8E123456/recording.xml"], "axis"),
        (["DCIM/100MEDIA/IMG_0001.JPG"], "dcim"),
        ([], "dcim"),
    ],
)
def test_the_files_choose_the_profile(paths: list[str], chosen: str) -> None:
    assert choose_profile(load_profiles(), paths).name == chosen


def test_most_claims_win_on_a_card_of_two_makers() -> None:
    paths = ["DCIM/100GOPRO/GX010123.MP4", "DCIM/DCAM_1.mp4", "DCIM/DCAM_2.mp4"]
    assert choose_profile(load_profiles(), paths).name == "dcam"


def test_own_profiles_come_before_shipped_ones_and_may_replace_them(tmp_path: Path) -> None:
    (tmp_path / "dcam.toml").write_text('name = "dcam"\ntitle = "ours"\ntime_zone = "UTC"\nclaims = ["**/X*"]\n')
    (tmp_path / "new.toml").write_text(MINIMAL)
    profiles = load_profiles(tmp_path)
    assert [profile.name for profile in profiles[:2]] == ["dcam", "mine"]
    assert [profile.title for profile in profiles if profile.name == "dcam"] == ["ours"]


def test_an_unknown_profile_is_refused_by_naming_the_known(tmp_path: Path) -> None:
    with pytest.raises(ProfileInvalid, match="axis, dcam, dcim, gopro"):
        load_profiles(only="dcan")
    (tmp_path / "a.toml").write_text(MINIMAL)
    (tmp_path / "b.toml").write_text(MINIMAL)
    with pytest.raises(ProfileInvalid, match="same name"):
        load_profiles(tmp_path)
    (tmp_path / "b.toml").write_bytes(b"\xff")
    with pytest.raises(ProfileInvalid, match="cannot be read"):
        load_profiles(tmp_path)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("name = ", "not TOML"),
        (MINIMAL + "colour = 1", "unknown key 'colour'"),
        ('title = "x"\ntime_zone = "UTC"', "name is missing"),
        ('name = "A b"\ntitle = "x"\ntime_zone = "UTC"', "name is not made of"),
        ('name = "a"\ntitle = ""\ntime_zone = "UTC"', "title is missing"),
        ('name = "a"\ntitle = "x"', "time_zone is missing"),
        ('name = "a"\ntitle = "x"\ntime_zone = "+99:00"', "unknown time_zone"),
        ('name = "a"\ntitle = "x"\ntime_zone = "Mars/Olympus"', "unknown time_zone"),
        ('name = "a"\ntitle = "x"\ntime_zone = "../../etc/passwd"', "unknown time_zone"),
        (MINIMAL + 'media = "**/*.mp4"', "media is not a list"),
        (MINIMAL + "ignore = [1]", "ignore holds"),
        (MINIMAL + 'ignore = [""]', "ignore holds"),
        (MINIMAL + 'key_mark = "("', "key_mark"),
        (MINIMAL + "key_mark = 1", "key_mark is not a string"),
        (MINIMAL + 'names = ["x"]', "[[names]]"),
        (MINIMAL + '[[names]]\npattern = "x"\nform = "y"', "[[names]]"),
        (MINIMAL + '[[names]]\ntime = "%Y"', "names.pattern is not a string"),
        (MINIMAL + "[[names]]\npattern = '(?P<rank>x)'", "unknown group 'rank'"),
        (MINIMAL + "[[names]]\npattern = '(?P<start>x)'", "belong together"),
        (MINIMAL + "[[names]]\npattern = 'x'\ntime = '%Y'", "belong together"),
    ],
)
def test_a_faulty_profile_is_refused_whole_and_says_where(text: str, fault: str) -> None:
    with pytest.raises(ProfileInvalid) as caught:
        parse_profile(text, source="mine.toml")
    assert fault in caught.value.message
    assert caught.value.message.startswith("mine.toml:")


def test_a_name_that_statements_cannot_carry_is_no_name() -> None:
    profile = parse_profile(MINIMAL + "[[names]]\npattern = '(?P<recorder>[^/]*)/.*'", source="x")
    assert profile.read("good/x").recorder == "good"
    assert profile.read(" padded /x").recorder is None
    assert profile.read("a\x07b/x").recorder is None
    assert profile.read("n" * 65 + "/x").recorder is None


@pytest.mark.parametrize(
    ("glob", "path", "matches"),
    [
        ("*.mp4", "a.mp4", True),
        ("*.mp4", "d/a.mp4", False),
        ("**/*.mp4", "a.mp4", True),
        ("**/*.mp4", "d/e/a.MP4", True),
        ("d/**", "d/e/f", True),
        ("d/**", "dd/e", False),
        ("?.x", "a.x", True),
        ("?.x", "/.x", False),
        ("a+b[1].mp4", "a+b[1].mp4", True),
        ("*.mp4", "a\n.mp4", True),
    ],
)
def test_globs(glob: str, path: str, matches: bool) -> None:
    assert (compile_glob(glob).fullmatch(path) is not None) is matches


@given(st.text(max_size=60))
def test_no_name_upsets_a_shipped_profile(path: str) -> None:
    for profile in load_profiles():
        reading = profile.read(path)
        assert reading.why
        assert reading.recorder is None or 1 <= len(reading.recorder) <= 64


CLOCK = MINIMAL + "[clock]\nfile = 'time.txt'\ntext = '%H:%M'\n"


def test_a_clock_file_is_never_footage_and_tells_the_recorders_own_time() -> None:
    profile = parse_profile(CLOCK, source="mine.toml")
    assert profile.read("TIME.TXT").kind is Kind.IGNORED
    assert profile.read(".time.txt.part").kind is Kind.IGNORED, "what a card keeps that was pulled while it was written"
    assert profile.read("DCIM/time.txt").kind is not Kind.IGNORED
    assert profile.clock_text(datetime(2026, 3, 2, 23, 30, tzinfo=UTC)) == b"07:30"
    assert parse_profile(MINIMAL, source="mine.toml").clock_text(datetime(2026, 3, 2, tzinfo=UTC)) is None


@pytest.mark.parametrize(
    "clock",
    [
        "clock = 1",
        "[clock]\nfile = 'time.txt'",
        "[clock]\nfile = 'time.txt'\ntext = '%H'\nmore = 1",
        "[clock]\nfile = '../time.txt'\ntext = '%H'",
        "[clock]\nfile = 'DCIM/time.txt'\ntext = '%H'",
        "[clock]\nfile = '.hidden'\ntext = '%H'",
        "[clock]\nfile = ''\ntext = '%H'",
        "[clock]\nfile = 'time.txt'\ntext = 'noon'",
        "[clock]\nfile = 1\ntext = '%H'",
    ],
)
def test_a_clock_that_cannot_be_set_refuses_the_profile(clock: str) -> None:
    with pytest.raises(ProfileInvalid, match=r"clock|file|text"):
        parse_profile(MINIMAL + clock, source="mine.toml")
