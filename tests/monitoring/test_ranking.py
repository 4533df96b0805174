from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils.timezone import now
from hypothesis import given
from hypothesis import strategies as st

from monitoring import readings, roll
from monitoring.ranking import Candidate, get_healthiest_provider, prefer, rank
from providers import roster
from providers.health import Health
from providers.models import Provider
from providers.standing import Status

C = Candidate
HEALTHY, DEGRADED = Status.HEALTHY, Status.DEGRADED


def names(found: list[Candidate]) -> str:
    return "".join(item.name for item in found)


def test_healthy_before_degraded_and_faster_first() -> None:
    found = rank(
        [
            C("d", DEGRADED, 1),
            C("s", HEALTHY, 300),
            C("f", HEALTHY, 100),
            C("n", HEALTHY),
            C("x", Status.DOWN, 1),
            C("u", Status.UNKNOWN, 1),
            C("l", Status.RATE_LIMITED, 1),
        ]
    )
    assert names(found) == "fsnd"


def test_when_nobody_is_well_whoever_may_be_is_asked() -> None:
    others = [C("l", Status.RATE_LIMITED, 1), C("u", Status.UNKNOWN), C("x", Status.DOWN)]
    assert names(rank(others)) == "ul"


@pytest.mark.parametrize(
    "status", [Status.DOWN, Status.MISCONFIGURED, Status.DISABLED, Status.MAINTENANCE]
)
def test_who_is_never_chosen(status: Status) -> None:
    assert rank([C("a", status, 1)]) == []


def test_who_led_stays_until_another_is_clearly_better() -> None:
    def lead(challenger_ms: float, status: Status = HEALTHY) -> str:
        return prefer(rank([C("a", status, 100), C("b", HEALTHY, challenger_ms)]), "a")[0].name

    assert [lead(ms) for ms in (99, 81, 80, 10)] == ["a", "a", "b", "b"]
    assert lead(500, DEGRADED) == "b"
    assert prefer(rank([C("b", HEALTHY, 5)]), "a")[0].name == "b"


candidates = st.lists(
    st.builds(
        C,
        st.text("abcdef", min_size=1, max_size=3),
        st.sampled_from(list(Status)),
        st.one_of(st.none(), st.floats(1, 5000)),
    ),
    unique_by=lambda c: c.name,
    max_size=8,
)


@given(candidates, st.text("abcdef", max_size=3))
def test_the_choice_is_one_of_the_eligible_and_does_not_flap(
    found: list[Candidate], incumbent: str
) -> None:
    ranked = rank(found)
    led = prefer(ranked, incumbent)
    assert sorted(map(repr, led)) == sorted(map(repr, ranked))
    if led:
        assert led[0].tier == ranked[0].tier
        assert prefer(ranked, led[0].name) == led


# -- By the rows -------------------------------------------------------------------------------


def known(slug: str, status: Status, ms: float | None = 100, adapter: str = "binance") -> None:
    Provider.objects.create(slug=slug, title=slug, adapter_name=adapter)
    roster.forget()
    roll.sync()
    Health.objects.filter(name=slug).update(
        status=status.value,
        response_time_ms=ms,
        checked_at=now(),
        fresh_until=now() + timedelta(hours=1),
    )
    readings.forget()


@pytest.mark.django_db
def test_the_healthiest_of_the_catalogue_with_the_reason() -> None:
    known("slow", HEALTHY, 900)
    known("fast", HEALTHY, 120)
    known("poor", DEGRADED, 20)
    known("gone", Status.DOWN)
    choice = get_healthiest_provider()
    assert (choice.name, choice.reason) == ("fast", "healthy, 120 ms")
    assert choice.alternatives == ("slow", "poor")
    Health.objects.filter(name="slow").update(response_time_ms=110)
    readings.forget()
    assert get_healthiest_provider().name == "fast"
    Health.objects.filter(name="slow").update(response_time_ms=50)
    readings.forget()
    assert get_healthiest_provider().name == "slow"


@pytest.mark.django_db
def test_only_those_that_answer_the_dataset() -> None:
    known("fast", HEALTHY, 10)
    known("feeds", HEALTHY, 500, adapter="rss")
    assert get_healthiest_provider(dataset="news").name == "feeds"
    with pytest.raises(ValueError, match="no dataset"):
        get_healthiest_provider(dataset="weather")


@pytest.mark.django_db
def test_nobody_with_the_reason() -> None:
    assert get_healthiest_provider().reason == "no such provider is in the catalogue"
    known("gone", Status.DOWN)
    choice = get_healthiest_provider()
    assert (choice.name, choice.reason) == (None, "nobody can be asked: gone down")
    assert get_healthiest_provider(kind="llm").name is None


@pytest.mark.django_db
def test_who_may_be_well_is_asked_when_nobody_is_known_to_be_and_the_reason_says_so() -> None:
    for status in (Status.MISCONFIGURED, Status.DOWN, Status.MAINTENANCE):
        known(status.value, status, 1)
    known("limited", Status.RATE_LIMITED, 5)
    choice = get_healthiest_provider()
    assert choice.name == "limited"
    assert choice.reason == "nobody is known to be well: rate limited, 5 ms"
    known("unheard", Status.UNKNOWN, None)
    choice = get_healthiest_provider()
    assert (choice.name, choice.reason) == ("unheard", "nobody is known to be well: unknown")
    assert choice.alternatives == ("limited",)
    known("poor", DEGRADED, 3000)
    choice = get_healthiest_provider()
    assert (choice.name, choice.reason, choice.alternatives) == ("poor", "degraded, 3000 ms", ())


@pytest.mark.django_db
def test_a_kind_of_none_is_a_mistake_and_no_outage() -> None:
    with pytest.raises(ValueError, match="no kind is called 'LLM': one of data, llm"):
        get_healthiest_provider(kind="LLM")


@pytest.mark.django_db
def test_a_result_that_is_too_old_is_no_health() -> None:
    known("old", HEALTHY, 10)
    Health.objects.update(fresh_until=now() - timedelta(seconds=1))
    known("new", HEALTHY, 900)
    assert get_healthiest_provider().name == "new"
