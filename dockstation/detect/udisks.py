"""udisks2: mounts and unmounts what people plug in, over D-Bus (https://storaged.org/doc/udisks2-api/latest/).

The agent runs without privileges; udisks mounts for it, at a place of its choosing. Always `nosuid,nodev,noexec`, and
read-only unless files are to be removed; that it is read-only is looked at again in the file system itself. A volume
that is mounted already is taken as it is when it is mounted read-only (an agent that was killed left it so), and
mounted anew when it is not. Nobody is asked for a password. Every call has an end.
"""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from dockstation.errors import DetectionMissing, MountFailed

if TYPE_CHECKING:
    from dbus_fast.aio import MessageBus

CALL_SECONDS = 60.0
"""Longest wait for one answer: a large FAT card with an unclean mark takes half a minute to mount."""

_SERVICE = "org.freedesktop.UDisks2"
_MANAGER = "/org/freedesktop/UDisks2/Manager"
_OPTIONS = "nosuid,nodev,noexec"


class Disks(Protocol):
    """Who mounts."""

    async def mount(self, node: str, *, read_only: bool) -> Path:
        """Mount the volume of a device node and return where.

        Raises:
            MountFailed: It cannot be mounted so.
        """

    async def unmount(self, node: str) -> None:
        """Unmount it everywhere; a volume that is not mounted is as it should be.

        Raises:
            MountFailed: Somebody uses it.
        """

    async def eject(self, node: str) -> None:
        """Tell the drive to let go of its medium.

        Raises:
            MountFailed: It does not.
        """

    async def close(self) -> None:
        """Let go of whoever mounts."""


class UDisks:
    """udisks2 on the system bus; connected at the first call, and again after the bus went away."""

    def __init__(self) -> None:
        try:
            import dbus_fast.aio
        except ImportError as error:
            raise DetectionMissing("USB recorders cannot be mounted: pip install 'shilu[usb]'") from error
        self._dbus = dbus_fast
        self._bus: MessageBus | None = None
        self._connecting = asyncio.Lock()

    async def mount(self, node: str, *, read_only: bool) -> Path:
        """See `Disks`."""
        path = await self._resolve(node)
        for place in await self._mount_points(path):
            if read_only and _is_read_only(place):
                return place
            await self._call(path, "Filesystem", "Unmount", "a{sv}", [self._options()])
        access = "ro" if read_only else "rw"
        options = self._options(options=self._dbus.Variant("s", f"{access},{_OPTIONS}"))
        (where,) = await self._call(path, "Filesystem", "Mount", "a{sv}", [options])
        place = Path(os.fsdecode(where))
        if read_only and not _is_read_only(place):
            await self._call(path, "Filesystem", "Unmount", "a{sv}", [self._options()])
            raise MountFailed(f"{node} was to be mounted read-only and was not")
        return place

    async def unmount(self, node: str) -> None:
        """See `Disks`."""
        path = await self._resolve(node)
        for _ in await self._mount_points(path):
            await self._call(path, "Filesystem", "Unmount", "a{sv}", [self._options()])

    async def eject(self, node: str) -> None:
        """See `Disks`."""
        drive = await self._property(await self._resolve(node), "Block", "Drive")
        if drive != "/":
            await self._call(drive, "Drive", "Eject", "a{sv}", [self._options()])

    async def close(self) -> None:
        """Hang up."""
        if self._bus is not None:
            self._bus.disconnect()

    async def _resolve(self, node: str) -> str:
        devices = {"path": self._dbus.Variant("s", node)}
        (paths,) = await self._call(_MANAGER, "Manager", "ResolveDevice", "a{sv}a{sv}", [devices, self._options()])
        if not paths:
            raise MountFailed(f"udisks2 does not know {node}")
        return str(paths[0])

    async def _mount_points(self, path: str) -> list[Path]:
        places = await self._property(path, "Filesystem", "MountPoints")
        return [Path(os.fsdecode(bytes(place).rstrip(b"\0"))) for place in places]

    async def _property(self, path: str, interface: str, name: str) -> Any:
        body = [f"{_SERVICE}.{interface}", name]
        (value,) = await self._call(path, None, "Get", "ss", body)
        return value.value

    def _options(self, **more: Any) -> dict[str, Any]:
        return {"auth.no_user_interaction": self._dbus.Variant("b", True), **more}  # noqa: FBT003 - a D-Bus value

    async def _call(self, path: str, interface: str | None, member: str, signature: str, body: list[Any]) -> list[Any]:
        """Call a method of udisks2, of its properties when `interface` is None.

        Raises:
            MountFailed: It refused, did not answer, or is not there.
        """
        message = self._dbus.Message(
            destination=_SERVICE,
            path=path,
            interface="org.freedesktop.DBus.Properties" if interface is None else f"{_SERVICE}.{interface}",
            member=member,
            signature=signature,
            body=body,
        )
        try:
            async with asyncio.timeout(CALL_SECONDS):
                reply = await (await self._connected()).call(message)
        except (OSError, EOFError, TimeoutError, self._dbus.DBusError, self._dbus.InvalidAddressError) as error:
            raise MountFailed(f"udisks2 does not answer: {type(error).__name__} {error}".rstrip()) from error
        if reply is None:
            raise MountFailed("udisks2 hung up")
        if reply.message_type is self._dbus.MessageType.ERROR:
            raise MountFailed(f"{(reply.error_name or '').rpartition('.')[2]}: {' '.join(map(str, reply.body))}")
        return list(reply.body)

    async def _connected(self) -> MessageBus:
        async with self._connecting:
            if self._bus is None or not self._bus.connected:
                from dbus_fast.aio import MessageBus

                self._bus = await MessageBus(bus_type=self._dbus.BusType.SYSTEM).connect()
            return self._bus


def _is_read_only(place: Path) -> bool:
    try:
        return bool(os.statvfs(place).f_flag & os.ST_RDONLY)
    except OSError:
        return False
