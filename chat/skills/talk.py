"""SMALLTALK and OUT_OF_SCOPE: nothing is looked up."""

from __future__ import annotations

from chat.facts import Facts
from chat.skills.base import Question

CAN = (
    "I answer questions about crypto markets, fees, news, sentiment and the economy from live "
    "data, and say where each figure came from and how old it is."
)
EXAMPLES = (
    "Price of BTC and ETH",
    "How did Solana do in the past 7 days?",
    "US inflation",
    "What is staking?",
)


def smalltalk(asked: Question) -> Facts:
    if asked.mentions(
        r"thanks?|thank you|thx|ty|cheers|danke|merci|gracias|grazie|спасибо|obrigad\w"
    ):
        return Facts(remarks=("You are welcome.",))
    if asked.mentions(r"bye|goodbye|see you|good night|ciao|later|cya|tschüss|adios"):
        return Facts(remarks=("Goodbye.",))
    if asked.mentions(r"who|what|how|can|are you|help|bot|ai|name|made"):
        return Facts(
            remarks=("I am a program of this installation, not a person.", CAN),
            suggestions=EXAMPLES,
        )
    if asked.mentions(r"stupid|bad|useless|wrong|terrible|hate|suck\w*|awful|not help\w*|dumb"):
        remark = "I am sorry. A thumb down with what it should have been helps to make it better."
        return Facts(remarks=(remark,), suggestions=EXAMPLES)
    return Facts(remarks=("Hello.", CAN), suggestions=EXAMPLES)


def out_of_scope(asked: Question) -> Facts:
    return Facts(remarks=("That is nothing I can answer.", CAN), suggestions=EXAMPLES)
