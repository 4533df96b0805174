"""
An ASGI function that sends the same bytes every time and looks at nothing: the most that an
application gets out of the server we use by ASGI alone. `ANSWER=file uvicorn tests.bench.bare:app`.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

BODY = Path(os.environ["ANSWER"]).read_bytes()
START = {
    "type": "http.response.start",
    "status": 200,
    "headers": [
        (b"content-type", b"application/json"),
        (b"content-length", b"%d" % len(BODY)),
        (b"etag", b'W/"0123456789abcdef01234567"'),
    ],
}


async def app(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "http":
        await send(START)
        await send({"type": "http.response.body", "body": BODY})
