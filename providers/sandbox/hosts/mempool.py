"""mempool.space, Bitcoin fees and prices: https://mempool.space/docs/api/rest"""

from __future__ import annotations

from typing import Any, ClassVar

from providers.sandbox.chain import Bitcoin
from providers.sandbox.market import HOUR_S
from providers.sandbox.wire import Host, Reply, Request, route, whole

CURRENCIES = ("USD", "EUR", "GBP", "CAD", "CHF", "AUD", "JPY")


class Mempool(Host):
    names: ClassVar = ("mempool.space",)

    @route("/api/v1/fees/recommended")
    def recommended(self, request: Request) -> Any:
        rates = Bitcoin(self.market.seed).rates(request.now)
        return {name: max(1, round(rate)) for name, rate in rates.items()}

    @route("/api/v1/fees/precise")
    def precise(self, request: Request) -> Any:
        rates = Bitcoin(self.market.seed).rates(request.now)
        return {name: round(rate, 3) for name, rate in rates.items()}

    @route("/api/v1/prices")
    def prices(self, request: Request) -> Any:
        return {"time": int(request.now), **self._prices(request.now, CURRENCIES)}

    @route("/api/v1/historical-price")
    def historical_price(self, request: Request) -> Any:
        moment = whole(request.params.get("timestamp", "")) or int(request.now)
        asked = request.params.get("currency", "")
        if asked and asked not in CURRENCIES:
            return self.failure(400)
        wanted = tuple(dict.fromkeys((asked, "USD"))) if asked else CURRENCIES
        hour = moment - moment % HOUR_S
        prices = self._prices(hour, CURRENCIES)
        rates = {f"USD{c}": round(prices[c] / prices["USD"], 2) for c in wanted if c != "USD"}
        row = {"time": hour, **{currency: prices[currency] for currency in wanted}}
        return {"prices": [row], "exchangeRates": rates}

    @route("/api/blocks/tip/height")
    def height(self, request: Request) -> Any:
        text = str(Bitcoin(self.market.seed).height_at(request.now))
        return Reply(200, text.encode(), "text/plain; charset=utf-8")

    @route("/api/mempool")
    def mempool(self, request: Request) -> Any:
        fastest = Bitcoin(self.market.seed).rates(request.now)["fastestFee"]
        size = int(fastest * 9_000_000)
        return {
            "count": size // 300,
            "vsize": size,
            "total_fee": int(size * 1.4),
            "fee_histogram": [[round(fastest, 3), size // 10], [1.0, size - size // 10]],
        }

    def failure(self, status: int, wait: float | None = None) -> Reply:
        text = "Too Many Requests" if status == 429 else "Service Unavailable"
        return Reply(status, text.encode(), "text/plain; charset=utf-8")

    def _prices(self, moment: float, currencies: tuple[str, ...]) -> dict[str, int]:
        coin = self.market.by_symbol["btc"]
        return {c: round(self.market.price(coin, moment, c.lower())) for c in currencies}
