"""
A provider of our own for benchmarks and for tests of the running server.

It speaks the two routes of CoinGecko that they need (`/coins/markets`, `/simple/price`; see
https://docs.coingecko.com/v3.0.1/reference/introduction) for as many coins as one likes, and
behaves as the first part of the path says:

    /ok/...          answers at once
    /after-0.3/...   answers after 0.3 seconds
    /hang/...        never answers
    /broken/...      500

`/set/<name>/<behaviour>` makes `/<name>/...` behave like that from now on, and `/calls` tells how
often each name was asked (those under way included), as JSON. It is one process:
`python -m tests.bench.upstream PORT`.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections import Counter
from typing import Any
from urllib.parse import parse_qs, urlsplit

COINS = 300


def symbol(number: int) -> str:
    return f"C{number:03d}"


def market_row(number: int) -> dict[str, Any]:
    price = 60_000.123456 / (number + 1)
    return {
        "id": f"coin-{number}",
        "symbol": symbol(number).lower(),
        "name": f"Coin {number}",
        "current_price": round(price, 6),
        "market_cap": 1_200_000_000_000 // (number + 1),
        "market_cap_rank": number + 1,
        "total_volume": 30_000_000_000 // (number + 1),
        "high_24h": round(price * 1.02, 6),
        "low_24h": round(price * 0.98, 6),
        "price_change_percentage_24h": 1.23456,
        "circulating_supply": 19_000_000 + number,
        "last_updated": "2026-11-21T03:12:09.412Z",
        "price_change_percentage_1h_in_currency": 0.123456,
        "price_change_percentage_7d_in_currency": -3.456789,
    }


def markets(params: dict[str, str]) -> Any:
    size, page = int(params.get("per_page", 100)), int(params.get("page", 1))
    return [market_row(n) for n in range((page - 1) * size, page * size)]


def prices(params: dict[str, str]) -> Any:
    currency = params["vs_currencies"]
    return {
        own: {
            currency: market_row(int(own.rpartition("-")[2]))["current_price"],
            f"{currency}_24h_vol": 12345.67,
            f"{currency}_24h_change": 1.5,
            "last_updated_at": 1795230729,
        }
        for own in params["ids"].split(",")
    }


ROUTES = {"coins/markets": markets, "simple/price": prices}


class Upstream:
    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()
        self.behaviour: dict[str, str] = {}
        self.ready: dict[str, bytes] = {}  # what was answered before: the stub shall cost nothing

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                writer.write(await self.reply(head.split(b" ", 2)[1].decode()))
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            return  # the other side is done
        finally:
            writer.close()

    async def reply(self, target: str) -> bytes:
        parts = urlsplit(target)
        name, _, path = parts.path.lstrip("/").partition("/")
        if name == "calls":
            return _http("200 OK", json.dumps(self.calls).encode())
        if name == "set":
            who, _, self.behaviour[who] = path.partition("/")
            return _http("200 OK", b"{}")
        self.calls[name] += 1
        how, _, seconds = self.behaviour.get(name, name).partition("-")
        if how == "hang":
            await asyncio.sleep(3600)
        if how == "after":
            await asyncio.sleep(float(seconds))
        if how == "broken":
            return _http("500 Internal Server Error", b"{}")
        if path not in ROUTES:
            return _http("404 Not Found", b'{"error":"coin not found"}')
        if target not in self.ready:
            params = {key: values[0] for key, values in parse_qs(parts.query).items()}
            self.ready[target] = _http("200 OK", json.dumps(ROUTES[path](params)).encode())
        return self.ready[target]


def _http(status: str, body: bytes) -> bytes:
    head = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    return head.encode() + b"\r\n" + body


async def main(port: int) -> None:
    server = await asyncio.start_server(Upstream().serve, "127.0.0.1", port, backlog=1024)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
