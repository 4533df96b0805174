"""What an answer looks like on the wire, for programs and for people."""

from __future__ import annotations

import re
import time
from typing import Any

from rest_framework.renderers import BaseRenderer, BrowsableAPIRenderer
from rest_framework.settings import api_settings

from aggregator import curl
from aggregator.answers import Answer
from aggregator.encoding import dumps


class ExactJSONRenderer(BaseRenderer):
    """JSON with every digit; an `Answer` is spliced from its prepared bytes, like at the edge."""

    media_type = "application/json"
    format = "json"
    charset = None
    render_style = "text"

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,
        renderer_context: Any = None,
    ) -> bytes:
        if data is None:
            return b""
        return data.body(time.time()) if isinstance(data, Answer) else dumps(data)


class PeopleRenderer(BrowsableAPIRenderer):
    """DRF's browsable API, with our JSON laid out to be read."""

    format = "api"

    def get_default_renderer(self, view: Any) -> BaseRenderer:
        return _Indented()

    def show_form_for_method(self, view: Any, method: str, request: Any, obj: Any) -> bool:
        return False  # there is nothing to edit

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,
        renderer_context: Any = None,
    ) -> str:
        html: str = super().render(data, accepted_media_type, renderer_context)
        # An error's own type would make a browser save the page instead of showing it.
        renderer_context["response"]["Content-Type"] = f"{self.media_type}; charset={self.charset}"
        return html

    def get_context(
        self, data: Any, accepted_media_type: str | None, renderer_context: Any
    ) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context(data, accepted_media_type, renderer_context)
        url = renderer_context["request"].get_full_path()
        response = renderer_context["response"]
        if response.content_type:
            context["response_headers"]["Content-Type"] = response.content_type
        joint = "&" if "?" in url else "?"
        return {
            **context,
            "plain_url": f"{url}{joint}{api_settings.URL_FORMAT_OVERRIDE}=json",
            "curl": curl.line(renderer_context["request"], url),
        }


class _Indented(ExactJSONRenderer):
    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,
        renderer_context: Any = None,
    ) -> bytes:
        return indented(super().render(data, accepted_media_type, renderer_context))


_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*"|[{}\[\],:]|[^\s{}\[\],:"]+')


def indented(compact: bytes) -> bytes:
    """JSON with two spaces a level, every number digit by digit as it is."""
    out: list[bytes] = []
    level, before = 0, b""
    for token in _TOKEN.findall(compact):
        if token in b"]}":
            level -= 1
        if before in (b"[", b"{", b",") or token in b"]}":
            is_empty = before in (b"[", b"{") and token in b"]}"
            out.append(b"" if is_empty else b"\n" + b"  " * level)
        out.append(b": " if token == b":" else token)
        if token in b"[{":
            level += 1
        before = token
    return b"".join(out)
