"""Quick mapping of high dynamic range: greys stay grey and in order, white is bright, strong colours are cut to fit."""

from __future__ import annotations

import time

import numpy as np
import pytest
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from ingest.media.tones import ordinary

PQ, HLG = 16, 18
WHITE = {PQ: 0.58, HLG: 0.75}
"""Code of reference white, 203 cd/m2, by ITU-R BT.2408."""


def mapped(codes: list[tuple[float, float, float]], transfer: int) -> NDArray[np.uint8]:
    plane = np.rint(np.array([codes], np.float64) * 65_535).astype(np.uint16)
    picture = ordinary(VideoFrame.from_ndarray(plane, format="rgb48le"), transfer=transfer)
    assert picture.format.name == "rgb24"
    shown: NDArray[np.uint8] = picture.to_ndarray()[0]
    return shown


@pytest.mark.parametrize("transfer", [PQ, HLG])
def test_greys_stay_grey_and_in_order(transfer: int) -> None:
    shown = mapped([(code / 20,) * 3 for code in range(21)], transfer)
    assert (shown.max(axis=1).astype(int) - shown.min(axis=1) <= 1).all()
    assert (np.diff(shown[:, 1].astype(int)) >= 0).all()
    assert shown[0].max() <= 1
    assert shown[-1].min() >= 250


@pytest.mark.parametrize("transfer", [PQ, HLG])
def test_reference_white_is_bright_and_leaves_room_above(transfer: int) -> None:
    ((white, _, _),) = mapped([(WHITE[transfer],) * 3], transfer)
    assert 180 <= white <= 220


@pytest.mark.parametrize("transfer", [PQ, HLG])
def test_the_two_transfers_agree_about_the_same_light(transfer: int) -> None:
    ours, other = (mapped([(WHITE[one],) * 3], one)[0, 0] for one in (transfer, PQ + HLG - transfer))
    assert abs(int(ours) - int(other)) <= 6


@pytest.mark.parametrize("transfer", [PQ, HLG])
def test_colours_keep_their_leader_and_are_cut_to_what_fits(transfer: int) -> None:
    shown = mapped([(0.7, 0.1, 0.1), (0.1, 0.7, 0.1), (0.1, 0.1, 0.7), (1.0, 0.0, 0.0)], transfer)
    assert list(shown.argmax(axis=1)) == [0, 1, 2, 0]


def test_a_picture_of_the_poster_s_size_takes_no_seconds() -> None:
    plane = np.random.default_rng(1).integers(0, 65_535, (720, 1280, 3), dtype=np.uint16)
    picture = VideoFrame.from_ndarray(plane, format="rgb48le")
    began = time.process_time()
    ordinary(picture, transfer=HLG)
    assert time.process_time() - began < 2.0
