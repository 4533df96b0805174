"""A question to the API as a line for a shell."""

from __future__ import annotations

import shlex

from django.http import HttpRequest

KEY_VARIABLE = "AGGREGATOR_KEY"


def line(request: HttpRequest, url: str) -> str:
    """
    `url` of this server, as it was reached, asked with the key that the variable holds.

    curl leaves out a header without a value: so where anonymous access is allowed the line also
    works before there is a key.
    """
    address = shlex.quote(request.build_absolute_uri(url))
    return f'curl -H "X-API-Key: ${KEY_VARIABLE}" {address}'
