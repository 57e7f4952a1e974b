"""A real browser for tests: headless Chromium, driven over its DevTools protocol.

`find_browser` looks for a Chromium or Chrome on this machine; a test that needs one skips with a reason where there is
none. The process is started once per test session (`chromium`, a context manager), each test talks to it over a
connection of its own and gets a fresh tab (`open_tab`). A `Tab` records what the page does that a page must not do
unasked: requests, error messages, uncaught exceptions.
"""

from __future__ import annotations

import asyncio
import base64
import shutil
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import aiohttp
import pytest

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "headless_shell")
_START_SECONDS = 60
_ANSWER_SECONDS = 100
_MESSAGE_BYTES_MAX = 64 * 1024 * 1024

_KEYS = {
    "Tab": 9,
    "Enter": 13,
    "Escape": 27,
    " ": 32,
    "PageUp": 33,
    "PageDown": 34,
    "End": 35,
    "Home": 36,
    "ArrowLeft": 37,
    "ArrowUp": 38,
    "ArrowRight": 39,
    "ArrowDown": 40,
    "Delete": 46,
}
"""Keys that write nothing, and the space, by the numbers that Windows gave them and browsers go by."""

_SWITCHES = (
    "--headless=new",
    "--remote-debugging-port=0",
    "--no-sandbox",  # tests run as root in containers; the pages are our own
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--mute-audio",
)


def find_browser() -> str:
    """Return the program's path, or skip the test and say what is missing."""
    for name in _NAMES:
        if found := shutil.which(name):
            return found
    pytest.skip(f"no browser to drive: none of {', '.join(_NAMES)} is installed (Debian: apt-get install chromium)")


@contextmanager
def chromium() -> Iterator[str]:
    """Run a headless browser with an empty profile; yields the WebSocket address of its DevTools."""
    program = find_browser()
    with tempfile.TemporaryDirectory(prefix="shilu-browser-", ignore_cleanup_errors=True) as profile:
        command = [program, *_SWITCHES, f"--user-data-dir={profile}", "about:blank"]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            yield _address(process, Path(profile) / "DevToolsActivePort")
        finally:
            process.terminate()
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _address(process: subprocess.Popen[bytes], port_file: Path) -> str:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            pytest.skip(f"the browser does not start here: exit code {process.returncode}")
        lines = port_file.read_text().splitlines() if port_file.exists() else []
        if len(lines) == 2:
            return f"ws://127.0.0.1:{lines[0]}{lines[1]}"
        time.sleep(0.05)
    raise TimeoutError("the browser did not open its DevTools port")


class Navigated(RuntimeError):
    """The page that was asked is gone: it loads anew, or another took its place."""


_NAVIGATED = {
    "Inspected target navigated or closed",
    "Cannot find context with specified id",
    "Execution context was destroyed.",
}


@dataclass
class Tab:
    """One page in the browser.

    Attributes:
        requests: Addresses that the page asked for, its own included.
        complaints: Error messages in the console and uncaught exceptions.
        choosers: Inputs whose choice of a file was opened, in place of a window that a test cannot see.
    """

    socket: aiohttp.ClientWebSocketResponse
    session: str
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    choosers: list[int] = field(default_factory=list)
    _numbers: count[int] = field(default_factory=lambda: count(100))
    _waiting: dict[int, asyncio.Future[Any]] = field(default_factory=dict)

    async def call(self, method: str, **params: object) -> Any:
        """Send a command of the DevTools protocol to the page and return its answer."""
        return await self._send({"method": method, "params": params, "sessionId": self.session})

    async def peak_memory_kib(self) -> int:
        """Return the most memory that any renderer of the browser has had so far."""
        answer = await self._send({"method": "SystemInfo.getProcessInfo", "params": {}})
        pids = [process["id"] for process in answer["processInfo"] if process["type"] == "renderer"]
        return max(_peak_kib(pid) for pid in pids)

    async def _send(self, message: dict[str, object]) -> Any:
        number = next(self._numbers)
        waiting = self._waiting[number] = asyncio.get_running_loop().create_future()
        await self.socket.send_json({"id": number, **message})
        answer = await asyncio.wait_for(waiting, _ANSWER_SECONDS)
        if "error" in answer:
            kind = Navigated if answer["error"].get("message") in _NAVIGATED else RuntimeError
            raise kind(f"{message['method']}: {answer['error']}")
        return answer["result"]

    async def evaluate(self, expression: str) -> Any:
        """Return the value of an expression in the page; a promise is awaited."""
        answer = await self.call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in answer:
            details = answer["exceptionDetails"]
            raise RuntimeError(details.get("exception", {}).get("description", details["text"]))
        return answer["result"].get("value")

    async def until(self, expression: str, *, seconds: float = 60) -> Any:
        """Wait until an expression is true in the page, and return it; the page may load anew meanwhile."""
        deadline = time.monotonic() + seconds
        while True:
            with suppress(Navigated):
                if value := await self.evaluate(expression):
                    return value
            if time.monotonic() > deadline:
                raise TimeoutError(f"{expression} did not become true; {self.complaints}")
            await asyncio.sleep(0.02)

    async def go(self, address: str) -> None:
        """Open an address and wait until it is loaded."""
        await self.call("Page.navigate", url=address)
        await self.until("document.readyState === 'complete' && location.href !== 'about:blank'")

    async def choose_files(self, selector: str, files: Sequence[Path]) -> None:
        """Put files into an input as a person would; a folder goes into one that takes folders."""
        document = await self.call("DOM.getDocument")
        found = await self.call("DOM.querySelector", nodeId=document["root"]["nodeId"], selector=selector)
        await self.call("DOM.setFileInputFiles", nodeId=found["nodeId"], files=[str(file) for file in files])

    async def answer_chooser(self, files: Sequence[Path]) -> None:
        """Choose files where the page has just opened a choice of files, by a press or a key."""
        deadline = time.monotonic() + _ANSWER_SECONDS
        while not self.choosers:
            if time.monotonic() > deadline:
                raise TimeoutError("the page opened no choice of files")
            await asyncio.sleep(0.02)
        await self.call("DOM.setFileInputFiles", backendNodeId=self.choosers.pop(), files=[str(file) for file in files])

    async def drop_files(self, selector: str, files: Sequence[Path]) -> None:
        """Drag files or folders onto an element and let go."""
        box = await self.evaluate(
            f"(({{x, y}}) => [x, y])(document.querySelector('{selector}').getBoundingClientRect())"
        )
        data = {"items": [], "files": [str(file) for file in files], "dragOperationsMask": 1}
        for step in ("dragEnter", "dragOver", "drop"):
            await self.call("Input.dispatchDragEvent", type=step, x=box[0] + 9, y=box[1] + 9, data=data)

    async def press(self, key: str, *, shift: bool = False, control: bool = False) -> None:
        """Press and release a key, given by its DOM name: `Tab` moves the focus, a letter writes itself."""
        code = _KEYS.get(key) or (ord(key.upper()) if key.isalnum() else 0)
        text = {"Enter": "\r"}.get(key, key if len(key) == 1 and not control else "")
        told = {"key": key, "code": key, "windowsVirtualKeyCode": code, "modifiers": 8 * shift + 2 * control}
        await self.call("Input.dispatchKeyEvent", type="keyDown" if text else "rawKeyDown", text=text, **told)
        await self.call("Input.dispatchKeyEvent", type="keyUp", **told)

    async def screenshot(self, target: Path) -> None:
        """Write a picture of the whole page as PNG."""
        shot = await self.call("Page.captureScreenshot", format="png", captureBeyondViewport=True)
        target.write_bytes(base64.b64decode(shot["data"]))

    def receive(self, message: dict[str, Any]) -> None:
        """Take a message of the browser: an answer, or an event."""
        if waiting := self._waiting.pop(message.get("id", 0), None):
            waiting.set_result(message)
        params = message.get("params", {})
        match message.get("method"):
            case "Network.requestWillBeSent":
                self.requests.append(params["request"]["url"])
            case "Page.fileChooserOpened":
                self.choosers.append(params["backendNodeId"])
            case "Runtime.exceptionThrown":
                self.complaints.append(str(params["exceptionDetails"]))
            case "Runtime.consoleAPICalled" if params["type"] == "error":
                self.complaints.append(str(params["args"]))
            case "Log.entryAdded" if params["entry"]["level"] == "error":
                self.complaints.append(params["entry"]["text"])


@asynccontextmanager
async def open_tab(address: str) -> AsyncIterator[Tab]:
    """Connect to a browser and open an empty tab in it, closed at the end."""
    async with (
        aiohttp.ClientSession() as client,
        client.ws_connect(address, max_msg_size=_MESSAGE_BYTES_MAX) as socket,
    ):
        target = await _ask(socket, 1, "Target.createTarget", url="about:blank")
        attached = await _ask(socket, 2, "Target.attachToTarget", targetId=target["targetId"], flatten=True)
        tab = Tab(socket, attached["sessionId"])
        reader = asyncio.create_task(_read(socket, tab))
        try:
            for domain in ("Page", "Runtime", "Network", "Log", "DOM"):
                await tab.call(f"{domain}.enable")
            yield tab
            await socket.send_json({"id": 3, "method": "Target.closeTarget", "params": target})
        finally:
            reader.cancel()
            await asyncio.gather(reader, return_exceptions=True)


def _peak_kib(pid: int) -> int:
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    return int(status.partition("VmHWM:")[2].split()[0])


async def _read(socket: aiohttp.ClientWebSocketResponse, tab: Tab) -> None:
    async for message in socket:
        tab.receive(message.json())


async def _ask(socket: aiohttp.ClientWebSocketResponse, number: int, method: str, **params: object) -> Any:
    await socket.send_json({"id": number, "method": method, "params": params})
    while True:
        message = await socket.receive_json(timeout=_ANSWER_SECONDS)
        if message.get("id") == number:
            return message["result"]
