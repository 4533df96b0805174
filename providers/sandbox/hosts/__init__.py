"""Everything the sandbox speaks: one file for each provider."""

from __future__ import annotations

from providers.sandbox.hosts.alphavantage import AlphaVantage
from providers.sandbox.hosts.alternative_me import AlternativeMe
from providers.sandbox.hosts.announcements import BinanceAnnouncements
from providers.sandbox.hosts.api_clean import CryptoApiClean
from providers.sandbox.hosts.binance import Binance
from providers.sandbox.hosts.bitfinex import Bitfinex
from providers.sandbox.hosts.bitstamp import Bitstamp
from providers.sandbox.hosts.blockscout import Blockscout
from providers.sandbox.hosts.bulletins import Bulletins
from providers.sandbox.hosts.bybit import Bybit
from providers.sandbox.hosts.coinbase import Coinbase
from providers.sandbox.hosts.coincap import CoinCap
from providers.sandbox.hosts.coindesk_data import CoinDeskData
from providers.sandbox.hosts.coingecko import CoinGecko, CoinGeckoPro
from providers.sandbox.hosts.coinlore import CoinLore
from providers.sandbox.hosts.coinmarketcap import CoinMarketCap
from providers.sandbox.hosts.coinpaprika import CoinPaprika
from providers.sandbox.hosts.cryptocompare import CryptoCompare
from providers.sandbox.hosts.cryptopanic import CryptoPanic
from providers.sandbox.hosts.defillama import LlamaCoins, LlamaTvl
from providers.sandbox.hosts.dt_source import CryptoDtSource
from providers.sandbox.hosts.ethereum import Drpc, EthereumNode, OneRpc
from providers.sandbox.hosts.etherscan import Etherscan
from providers.sandbox.hosts.feeds import CoinDesk, Cointelegraph, Decrypt, TheBlock
from providers.sandbox.hosts.fred import Fred, FredGraph
from providers.sandbox.hosts.gateio import GateIo
from providers.sandbox.hosts.gdelt import Gdelt
from providers.sandbox.hosts.huggingface import HuggingFace
from providers.sandbox.hosts.huggingface_hub import HuggingFaceHub
from providers.sandbox.hosts.kraken import Kraken
from providers.sandbox.hosts.kucoin import KuCoin
from providers.sandbox.hosts.llm_native import AnthropicApi, CohereApi, GeminiApi
from providers.sandbox.hosts.llm_vendors import (
    G4F,
    Cerebras,
    Closed,
    DeepSeek,
    Groq,
    HuggingFaceRouter,
    Mistral,
    Nvidia,
    Ollama,
    OpenAI,
    OpenRouter,
    Together,
    Vllm,
)
from providers.sandbox.hosts.mempool import Mempool
from providers.sandbox.hosts.newsapi import NewsApi
from providers.sandbox.hosts.okx import Okx
from providers.sandbox.hosts.worldbank import WorldBank
from providers.sandbox.hosts.yahoo import Yahoo
from providers.sandbox.wire import Host

# Of two that speak for one host the later one does.
HOSTS: tuple[type[Host], ...] = (
    Bulletins,
    AlphaVantage,
    AlternativeMe,
    Binance,
    BinanceAnnouncements,
    Bitfinex,
    Bitstamp,
    Blockscout,
    Bybit,
    CoinCap,
    CoinDesk,
    CoinDeskData,
    CoinGecko,
    CoinGeckoPro,
    CoinLore,
    CoinMarketCap,
    CoinPaprika,
    Coinbase,
    Cointelegraph,
    CryptoApiClean,
    CryptoCompare,
    CryptoDtSource,
    CryptoPanic,
    Decrypt,
    Drpc,
    EthereumNode,
    Etherscan,
    Fred,
    FredGraph,
    GateIo,
    Gdelt,
    HuggingFace,
    HuggingFaceHub,
    Kraken,
    KuCoin,
    LlamaCoins,
    LlamaTvl,
    Mempool,
    NewsApi,
    Okx,
    OneRpc,
    TheBlock,
    WorldBank,
    Yahoo,
    # Language models.
    AnthropicApi,
    Cerebras,
    Closed,
    CohereApi,
    DeepSeek,
    G4F,
    GeminiApi,
    Groq,
    HuggingFaceRouter,
    Mistral,
    Nvidia,
    Ollama,
    OpenAI,
    OpenRouter,
    Together,
    Vllm,
)

__all__ = ["HOSTS"]
