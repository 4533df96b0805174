"""The routes of the API. A trailing slash is optional everywhere."""

from __future__ import annotations

from django.urls import re_path

from aggregator.api import economy, errors, markets, resources, views
from aggregator.api import serializers as s
from aggregator.api.sentiment import AnalyzeView, AssetSentimentQuerySerializer

DATA = [
    ("market", s.MarketQuerySerializer, "Top coins by market capitalisation"),
    ("market/price", s.PriceQuerySerializer, "Spot prices of up to 100 coins"),
    ("market/ohlc", s.OhlcQuerySerializer, "Candles (OHLCV), ascending"),
    ("market/history", s.HistoryQuerySerializer, "Past prices of one coin"),
    ("market/global", s.GlobalQuerySerializer, "Statistics of the whole market"),
    ("market/movers", markets.MoversQuerySerializer, "Who rose or fell most"),
    ("market/trending", markets.TrendingQuerySerializer, "Coins people search for"),
    ("market/consensus", markets.ConsensusQuerySerializer, "One price as all providers see it"),
    ("coins/(?P<id>[^/]+)", s.CoinQuerySerializer, "What a coin is"),
    ("search", s.SearchQuerySerializer, "Coins, shares and indices by symbol or name"),
    ("news", s.NewsQuerySerializer, "News of all feeds, merged, newest first"),
    ("sentiment", s.SentimentQuerySerializer, "Fear and greed index"),
    (
        "sentiment/(?P<symbol>[^/]+)",
        AssetSentimentQuerySerializer,
        "What voters and the news say of one asset",
    ),
    ("gas", s.GasQuerySerializer, "What a transaction costs now"),
    ("economic", economy.SeriesQuerySerializer, "Economic series by words of their title"),
    (
        r"economic/(?P<series>[\s\S]+?)",
        economy.EconomicQuerySerializer,
        "Observations of one series",
    ),
    ("defi/tvl", economy.TvlQuerySerializer, "Value locked by chain, or the past of one"),
]

urlpatterns = [
    # Before `sentiment/{symbol}`.
    re_path(r"^api/sentiment/analyze/?$", AnalyzeView.as_view(), name="analyze"),
    *(
        re_path(
            rf"^api/{route}/?$", views.dataset_view(query, summary), name=query.query.dataset.name
        )
        for route, query, summary in DATA
    ),
    re_path(r"^api/capabilities/?$", views.CapabilitiesView.as_view(), name="capabilities"),
    re_path(r"^api/status/?$", views.StatusView.as_view(), name="status"),
    re_path(r"^api/resources/?$", resources.ResourcesView.as_view(), name="resources"),
    re_path(r"^healthz/?$", views.LivenessView.as_view(), name="healthz"),
    re_path(r"^readyz/?$", views.ReadinessView.as_view(), name="readyz"),
    re_path(r"^api(/[\s\S]*)?$", errors.nothing_here),
]
