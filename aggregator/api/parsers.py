"""What a body may be: JSON, of modest size, with every digit and character it came with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import IO, Any

from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser

from aggregator.api.errors import TooLarge
from providers.errors import Garbled
from providers.http import decode

MOST_BYTES = 512 * 1024


class ExactJSONParser(BaseParser):
    """
    The same reader as for what providers send: nothing that is nested without end, no NaN, no
    half of a character makes it stumble.
    """

    media_type = "application/json"

    def parse(
        self,
        stream: IO[bytes],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        body = stream.read(MOST_BYTES + 1)
        if len(body) > MOST_BYTES:
            raise TooLarge(f"A body has at most {MOST_BYTES:,} bytes here.")
        try:
            return decode(body)
        except Garbled as error:
            raise ParseError(f"The body is {error}.") from None
