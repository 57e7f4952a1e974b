"""Buffers are shared fairly, bounded, and never a reason to wait for ever."""

from __future__ import annotations

import asyncio
import random
from contextlib import ExitStack

import pytest

from ingest.buffers import BUFFER_BYTES, Buffers, Ring


async def test_one_ring_takes_its_share_and_no_more() -> None:
    buffers = Buffers(count_max=16, per_ring_max=3)
    with buffers.ring() as ring:
        held = [await ring.take() for _ in range(3)]
        assert all(len(buffer) == BUFFER_BYTES for buffer in held)
        waiting = asyncio.create_task(ring.take())
        await asyncio.sleep(0)
        assert not waiting.done()
        ring.give_back(held.pop())
        held.append(await waiting)
        for buffer in held:
            ring.give_back(buffer)
        assert ring.held == 0


async def test_buffers_are_used_again() -> None:
    buffers = Buffers(count_max=4, per_ring_max=4)
    with buffers.ring() as ring:
        first = await ring.take()
        ring.give_back(first)
        second = await ring.take()
        assert second is first
        ring.give_back(second)


async def test_a_ring_with_nothing_goes_before_one_with_something() -> None:
    buffers = Buffers(count_max=3, per_ring_max=3)
    with buffers.ring() as greedy, buffers.ring() as late:
        first, second = await greedy.take(), await greedy.take()
        # The last buffer is kept for the ring that has none.
        third = asyncio.create_task(greedy.take())
        await asyncio.sleep(0)
        assert not third.done()
        own = await asyncio.wait_for(late.take(), 1)
        greedy.give_back(first)
        greedy.give_back(await asyncio.wait_for(third, 1))
        greedy.give_back(second)
        late.give_back(own)


async def test_a_ring_that_closes_lets_others_have_more() -> None:
    buffers = Buffers(count_max=2, per_ring_max=2)
    with buffers.ring() as ring:
        with buffers.ring():
            first = await ring.take()
            second = asyncio.create_task(ring.take())
            await asyncio.sleep(0)
            assert not second.done()
        ring.give_back(await asyncio.wait_for(second, 1))
        ring.give_back(first)


async def test_many_in_use_leave_one_to_everybody_and_no_second_one() -> None:
    buffers = Buffers(count_max=4, per_ring_max=4, eager_max=3)
    with buffers.ring() as first, buffers.ring() as second:
        held = [await first.take(), await first.take(), await second.take()]
        assert first.take_now() is None
        with buffers.ring() as third:
            last = third.take_now()
            assert last is not None
            waiting = asyncio.create_task(second.take())
            first.give_back(held.pop(0))
            third.give_back(last)
            second.give_back(await asyncio.wait_for(waiting, 1))
        first.give_back(held.pop(0))
        second.give_back(held.pop())


async def test_a_cancelled_wait_takes_nothing() -> None:
    buffers = Buffers(count_max=1, per_ring_max=1)
    with buffers.ring() as ring:
        buffer = await ring.take()
        waiting = asyncio.create_task(ring.take())
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        ring.give_back(buffer)
        ring.give_back(await asyncio.wait_for(ring.take(), 1))


async def test_more_rings_than_buffers_are_a_bug() -> None:
    buffers = Buffers(count_max=1, per_ring_max=1)
    with buffers.ring(), pytest.raises(RuntimeError), buffers.ring():
        pass


@pytest.mark.parametrize("seed", range(20))
async def test_everybody_finishes_and_the_bound_holds(seed: int) -> None:
    chance = random.Random(seed)
    rings = chance.randint(1, 12)
    count_max, per_ring_max = chance.randint(rings, 16), chance.randint(1, 4)
    buffers = Buffers(count_max=count_max, per_ring_max=per_ring_max)
    in_use = 0
    most = 0

    async def work(ring: Ring) -> None:
        nonlocal in_use, most
        held: list[bytearray] = []
        for _ in range(30):
            if len(held) == per_ring_max or (held and chance.random() < 0.5):
                ring.give_back(held.pop())
                in_use -= 1
            else:
                # Like a pipeline: while one is being filled the others are on their way back.
                for buffer in held:
                    asyncio.get_running_loop().call_soon(ring.give_back, buffer)
                in_use -= len(held)
                held = [await ring.take()]
                in_use += 1
            most = max(most, in_use)
            await asyncio.sleep(0)
        for buffer in held:
            ring.give_back(buffer)
            in_use -= 1

    with ExitStack() as stack:
        opened = [stack.enter_context(buffers.ring()) for _ in range(rings)]
        async with asyncio.timeout(10):
            await asyncio.gather(*(work(ring) for ring in opened))
        assert [ring.held for ring in opened] == [0] * rings
    assert most <= count_max
