"""GET /api/sentiment/{symbol}: votes and news, each from where it is known, and null without."""

from __future__ import annotations

import threading
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from aggregator import answers, moods
from aggregator.encoding import encode, load
from providers.datasets import AssetSentiment, AssetSentimentQuery, Coin
from providers.models import Asset, Provider
from tests.aggregator.visitors import age, get
from tests.conftest import while_refreshing
from tests.upstreams import NOON, Asked, Said, Upstreams, article, assets, rows, status, usual

transaction = pytest.mark.django_db(transaction=True)
PATH = "/api/sentiment/btc"
HEADLINES = ("Bitcoin surges to a record high", "Bitcoin plunges after exchange hack", "On Bitcoin")


def coin(up: str | None = "81.2", down: str | None = "18.8") -> Coin:
    blank: dict[str, Any] = dict.fromkeys(Coin._fields)
    up_percent, down_percent = (Decimal(n) if n else None for n in (up, down))
    said = {"id": "bitcoin", "symbol": "BTC", "name": "Bitcoin", "categories": (), "platforms": {}}
    votes = {"votes_up_percent": up_percent, "votes_down_percent": down_percent}
    return Coin(**blank | said | votes)


def told(asked: Asked) -> Said:
    """What both upstreams say: one coin with votes, three articles about it and one about none."""
    match asked.dataset:
        case "coin":
            return rows([coin()])
        case "news":
            moments = [NOON + timedelta(hours=n) for n in range(3)]
            about = [article(t, at=at) for t, at in zip(HEADLINES, moments, strict=True)]
            return rows([*about, article("Tokens surge")])
    return usual(asked)


def only(dataset: str, otherwise: Any) -> Any:
    """
    Says what is told of a dataset, and does otherwise with the rest: not before it was asked, or
    the circuit would be open by then.
    """
    came = threading.Event()

    def answer(asked: Any) -> Any:
        if asked.dataset == dataset:
            came.set()
            return told(asked)
        came.wait(1.5)
        return otherwise(asked)

    return answer


@pytest.fixture
def alpha(upstreams: Upstreams) -> Upstreams:
    assets("BTC", "ETH")
    Asset.objects.filter(symbol="BTC").update(slug="bitcoin", name="Bitcoin")
    upstreams.provider("alpha", min_fresh_s=300)
    upstreams.play["alpha"] = told
    return upstreams


@transaction
def test_votes_and_news_of_one_asset(alpha: Upstreams) -> None:
    found = get(PATH)
    (row,) = found.body["data"]
    assert row["symbol"] == "BTC"
    assert (row["votes"]["up_percent"], row["votes"]["down_percent"]) == (81.2, 18.8)
    assert row["votes"]["source"] == "alpha"
    news = row["news"]
    assert (news["articles"], news["bullish"], news["neutral"], news["bearish"]) == (3, 1, 1, 1)
    assert news["methods"] == {"lexicon": 3}
    assert news["since"] == "2026-05-18T12:00:00Z"
    assert [one["title"] for one in news["newest"]] == list(reversed(HEADLINES))
    scores = [one["score"] for one in news["newest"]]
    assert news["score"] == pytest.approx(sum(scores) / 3, abs=0.001)
    assert found.meta["source"] == "alpha"
    assert "missing" not in found.meta
    assert {part["rows"] for part in found.meta["sources"]} == {1, 4}
    assert all(part["fetched_at"] for part in found.meta["sources"])


@transaction
def test_it_is_shelved_and_costs_nothing_again(alpha: Upstreams) -> None:
    first = get(PATH)
    again = get("/api/sentiment/Bitcoin")
    assert (first.meta["cache"], again.meta["cache"]) == ("miss", "hit")
    assert again.body["data"] == first.body["data"]
    answers.board.clear()
    assert get(PATH).body["data"] == first.body["data"], "off the shared shelf as well"
    assert sorted(asked.dataset for asked in alpha.asked) == ["coin", "news"]


@transaction
def test_it_is_made_of_what_others_asked_for(alpha: Upstreams) -> None:
    get("/api/coins/bitcoin")
    get("/api/news")
    get(PATH)
    assert len(alpha.asked) == 2


@transaction
@pytest.mark.parametrize(("half", "missing"), [("coin", "news"), ("news", "votes")])
def test_one_half_that_fails_is_null_and_named(alpha: Upstreams, half: str, missing: str) -> None:
    alpha.play["alpha"] = only(half, status(503))
    found = get(PATH)
    (row,) = found.body["data"]
    assert row[missing] is None
    assert row[{"news": "votes", "votes": "news"}[missing]] is not None
    assert found.meta["missing"] == [{"symbol": "BTC", "part": missing, "reason": "unanswered"}]
    assert found.attempts == [("alpha", "broken")]
    assert found.meta["fresh_for_s"] <= moods.AGAIN_S


@transaction
def test_a_half_that_is_back_is_there_again(alpha: Upstreams) -> None:
    alpha.play["alpha"] = only("news", status(503))
    get(PATH)
    alpha.play["alpha"] = told
    Provider.objects.get(slug="alpha").guard.reset()
    age(moods.AGAIN_S + 1)
    assert get(PATH).meta["cache"] == "refreshing"
    while_refreshing()
    found = get(PATH)
    assert found.body["data"][0]["votes"]
    assert "missing" not in found.meta


@transaction
def test_when_both_halves_fail_everybody_is_named(alpha: Upstreams) -> None:
    alpha.play["alpha"] = status(503)
    found = get(PATH)
    assert (found.status, found.body["code"]) == (503, "unanswered")
    assert found.attempts[0] == ("alpha", "broken")


@transaction
def test_a_coin_without_votes_has_none_and_nothing_is_missing(alpha: Upstreams) -> None:
    alpha.play["alpha"] = lambda a: rows([coin(None, None)]) if a.dataset == "coin" else told(a)
    found = get(PATH)
    assert found.body["data"][0]["votes"] is None
    assert "missing" not in found.meta


@transaction
def test_a_coin_that_nobody_knows_has_no_votes_and_is_asked_for_no_sooner(
    alpha: Upstreams,
) -> None:
    alpha.play["alpha"] = only("news", status(404))
    found = get(PATH)
    assert found.body["data"][0]["votes"] is None
    assert found.meta["missing"][0]["reason"] == "not_found"
    assert found.meta["fresh_for_s"] > moods.AGAIN_S


@transaction
def test_an_asset_without_news_has_no_mean(alpha: Upstreams) -> None:
    news = get("/api/sentiment/eth").body["data"][0]["news"]
    assert (news["articles"], news["score"], news["since"], news["newest"]) == (0, None, None, [])


@transaction
def test_old_halves_are_refreshed_together(alpha: Upstreams) -> None:
    get(PATH)
    age(4000)
    assert get(PATH).meta["cache"] == "refreshing"
    while_refreshing()
    found = get(PATH)
    assert found.meta["cache"] == "hit"
    assert found.meta["age_s"] < 60
    assert len(alpha.asked) == 4


@transaction
def test_what_votes_there_were_is_better_than_none(alpha: Upstreams) -> None:
    get(PATH)
    age(4000)
    alpha.play["alpha"] = status(503)
    get(PATH)
    while_refreshing()
    found = get(PATH)
    assert found.body["data"][0]["votes"]["up_percent"] == 81.2
    assert found.meta["stale"] is True
    assert found.meta["age_s"] >= 4000
    assert ("alpha", "broken") in found.attempts


@pytest.mark.django_db
@pytest.mark.parametrize("symbol", ["NOPE", "' OR 1=1 --", "{{7*7}}", "ВТС", "🚀", "a" * 64])
def test_an_unknown_symbol_is_a_404(client: Client, symbol: str) -> None:
    response = client.get(f"/api/sentiment/{symbol}")
    assert response.status_code == 404
    assert response.json()["code"] == "not_found"


@pytest.mark.django_db
def test_a_strange_parameter_is_named(client: Client) -> None:
    assets("BTC")
    response = client.get("/api/sentiment/BTC?days=3")
    assert response.status_code == 400
    assert list(response.json()["errors"]) == ["days"]


# -- What the news say: pure -----------------------------------------------------------------

tones = st.builds(
    lambda label, score: {"label": label, "score": score, "method": "lexicon"},
    st.sampled_from(["bullish", "neutral", "bearish"]),
    st.floats(-1, 1).map(lambda x: round(x, 3)),
)
articles = st.lists(
    st.builds(
        lambda n, tone: article(f"Title {n}", at=NOON + timedelta(hours=n))._replace(
            sentiment=tone
        ),
        st.integers(0, 99),
        st.none() | tones,
    ),
    max_size=12,
)


@hypothesis_settings(max_examples=60)
@given(found=articles)
def test_a_mood_adds_up(found: Any) -> None:
    mood = moods.mood_of(found, NOON)
    read = [one for one in found if one.sentiment]
    assert mood.articles == len(read) == mood.bullish + mood.neutral + mood.bearish
    assert mood.articles == sum(mood.methods.values())
    assert len(mood.newest) == min(len(read), moods.NEWEST)
    if read:
        scores = [one.sentiment["score"] for one in read]
        assert mood.score is not None
        assert min(scores) - 0.001 <= mood.score <= max(scores) + 0.001
    else:
        assert mood.score is None


@hypothesis_settings(max_examples=30)
@given(found=articles)
def test_a_row_comes_off_the_shelf_as_it_was_put_there(found: Any) -> None:
    row = AssetSentiment("BTC", None, moods.mood_of(found, NOON))
    assert load(AssetSentimentQuery.record, encode([row])) == [row]
