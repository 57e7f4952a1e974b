"""A house as it looks on a working day, for pictures of the console: generated footage, a case on its way through
review, a draft for the public, a dock that speaks, registers with people in them. All names are made up."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from evidence.parties.roles import Role
from ingest.media.rendition import make_renditions
from ledger.canonical import JsonObject
from tests.support import media
from tests.support.case_files import item, item_list
from tests.support.media import Film, Plane, Sound
from tests.support.people import PaperPerson, person
from tests.support.publicity import BRIEF
from tests.support.reviews import rules, signer
from tests.support.service import RunningService

SAID: dict[str, Any] = {
    "agent": "1.0.0",
    "profiles": {},
    "disk_free_bytes": 412_000_000_000,
    "slots": [
        {"name": "1", "recorder": "4A00123", "phase": "done", "safe": True},
        {"name": "2", "recorder": "4A00124", "phase": "reading", "safe": False},
        {"name": "3", "recorder": "4A00125", "phase": "trouble", "safe": False},
        {"name": "4", "recorder": None, "phase": "gone", "safe": False},
    ],
    "journal": {"cleared": 112, "seen": 3},
    "waiting_notes": 0,
    "clock": {"offset_ms": -800, "uncertainty_ms": 12},
}
ANNOTATED: dict[str, Any] = {
    "remark": "检查废水排放口，当事人在场。",
    "item": "visit",
    "place": "城西工业园区",
    "speakers": [{"key": "a", "name": "陈立", "role": "officer"}, {"key": "b", "name": "负责人", "role": "party"}],
    "dialogue": [
        {"from_ms": 400, "to_ms": 2400, "text": "我们是执法人员，这是执法证件。", "speaker": "a"},
        {"from_ms": 2800, "to_ms": 5200, "text": "排口在厂区东侧，请看。", "speaker": "b"},
    ],
    "markers": [{"at_ms": 600, "kind": "credentials_shown"}, {"at_ms": 4000, "kind": "key_moment"}],
}


@dataclass(frozen=True)
class Furnished:
    """The house, what can be opened in it, and who works there."""

    service: RunningService
    clip: str
    case: str
    publication: str
    people: dict[str, PaperPerson]


def yard(number: int, width: int, height: int) -> Plane:
    """Draw a wall, a pipe, water that runs out of it, and a torch that moves over them."""
    y, x = np.mgrid[0:height, 0:width]
    picture = np.zeros((height, width, 3), float)
    picture[:] = np.array([96, 112, 124]) - (y[..., None] / height) * 40
    bricks = ((x // 40 + (y // 16) % 2) % 2 == 0) & (y < height * 0.6)
    picture[bricks] += 14
    picture[y >= height * 0.6] = (70, 66, 58)
    pipe = (x - width * 0.55) ** 2 + (y - height * 0.5) ** 2 < (height * 0.1) ** 2
    picture[pipe] = (34, 36, 38)
    stream = (abs(x - width * 0.55 + 6 * np.sin((y + number * 5) / 9)) < height * 0.05) & (y > height * 0.5)
    picture[stream] = (92, 128, 120)
    torch = np.exp(
        -(((x - width * (0.3 + number / 500)) / (width * 0.3)) ** 2 + ((y - height * 0.5) / (height * 0.4)) ** 2)
    )
    drawn: Plane = np.clip(picture * (0.55 + 0.75 * torch[..., None]), 0, 255).astype(np.uint8)
    return drawn


class Clerk:
    """Somebody who asks over HTTP and is answered."""

    def __init__(self, service: RunningService) -> None:
        self.service = service

    async def post(self, path: str, body: Any, who: Role | PaperPerson = Role.ADMINISTRATOR, **headers: str) -> Any:
        shown = {name.replace("_", "-"): value for name, value in headers.items()}
        role = who if isinstance(who, Role) else None
        if isinstance(who, PaperPerson):
            shown |= await who.session()
        reply = await self.service.ask("POST", path, role=role, json=body, headers=shown)
        assert reply.status in (200, 201), reply.body
        return reply.json()

    async def footage(self, folder: Path) -> str:
        """Seal a film of ten seconds with everything made of it, and five files beside it; return the film's clip."""
        film = Film(size=(640, 360), times_ms=tuple(range(0, 10_000, 40)), options={"preset": "ultrafast"})
        source = media.write(
            folder / "film.mp4", film=film, sound=Sound(pieces_ms=((0, 4000), (5200, 4800))), draw=yard
        )
        (folder / "made").mkdir()
        result = make_renditions(source, folder / "made", threads=2, report=lambda _: None, tell=lambda _: None)
        made: dict[str, tuple[bytes, str]] = {
            one.kind: (one.path.read_bytes(), one.media_type) for one in result.objects
        }
        taken = datetime(2026, 11, 20, 1, 30, tzinfo=UTC)
        clip = await self.service.clip(source.read_bytes(), path="DCIM/20261120_093000.mp4", recorded_at=taken)
        proxy, _ = made.pop("proxy")
        await self.service.derive(clip, proxy, beside=made, probe=result.probe)
        for number in range(5):
            at = taken.replace(hour=2, minute=number * 9)
            path = f"DCIM/20261120_10{number * 9:02d}00.{'jpg' if number == 3 else 'mp4'}"
            await self.service.clip(f"file {number}".encode(), path=path, recorded_at=at)
        return str(clip)

    async def registers(self) -> None:
        """Put units, officers and how a dock stands on record."""
        for unit in ("执法一中队", "执法二中队"):
            await self.post("/v1/units", {"name": unit})
        for number, (name, unit) in enumerate(
            {"陈立": "执法一中队", "赵宁": "执法一中队", "孙悦": "执法二中队"}.items()
        ):
            await self.post(
                "/v1/officers", {"number": f"14060{number}", "name": name, "unit": unit, "duty": "执法人员"}
            )
        dock = await self.service.dock()
        beat = await self.service.ask("POST", f"/v1/docks/{dock.dock}/heartbeat", dock=dock, json=SAID)
        assert beat.status == 200, beat.body

    async def case(self, clip: str, handler: PaperPerson, reviewer: PaperPerson) -> str:
        """A case with an exhibit, submitted for review by its handler."""
        items = item_list(item("visit", title="现场检查"), item("talk", title="询问", exemptible=True))
        await self.post("/v1/items", {"effective_from": "2020-01-01", "list": items.as_json()})
        trigger = {"key": "penalty", "fact": "hearing_held", "source": "第五条", "quote": "经过听证程序"}
        content = rules(triggers=[trigger]).model_dump(mode="json", exclude_none=True)
        await self.post("/v1/review/rules", {"effective_from": "2020-01-01", "rules": content})
        fit = {"certificate": "A2020", "source": "聘任文件", "valid_from": "2020-01-01", "valid_until": "2099-01-01"}
        await self.post("/v1/review/qualifications", {"staff": str(reviewer.staff), **fit})
        said = {
            "number": "朔环罚〔2026〕9号",
            "title": "废水直排案",
            "kind": "penalty",
            "facts": {"hearing_held": True},
        }
        case: str = (await self.post("/v1/cases", {**said, "handlers": ["陈立"]}, handler))["case"]
        await self.post("/v1/cases", {"number": "朔环罚〔2026〕10号", "title": "夜间施工噪声案"}, Role.ARCHIVIST)
        await self.post(f"/v1/clips/{clip}/annotations", ANNOTATED, Role.ARCHIVIST, If_Match='"0"')
        await self.post(f"/v1/cases/{case}/clips", {"clip": clip}, Role.ARCHIVIST)
        await self.submitted(case, handler)
        return case

    async def submitted(self, case: str, handler: PaperPerson) -> None:
        """Have a case submitted by its handler, whose key is stated here."""
        hand = signer(1, handler.staff)
        key = b64encode(hand.public).decode()
        await self.post("/v1/review/keys", {"key": key, "proof": b64encode(hand.proof()).decode()}, handler)
        review = await self.service.ask("GET", f"/v1/cases/{case}/review", role=Role.AUDITOR)
        now = review.json()
        statement: JsonObject = {
            "format": "shilu-review-declaration/1",
            "case": case,
            "round": now["next_round"],
            "root": now["root"],
            "rules": now["rules"],
            "by": str(handler.staff),
            "materials": [],
            "answers": [],
            "declares": "对送审材料的真实性、准确性、完整性负责",
        }
        signature = b64encode(hand.sign(statement)).decode()
        path = f"/v1/cases/{case}/review/submissions"
        await self.post(path, {"statement": statement, "signature": signature}, handler)


async def furnish(service: RunningService, folder: Path) -> Furnished:
    """Return a house with everything a page can show."""
    clerk = Clerk(service)
    people = {
        "archivist": await person(service, "dang.an", Role.ARCHIVIST),
        "investigator": await person(service, "chen.li"),
        "reviewer": await person(service, "fa.zhi", Role.REVIEWER),
        "administrator": await person(service, "guan.li", Role.ADMINISTRATOR),
    }
    clip = await clerk.footage(folder)
    await clerk.registers()
    case = await clerk.case(clip, people["investigator"], people["reviewer"])
    fields = {**BRIEF, "conclusion": "罚款人民币十万元，联系电话13800138000"}
    wish = {"form": "brief", "kind": "penalty", "fields": fields}
    publication = (await clerk.post("/v1/publications", wish, Role.ARCHIVIST))["publication"]
    return Furnished(service, clip, case, publication, people)
