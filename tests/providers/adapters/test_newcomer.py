"""A new adapter is one file and one payload: nothing else names it, and the tests find it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from providers import adapters, registry
from tests.providers.adapters import conftest
from tests.providers.adapters import test_offers as offers
from tests.providers.adapters.conftest import Case, cases
from tests.providers.adapters.test_mutants import SHORT, check, mutants

ADAPTER = '''
"""https://newcomer.example/docs"""

from providers.adapters.base import Adapter, positive, text
from providers.datasets import PriceQuery, PriceRow
from providers.registry import register


@register
class Newcomer(Adapter):
    name = "newcomer"
    title = "Newcomer"
    base_url = "https://api.newcomer.example"
    docs_url = "https://newcomer.example/docs"
    offers = (PriceQuery,)
    batch = {"price": 50}

    def price(self, query):
        named = self.named(query.symbols)
        items = self.keyed(self.http.get("/prices", ids=",".join(named)), "id")
        return self.prices(named, items, _row)


def _row(item, symbol, _):
    return PriceRow(symbol, positive(item["last"]), text(item["quote"]))
'''
PAYLOAD = """
[{"id":"btc","last":"77001.10","quote":"USD"},
 {"id":"eth","last":2471.9,"quote":"USD"}]
"""
QUERY = '{"query":{"symbols":["BTC","ETH"]},"listings":{"BTC":{"":"btc"},"ETH":{"":"eth"}}}'


@pytest.fixture
def newcomer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Case]:
    """The adapter as it is found once its file and its payload are there."""
    (tmp_path / "newcomer.py").write_text(ADAPTER)
    payloads = tmp_path / "payloads/newcomer"
    payloads.mkdir(parents=True)
    (payloads / "price.json").write_text(PAYLOAD)
    (payloads / "price.query.json").write_text(QUERY)
    monkeypatch.setattr(adapters, "__path__", [*adapters.__path__, str(tmp_path)])
    monkeypatch.setattr(conftest, "PAYLOADS", tmp_path / "payloads")
    before = set(registry._adapters)
    try:
        (found,) = [case for case in cases() if case.adapter.name not in before]
        yield found
    finally:
        registry._adapters.pop("newcomer", None)
        sys.modules.pop("providers.adapters.newcomer", None)


def test_a_newcomer_is_found_and_read(newcomer: Case) -> None:
    offers.test_every_offer_has_a_payload_that_it_reads(newcomer)
    assert registry.get("newcomer").title == "Newcomer"


def test_its_lies_are_found_out_by_the_same_mutants(newcomer: Case) -> None:
    originals = newcomer.run()[1]
    found = list(mutants(newcomer))
    assert len(found) >= SHORT
    for mutant in found:
        check(mutant, originals)


def test_without_a_payload_the_tests_complain(newcomer: Case, tmp_path: Path) -> None:
    (tmp_path / "payloads/newcomer/price.json").unlink()
    with pytest.raises(AssertionError, match="no payload newcomer/price.json"):
        offers.test_every_offer_has_a_payload_that_it_reads(newcomer)
