"""
Errors as programs that know OpenAI's API read them, for what the edge refuses below /v1.

https://platform.openai.com/docs/guides/error-codes
"""

from __future__ import annotations

import json
from typing import Any

from aggregator.api.errors import CONTENT_TYPE
from aggregator.encoding import dumps
from aggregator.wire import Response

_ABOUT_BODY = (b"content-type", b"content-length")


def is_below(path: str) -> bool:
    return path == "/v1" or path.startswith("/v1/")


def error(
    message: str, kind: str, *, code: str | None = None, param: str | None = None
) -> dict[str, Any]:
    return {"error": {"message": message, "type": kind, "param": param, "code": code}}


def retold(response: Response) -> Response:
    """A problem of ours in that shape; whatever else it is, as it is."""
    if dict(response.headers).get(b"content-type") != CONTENT_TYPE.encode():
        return response
    problem = json.loads(response.body)
    kind = "server_error" if response.status >= 500 else "invalid_request_error"
    body = dumps(error(problem["detail"], kind, code=problem["code"]))
    rest = [pair for pair in response.headers if pair[0] not in _ABOUT_BODY]
    own = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    return Response(response.status, [*own, *rest], body)
