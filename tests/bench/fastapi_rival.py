"""
The gateway a user might write instead: FastAPI that keeps the answer in a dict, or as bytes.

Served by uvicorn: `ANSWER=file uvicorn tests.bench.fastapi_rival:app`.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Response

app = FastAPI()
BYTES = Path(os.environ["ANSWER"]).read_bytes()
CACHED = json.loads(BYTES)


@app.get("/dict", response_model=None)
async def as_dict() -> Any:
    """As one writes it first: FastAPI walks the whole dict for every request."""
    return CACHED


@app.get("/model")
async def as_model() -> dict[str, Any]:
    """With a return type, which lets FastAPI (0.130 and later) leave the walk to pydantic."""
    found: dict[str, Any] = CACHED
    return found


@app.get("/bytes")
async def as_bytes() -> Response:
    return Response(BYTES, media_type="application/json")
