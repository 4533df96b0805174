"""ADVICE: what the data says, and plainly that this is no advice."""

from __future__ import annotations

from dataclasses import replace

from chat.facts import Facts
from chat.skills import learning, market, mood, technical
from chat.skills.base import Question

DISCLAIMER = (
    "This is what the data says, and no advice: nobody here knows what prices will do, or what is "
    "right for you."
)
SAFETY = r"scam\w*|safe|legit\w*|rug\w*|trust\w*|honeypot|ponzi"


def facts(asked: Question) -> Facts:
    disclaimer = Facts(remarks=(DISCLAIMER,))
    if not asked.entities.assets:
        entries = Facts(passages=learning.entries(asked.text, 1))
        return disclaimer + entries + mood.fear_and_greed(asked)
    found = market.facts(asked)
    remarks = tuple(said for said in found.remarks if said != market.USUAL_ONLY)
    found = disclaimer + replace(found, remarks=remarks)
    if asked.mentions(SAFETY):
        return found + Facts(passages=learning.entries("scam", 1))
    first = asked.entities.assets[0].name
    return found + technical.facts(asked) + Facts(suggestions=(f"News about {first}",))
