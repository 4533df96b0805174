"""Bodies of requests, before anybody looks at them."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from aggregator import wire
from providers.errors import Overloaded


class Sender:
    """`receive` of a request whose body comes as it is pushed."""

    def __init__(self) -> None:
        self.messages: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

    def push(self, body: bytes, *, more: bool = True) -> Sender:
        self.messages.put_nowait({"type": "http.request", "body": body, "more_body": more})
        return self

    async def receive(self) -> dict[str, Any]:
        return await self.messages.get()


def test_bodies_that_arrive_at_once_are_bounded_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "MOST_BODIES", 100)

    async def story() -> None:
        slow = Sender().push(b"x" * 80)
        first = asyncio.create_task(wire.body_of(slow.receive))
        await asyncio.sleep(0)
        with pytest.raises(Overloaded):
            await wire.body_of(Sender().push(b"y" * 40).receive)
        assert await wire.body_of(Sender().push(b"z" * 40, more=False).receive) == b"z" * 40
        slow.push(b"x", more=False)
        assert await first == b"x" * 81
        whole = Sender().push(b"y" * 90).push(b"y", more=False)
        assert await wire.body_of(whole.receive) == b"y" * 91

    asyncio.run(story())


def test_half_a_body_is_refused() -> None:
    async def story() -> None:
        sender = Sender().push(b"x=1&y=")
        sender.messages.put_nowait({"type": "http.disconnect"})
        found = await wire.body_of(sender.receive)
        assert isinstance(found, wire.Response)
        assert found.status == 400

    asyncio.run(story())
