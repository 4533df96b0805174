"""The page of the whole catalogue: a form, and below it what matches. It asks nobody."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe
from rest_framework.exceptions import ValidationError

from aggregator import explorer
from aggregator.api.resources import ASKED, ResourcesQuerySerializer
from providers import known
from providers.known import Known
from providers.resources import Flag, Source
from providers.standing import Status


@dataclass(frozen=True)
class Choice:
    """A select of the form: value and words of each option."""

    name: str
    label: str
    value: str
    options: Sequence[tuple[str, str]]


@require_safe
def page(request: HttpRequest) -> HttpResponse:
    if not explorer.may_look(request):
        return render(request, "resources.html", {"needs_key": True})
    sent = request.GET.dict().items()
    given = {name: said for name, value in sent if (said := str(value).strip())}
    entries = known.everything()
    asked = ResourcesQuerySerializer(data=given)
    try:
        found = asked.chosen(entries)
    except ValidationError as error:
        context = {"wrong": _complaints(error), **_form(given, entries)}
        return render(request, "resources.html", context, status=400)
    number, pages = asked.validated_data["page"], max(1, asked.pages(found))
    return render(
        request,
        "resources.html",
        {
            **_form(given, entries),
            "entries": asked.page_of(found),
            "total": len(found),
            "by_category": known.count(entry.category for entry in found),
            "page": number,
            "pages": pages,
            "before": _address(given, page=number - 1) if 1 < number <= pages else "",
            "after": _address(given, page=number + 1) if number < pages else "",
            "api": reverse("resources") + (f"?{urlencode(given)}" if given else ""),
        },
    )


def _form(given: Mapping[str, str], entries: Sequence[Known]) -> dict[str, Any]:
    categories = sorted({entry.category for entry in entries})
    options = {
        "category": ("Category", [(name, name) for name in categories]),
        "source": ("Named by", Source.choices),
        "status": ("Status", [(s.value, s.value.replace("_", " ")) for s in Status]),
        "flag": ("Flag", [(value, value.replace("_", " ")) for value in Flag.values]),
    }
    choices = [
        Choice(name, label, given.get(name, ""), offered)
        for name, (label, offered) in options.items()
    ]
    return {
        "q": given.get("q", ""),
        "choices": choices,
        "filtered": any(name in given for name in ASKED),
    }


def _complaints(error: ValidationError) -> list[str]:
    fields = error.detail.items() if isinstance(error.detail, dict) else ()
    return [f"{name}: {said}" for name, texts in fields for said in texts]


def _address(given: Mapping[str, str], **more: Any) -> str:
    return f"?{urlencode({**given, **more})}"
