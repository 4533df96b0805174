"""The pages for people: home and the data explorer. They work without their scripts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.templatetags.static import static
from django.urls import reverse
from django.views.decorators.http import require_safe

from aggregator import answers, curl, explorer
from aggregator.api import errors
from aggregator.shown import Problem, Shown
from providers import roster
from providers.datasets import (
    GasQuery,
    GlobalQuery,
    MarketQuery,
    MoversQuery,
    NewsQuery,
    PriceQuery,
    Query,
    SentimentQuery,
    TrendingQuery,
)
from providers.overview import providers_now
from providers.standing import Status


def site(request: HttpRequest) -> dict[str, Any]:
    """What every page shows: which version this is, and whether it is the sandbox."""
    return {"sandbox": settings.SANDBOX, "site_version": settings.SPECTACULAR_SETTINGS["VERSION"]}


@dataclass(frozen=True)
class Question:
    """One of the questions the home page shows the answers of; `given` asks it of the API."""

    name: str  # its template: home/<name>.html
    title: str
    query: Query
    given: Mapping[str, str] = field(default_factory=dict)

    @property
    def id(self) -> str:
        return "-".join([self.query.dataset.name, *self.given.values()]).lower()

    @property
    def url(self) -> str:
        return explorer.CHOICES[self.query.dataset.name].url(self.given)

    @property
    def explore(self) -> str:
        """The same question in the explorer."""
        asked = {"dataset": self.query.dataset.name, **self.given, "ask": "1"}
        return f"{reverse('explore')}?{urlencode(asked)}"

    @property
    def template(self) -> str:
        return f"home/{self.name}.html"


QUESTIONS = (
    Question("market", "Top coins", MarketQuery(limit=10), {"limit": "10"}),
    Question("price", "Bitcoin", PriceQuery(("BTC",)), {"symbols": "BTC"}),
    Question("price", "Ether", PriceQuery(("ETH",)), {"symbols": "ETH"}),
    Question("global", "The whole market", GlobalQuery()),
    Question("sentiment", "Fear and greed", SentimentQuery()),
    Question("gas", "Ethereum fees", GasQuery("ethereum"), {"chain": "ethereum"}),
    Question("gas", "Bitcoin fees", GasQuery("bitcoin"), {"chain": "bitcoin"}),
    Question("movers", "Gainers of the day", MoversQuery(limit=5), {"limit": "5"}),
    Question("trending", "Searched for", TrendingQuery()),
    Question("news", "Headlines", NewsQuery(limit=8), {"limit": "8"}),
)


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """What the shelf has at this moment: nobody is asked, so nothing can hang."""
    if not explorer.may_look(request):
        return render(request, "home.html", {"needs_key": True})
    found = answers.find_many([question.query for question in QUESTIONS])
    cards = {
        question.id: (question, Shown.of(answer) if answer else None)
        for question, answer in zip(QUESTIONS, found, strict=True)
    }
    providers = providers_now()
    return render(
        request,
        "home.html",
        {
            "cards": list(cards.values()),
            "asked": [item for item in providers if item.status is not Status.DISABLED],
            "idle": [item for item in providers if item.status is Status.DISABLED],
            "curl": curl.line(request, reverse("market") + "?limit=3"),
        },
    )


@require_safe
def explore(request: HttpRequest) -> HttpResponse:
    """A form for one dataset, and below it the answer when it was sent (`ask`)."""
    sent = request.GET.dict().items()
    given = {name: said for name, value in sent if (said := str(value).strip())}
    choice = explorer.CHOICES.get(given.pop("dataset", "market"))
    if choice is None:
        return redirect("explore")
    found = explorer.ask(request, choice, given) if given.pop("ask", "") else None
    wrong = found.body.get("errors", {}) if isinstance(found, Problem) else {}
    url, fields = choice.url(given), choice.fields(given, wrong)
    return render(
        request,
        "explore.html",
        {
            "choices": explorer.CHOICES.values(),
            "choice": choice,
            "fields": fields,
            "symbols": roster.symbols() if any(f.is_symbol for f in fields) else {},
            "shown": found if isinstance(found, Shown) else None,
            "problem": found if isinstance(found, Problem) else None,
            "url": url,
            "curl": curl.line(request, url) if url else "",
            "key_variable": curl.KEY_VARIABLE,
            "anonymous": settings.ANONYMOUS_PER_MINUTE if settings.ANONYMOUS_ACCESS else None,
        },
    )


def to_admin(request: HttpRequest) -> HttpResponse:
    return redirect("admin:index")


def favicon(request: HttpRequest) -> HttpResponse:
    """Where browsers look for an icon when a page, such as an answer in JSON, names none."""
    return redirect(static("favicon.svg"))


def broken(request: HttpRequest) -> HttpResponseBase:
    """Django's handler500: a page for people, the shape of every error for programs."""
    if request.path.startswith("/api/"):
        return errors.plain(500, "error", "It has been logged.")
    return render(request, "500.html", status=500)


def malformed(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    """Django's handler400, alike."""
    if request.path.startswith("/api/"):
        return errors.plain(400, "bad_request", _why(exception))
    return render(request, "400.html", status=400)


def _why(exception: Exception) -> str:
    """What is known of a request that never reached a view: most often a proxy's other name."""
    if isinstance(exception, DisallowedHost):
        return "The name it was sent to (Host) is none of this installation's: see ALLOWED_HOSTS."
    return "The request could not be read."
