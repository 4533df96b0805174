from __future__ import annotations

import pytest

from providers import learning
from providers.datasets import Listed
from providers.errors import OutOfTokens
from providers.models import Asset, Listing
from tests.upstreams import Upstreams

pytestmark = pytest.mark.django_db


@pytest.fixture
def bitcoin() -> Asset:
    return Asset.objects.create(slug="bitcoin", symbol="BTC", name="Bitcoin")


def test_a_pair_is_learned_by_its_symbol(bitcoin: Asset) -> None:
    rows = [Listed("BTCUSDT", "BTC", None, "USDT"), Listed("BTCTRY", "BTC", None, "TRY")]
    assert learning.match(rows, [bitcoin]) == {(bitcoin.pk, "USDT"): "BTCUSDT"}


def test_a_coin_id_must_agree_on_the_name(bitcoin: Asset) -> None:
    rows = [Listed("bitcoin", "BTC", "Bitcoin", ""), Listed("batcat", "BTC", "batcat", "")]
    assert learning.match(rows, [bitcoin]) == {(bitcoin.pk, ""): "bitcoin"}


def test_two_ids_that_fit_leave_a_doubt(bitcoin: Asset) -> None:
    rows = [Listed("bitcoin", "BTC", "Bitcoin", ""), Listed("bitcoin-2", "BTC", "BITCOIN", "")]
    assert learning.match(rows, [bitcoin]) == {}


def test_a_symbol_that_two_of_ours_share_is_not_learned_from_a_pair(bitcoin: Asset) -> None:
    other = Asset.objects.create(slug="batcat", symbol="BTC", name="batcat")
    rows = [Listed("BTCUSDT", "BTC", None, "USDT")]
    assert learning.match(rows, [bitcoin, other]) == {}


def test_what_the_provider_says_replaces_what_was_known(bitcoin: Asset) -> None:
    Listing.objects.create(asset=bitcoin, adapter_name="x", quote="", external_id="old")
    learned = learning._keep("x", {(bitcoin.pk, ""): "new", (bitcoin.pk, "USD"): "BTC-USD"})
    assert (learned.new, learned.changed, learned.gone, learned.known) == (1, 1, 0, 0)
    row = Listing.objects.get(adapter_name="x", quote="")
    assert row.external_id == "new"
    assert row.learned_at is not None
    assert learning._keep("x", {(bitcoin.pk, ""): "new"}).known == 1


def listed(quotes: str, asset: Asset) -> None:
    for quote in quotes.split():
        Listing.objects.create(
            asset=asset, adapter_name="x", quote=quote, external_id=f"BTC{quote}"
        )


def test_a_pair_that_is_no_longer_listed_goes(bitcoin: Asset) -> None:
    listed("USD EUR USDT", bitcoin)
    found = {(bitcoin.pk, "USD"): "BTCUSD", (bitcoin.pk, "EUR"): "BTCEUR"}
    assert learning._keep("x", found).gone == 1
    assert set(Listing.objects.values_list("quote", flat=True)) == {"USD", "EUR"}


def test_a_poor_list_takes_nothing_away(bitcoin: Asset) -> None:
    listed("USD EUR USDT", bitcoin)
    assert learning._keep("x", {(bitcoin.pk, "USD"): "BTCUSD"}).gone == 0
    assert Listing.objects.count() == 3


def test_a_list_waits_for_a_moments_rate_limit(upstreams: Upstreams) -> None:
    provider = upstreams.provider("a", limits=[{"limit": 1, "per_s": 10}])
    with provider.guard.admit():
        pass
    waits: list[float] = []

    def sleep(seconds: float) -> None:
        waits.append(seconds)
        provider.guard.reset()

    learning.learn(provider, sleep)
    assert waits == [pytest.approx(10, abs=1)]
    assert [asked.dataset for asked in upstreams.asked] == ["listing"]


def test_a_list_does_not_wait_for_a_days_quota(upstreams: Upstreams) -> None:
    provider = upstreams.provider("a", limits=[{"limit": 1, "per_s": 86400}])
    with provider.guard.admit():
        pass
    with pytest.raises(OutOfTokens):
        learning.learn(provider, sleep=pytest.fail)  # type: ignore[arg-type]
