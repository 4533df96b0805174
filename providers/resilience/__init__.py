"""The armour: policies are pure values and rules, `cell` is the one shared state."""

from providers.resilience.backoff import Backoff
from providers.resilience.breaker import Breaker, Circuit, Phase, Reason
from providers.resilience.bucket import Tokens, Window
from providers.resilience.cell import Cell
from providers.resilience.deadline import Deadline
from providers.resilience.guard import Guard, Passage, Standing, standings

__all__ = [
    "Backoff",
    "Breaker",
    "Cell",
    "Circuit",
    "Deadline",
    "Guard",
    "Passage",
    "Phase",
    "Reason",
    "Standing",
    "Tokens",
    "Window",
    "standings",
]
