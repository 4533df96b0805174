"""
A question without what is personal in it, before anybody learns from it.

Addresses of people and machines, wallets and transactions, accounts, keys, and long numbers become
a word in angle brackets. Names of people cannot be told from names of coins, but where somebody
says his own; so a reviewer looks at every text. Pure.
"""

from __future__ import annotations

import re

# What is found first is gone for those that follow.
_PERSONAL = (
    ("link", re.compile(r"(?:https?://|www\.)\S+", re.IGNORECASE)),
    ("email", re.compile(r"[^\s<>@,;]+@[^\s<>@,;]+\.\w{2,}")),
    # Keys as vendors write them.
    ("key", re.compile(r"\b(?:sk|pk|gsk|hf|xox[abp]|ghp|nvapi|csk|agg)[-_][\w-]{8,}")),
    ("account", re.compile(r"\b[a-z]{2}\d{2}(?: ?[a-z0-9]{4}){3,7}(?: ?[a-z0-9]{1,3})?\b", re.I)),
    # Wallets, transactions and keys: nobody else has a word of 25 letters and digits, mixed.
    ("address", re.compile(r"\b(?:0x[0-9a-fA-F]{8,}|(?=\w*\d)(?=\w*[A-Za-z])\w{25,})\b")),
    ("machine", re.compile(r"\b\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?\b")),
    ("machine", re.compile(r"(?<![\w:])(?:[0-9a-f]{1,4}:){3,7}[0-9a-f]{1,4}(?![\w:])", re.I)),
    # Telephones, cards and accounts. Amounts have a point, a comma or fewer digits.
    ("digits", re.compile(r"(?<![\d.,])\+?\d(?:[ ()/-]{0,2}\d){8,}(?![\d.,])")),
    ("handle", re.compile(r"(?<!\w)@\w{2,}")),
)
# Who says "my name is ...", in the languages of the questions, says it of himself.
_NAMED = re.compile(
    r"\b(my name is|i am called|mein name ist|ich hei(?:ß|ss)e|me llamo|mi nombre es|je m'appelle|"
    r"meu nome é|mi chiamo|ik heet)\s+(?:[^\W\d_][\w'-]*\s?){1,3}",
    re.IGNORECASE,
)


def scrub(text: str) -> str:
    """`text` with `<email>` and its like; what was scrubbed once stays as it is."""
    for word, pattern in _PERSONAL:
        text = pattern.sub(f"<{word}>", text)
    return _NAMED.sub(lambda found: f"{found[1]} <name>", text)
