"""What holds for every host, and the candles that exchanges share."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import yaml

from providers.sandbox.candles import MONTH, opening, window
from providers.sandbox.hosts.llm_vendors import Closed
from providers.sandbox.market import DAY_S, HOUR_S
from tests.providers.sandbox.asking import NOW, Asker, weekday

PROVIDERS = Path(__file__).resolve().parents[3] / "providers" / "catalogue" / "providers.yaml"
KEY = "sandbox-1"
COINDESK_HOSTS = (
    "min-api.cryptocompare.com",
    "data-api.cryptocompare.com",
    "data-api.coindesk.com",
)


def test_an_unknown_host_is_not_spoken_for(asker: Asker) -> None:
    status, error = asker.refused("https://api.nobody.example/v1/x")
    assert status == 404
    assert error == {"error": "the sandbox does not speak for api.nobody.example"}


# How to send a key to whoever wants one before it looks at the path.
KEYS = {
    "pro-api.coingecko.com": {"x-cg-pro-api-key": KEY},
    "pro-api.coinmarketcap.com": {"x-cmc_pro_api_key": KEY},
    "newsapi.org": {"x-api-key": KEY},
    **dict.fromkeys(COINDESK_HOSTS, {"authorization": f"Apikey {KEY}"}),
    "rest.coincap.io": {"authorization": f"Bearer {KEY}"},
}


@pytest.mark.parametrize("host", Asker().sandbox.hosts)
def test_every_host_has_an_answer_to_an_unknown_path(asker: Asker, host: str) -> None:
    query = {"api.stlouisfed.org": f"?api_key={KEY}", "www.alphavantage.co": f"?apikey={KEY}"}
    url = f"https://{host}/no/such/path/{query.get(host, '')}"
    gone = host in Closed.names
    assert asker.ask(url, headers=KEYS.get(host)).status == (410 if gone else 404)


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("host", Asker().sandbox.hosts)
def test_every_host_can_be_made_to_fail(asker: Asker, host: str, status: int) -> None:
    reply = asker.ask(f"https://{host}/", headers={"x-sandbox-fault": f"status={status}"})
    assert reply.status in (status, 400)


def test_every_provider_of_the_catalogue_is_spoken_for(asker: Asker) -> None:
    """Rows that give no address of their own name it in their adapter: those have tests there."""
    written = yaml.safe_load(PROVIDERS.read_text())["providers"]
    hosts = {urlsplit(row["base_url"]).netloc for row in written if row.get("base_url")}
    assert len(hosts) > 10
    assert hosts <= set(asker.sandbox.hosts)


def test_candles_of_months_and_weeks() -> None:
    march = int(datetime(2026, 3, 1, tzinfo=UTC).timestamp())
    april = int(datetime(2026, 4, 1, tzinfo=UTC).timestamp())
    assert window(MONTH, april - 1, limit=1) == [(march, april)]
    assert weekday(opening(NOW, 7 * DAY_S)) == "Mon"
    assert weekday(opening(NOW, 7 * DAY_S, 0)) == "Thu"
    assert window(HOUR_S, NOW, limit=5, start=NOW + 9999) == []
