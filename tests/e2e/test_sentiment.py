"""What texts, votes and news say, through the public door and before a sandbox that goes wrong."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils.timezone import now

from providers import roster, standins
from providers.aimodels import AiModel
from providers.models import Call, Credential, Provider
from tests.conftest import while_refreshing
from tests.e2e.world import SHORT_S, Said, Witness, World, numbers

PATH = "/api/sentiment/analyze"
GOOD, BAD = "Bitcoin climbs to a record high", "Exchange halts after a hack"
SLUG = "huggingface"
FEEDS = {"coindesk_rss", "cointelegraph_rss", "decrypt_rss", "theblock_rss"}


def analyze(world: World, *texts: str) -> Said:
    return world.post(PATH, {"texts": texts or (GOOD, BAD)})


@pytest.fixture
def model(world: World) -> World:
    """With a token that the sandbox accepts."""
    world.give_key(SLUG, "sandbox-of-mine")
    return world


# -- Texts -----------------------------------------------------------------------------------


def test_without_a_token_no_text_leaves_the_machine(world: World) -> None:
    said = analyze(world)
    assert [row["method"] for row in said.data] == ["lexicon", "lexicon"]
    assert [row["label"] for row in said.data] == ["bullish", "bearish"]
    assert (said.meta["fallback"], said.meta["attempts"]) == (None, [])
    assert said.meta["sandbox"] is True
    assert world.asked(SLUG) == 0


def test_with_a_token_a_model_reads_and_is_named(model: World, witness: Witness) -> None:
    said = analyze(model)
    for row, label in zip(said.data, ("bullish", "bearish"), strict=True):
        assert row["label"] == label
        assert (row["method"], row["model"]) == ("huggingface", "ProsusAI/finbert")
        heads = {round(n, 4) for n in witness.numbers("router.huggingface.co")}
        assert round(row["confidence"], 4) in heads
    assert (said.meta["source"], said.meta["fallback"]) == (SLUG, None)
    assert model.calls() == [(SLUG, "ok")]
    assert model.asked(SLUG) == 1


def test_one_text_is_enough(model: World) -> None:
    (row,) = model.post(PATH, {"text": BAD}).data
    assert (row["label"], row["method"]) == ("bearish", "huggingface")


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("kk08/CryptoBERT", "bullish"),
        ("StephanAkkerman/FinTwitBERT-sentiment", "bullish"),
        ("nlptown/bert-base-multilingual-uncased-sentiment", "bullish"),
        ("distilbert/distilbert-base-uncased-finetuned-sst-2-english", "bullish"),
    ],
)
def test_models_that_label_otherwise_mean_the_same(
    model: World, settings: Any, name: str, label: str
) -> None:
    settings.SENTIMENT_MODEL = name
    (row,) = analyze(model, GOOD).data
    assert (row["label"], row["model"]) == (label, name)
    assert row["score"] > 0


FAULTS = [
    ("status=503", "loading"),
    ("status=401", "no_key"),
    ("status=402", "throttled"),
    ("status=403", "plan_limit"),
    ("status=404", "unserved"),
    ("status=410", "broken"),  # says that its address has moved
    ("status=429", "throttled"),
    ("status=500", "model_failed"),
    ("status=451", "blocked"),
    ("hang", "timed_out"),
    ("reset", "unreachable"),
    ("malformed", "garbled"),
    ("html", "garbled"),
    ("types", "garbled"),
    ("truncate", "garbled"),
    ("redirect=https://example.org/", "garbled"),
]


@pytest.mark.parametrize(("fault", "reason"), FAULTS, ids=[fault for fault, _ in FAULTS])
def test_whatever_the_model_does_the_texts_are_read(model: World, fault: str, reason: str) -> None:
    model.spoil(SLUG, fault)
    said = analyze(model)
    assert [row["label"] for row in said.data] == ["bullish", "bearish"]
    assert {row["method"] for row in said.data} == {"lexicon"}
    assert said.meta["source"] == "lexicon"
    assert said.outcomes == {SLUG: reason}
    fallback = said.meta["fallback"]
    assert (fallback["method"], fallback["reason"]) == (SLUG, reason)
    assert fallback["detail"]
    if fault == "hang":
        assert said.attempts[SLUG]["ms"] < SHORT_S * 1000 + 1500


def test_a_model_that_is_loading_is_asked_again_and_is_no_outage(model: World) -> None:
    model.spoil(SLUG, "status=503", times=1)
    said = analyze(model)
    assert said.attempts[SLUG]["wait_s"] == 20
    assert model.status(SLUG)["status"] != "down"
    assert analyze(model).meta["source"] == SLUG


def test_a_token_that_is_refused_is_set_aside_alone(model: World) -> None:
    Credential.objects.all().delete()
    model.give_key(SLUG, "hf_somebody_elses")
    assert analyze(model).meta["fallback"]["reason"] == "no_key"
    assert Credential.objects.get().set_aside_at
    assert model.asked(SLUG) == 1
    analyze(model)
    assert model.asked(SLUG) == 1, "it is not tried again"
    Credential.objects.all().delete()
    model.give_key(SLUG, "sandbox-of-mine")
    assert analyze(model).meta["source"] == SLUG


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("openai-community/gpt2", "unserved"),
        ("finiteautomata/bertweet-base-sentiment-analysis", "unserved"),
        ("meta-llama/Llama-Guard-3-1B", "plan_limit"),
        ("nobody/knows-it", "unserved"),
    ],
)
def test_a_model_that_is_not_served_is_no_fault_of_the_provider(
    model: World, settings: Any, name: str, reason: str
) -> None:
    settings.SENTIMENT_MODEL = name
    assert analyze(model).meta["fallback"]["reason"] == reason
    settings.SENTIMENT_MODEL = "ProsusAI/finbert"
    assert analyze(model).meta["source"] == SLUG


def test_no_word_of_a_text_is_written_down(model: World, caplog: pytest.LogCaptureFixture) -> None:
    for fault in (None, "status=500", "html"):
        if fault:
            model.spoil(SLUG, fault)
        analyze(model, "my xyzzy plan climbs")
    assert model.calls()
    assert "xyzzy" not in caplog.text
    assert not any("xyzzy" in call.detail for call in Call.objects.all())


def test_switched_off_it_is_not_asked(model: World) -> None:
    Provider.objects.filter(slug=SLUG).update(enabled=False)
    roster.forget()
    assert analyze(model).meta["source"] == "lexicon"
    assert model.asked(SLUG) == 0


# -- One asset -------------------------------------------------------------------------------


def test_the_mood_of_a_coin_is_what_voters_and_feeds_said(world: World, witness: Witness) -> None:
    said = world.get("/api/sentiment/bitcoin")
    (row,) = said.data
    votes = row["votes"]
    assert votes["source"] == "coingecko_free"
    assert numbers([votes["up_percent"], votes["down_percent"]]) <= witness.numbers(
        world.host("coingecko_free")
    )
    articles = world.get("/api/news?symbol=BTC&limit=250").data
    labels = [article["sentiment"]["label"] for article in articles]
    news = row["news"]
    assert news["articles"] == len(articles) > 0
    for label in ("bullish", "neutral", "bearish"):
        assert news[label] == labels.count(label)
    assert [one["id"] for one in news["newest"]] == [article["id"] for article in articles[:5]]
    assert {part["source"] for part in said.meta["sources"]} == {"coingecko_free", *FEEDS}


def test_without_voters_there_are_news_and_without_news_votes(world: World) -> None:
    world.only("coingecko_free", *FEEDS)
    world.spoil("coingecko_free", "status=500")
    said = world.get("/api/sentiment/ETH")
    assert said.data[0]["votes"] is None
    assert said.data[0]["news"]
    assert said.meta["missing"] == [{"symbol": "ETH", "part": "votes", "reason": "unanswered"}]
    assert said.outcomes == {"coingecko_free": "broken"}
    world.begin_again()
    for feed in FEEDS:
        world.spoil(feed, "html")
    said = world.get("/api/sentiment/ETH")
    assert said.data[0]["news"] is None
    assert said.data[0]["votes"]["up_percent"] > 0
    assert set(said.outcomes) == FEEDS


def test_with_nobody_left_it_is_a_503_that_names_all_and_then_an_old_answer(world: World) -> None:
    world.only("coingecko_free", *FEEDS)
    before = world.get("/api/sentiment/BTC").data
    for slug in ("coingecko_free", *FEEDS):
        world.spoil(slug, "status=500")
    world.age(4000)
    assert world.get("/api/sentiment/BTC").data == before
    while_refreshing()
    assert world.get("/api/sentiment/BTC").meta["stale"] is True
    world.empty_the_shelf()
    said = world.get("/api/sentiment/BTC")
    assert said.status == 503
    assert set(said.attempts) == {"coingecko_free", *FEEDS}


# -- Stand-ins ---------------------------------------------------------------------------------

FINBERT = "ProsusAI/finbert"
NEXT = "mrm8488/distilroberta-finetuned-financial-news-sentiment-analysis"


@pytest.mark.parametrize(
    ("fault", "reason"),
    [("status=503", "loading"), ("status=404", "unserved"), ("status=500", "model_failed")],
)
def test_another_model_stands_in_for_one_that_fails(model: World, fault: str, reason: str) -> None:
    model.spoil(SLUG, fault, path=f"/hf-inference/models/{FINBERT}")
    said = analyze(model)
    assert [row["label"] for row in said.data] == ["bullish", "bearish"]
    assert {(row["method"], row["model"]) for row in said.data} == {("huggingface", NEXT)}
    fallback = said.meta["fallback"]
    assert (fallback["model"], fallback["reason"]) == (FINBERT, reason)
    assert [a["outcome"] for a in said.meta["attempts"]] == [reason]


def test_one_that_the_scan_found_out_is_not_even_asked(model: World) -> None:
    fresh = now() + timedelta(minutes=5)
    AiModel.objects.filter(model_id=FINBERT).update(
        status="unserved", reason="nobody runs it there", fresh_until=fresh
    )
    said = analyze(model)
    assert {row["model"] for row in said.data} == {NEXT}
    assert said.meta["fallback"] == {
        "method": "huggingface",
        "model": FINBERT,
        "reason": "unserved",
        "detail": f"{FINBERT}: nobody runs it there",
    }
    assert model.asked(SLUG) == 1
    AiModel.objects.update(fresh_until=now())
    standins.forget()
    assert analyze(model).data[0]["model"] == FINBERT, "what is old says nothing"


def test_labels_that_an_operator_describes_are_read_so(model: World, settings: Any) -> None:
    AiModel.objects.filter(model_id=FINBERT).update(
        labels=[["positive", "bearish"], ["negative", "bullish"], ["neutral", "neutral"]]
    )
    assert [row["label"] for row in analyze(model).data] == ["bearish", "bullish"]
