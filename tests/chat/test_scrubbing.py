from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.scrubbing import scrub


@pytest.mark.parametrize(
    ("said", "left"),
    [
        ("write me at jo.doe+x@mail.example.org please", "write me at <email> please"),
        ("wallet 0x52908400098527886E0F7030069857D2E4169EE7 is empty", "wallet <address> is empty"),
        ("send to bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq", "send to <address>"),
        ("call +49 (0)30 1234567 now", "call <digits> now"),
        ("10.11.12.13:8080 and fe80:0:0:0:1:2:3:4", "<machine> and <machine>"),
        ("my key is sk-made-up-0123456789abcdef", "my key is <key>"),
        ("IBAN DE89 3704 0044 0532 0130 00", "IBAN <account>"),
        ("card 4111 1111 1111 1111", "card <digits>"),
        ("Mein Name ist Jo Doe, was kostet Bitcoin?", "Mein Name ist <name>, was kostet Bitcoin?"),
    ],
)
def test_what_tells_who_wrote_it_is_taken_out(said: str, left: str) -> None:
    assert scrub(said) == left


@pytest.mark.parametrize(
    "said",
    [
        "what is btc worth in usd?",
        "convert 1,250.50 eur to 0.02 btc",
        "price on 2026-11-21 at 10:30",
        "is eth at 2,157.71 a buy? rsi 70.5",
        "between 60000 and 100 000 dollars",
        "inflation 2020-2026",
        "is supercalifragilisticexpialidocious a coin",
    ],
)
def test_figures_and_dates_are_left_alone(said: str) -> None:
    assert scrub(said) == said


@given(st.text(max_size=300))
def test_twice_takes_out_no_more_than_once(said: str) -> None:
    once = scrub(said)
    assert scrub(once) == once
