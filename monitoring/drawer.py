"""
The status drawer, which opens on every page: what it says, as the server renders it. Its script
takes it anew every few seconds, so what does not change between two readings must read the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from monitoring import readings, readouts
from monitoring.histograms import Summary
from monitoring.readings import Reading
from monitoring.system import System
from providers.standing import Status
from providers.wording import outcome as in_words

MOST_ERRORS = 20

# What a status is called in a row, and the shape and colour that it has there.
WORDS = {
    Status.RATE_LIMITED: "Rate limited",
    Status.DOWN: "Offline",
    Status.MISCONFIGURED: "Needs its key mended",
    Status.DEGRADED: "Degraded",
    Status.MAINTENANCE: "In maintenance",
    Status.DISABLED: "Disabled",
    Status.UNKNOWN: "Unknown",
}
WORST_FIRST = (
    *(Status.DOWN, Status.MISCONFIGURED, Status.RATE_LIMITED, Status.DEGRADED),
    *(Status.UNKNOWN, Status.MAINTENANCE, Status.HEALTHY, Status.DISABLED),
)


@dataclass(frozen=True)
class Row:
    """'Kraken: 117 ms | 98 %'; `status` gives it a shape and a colour."""

    title: str
    said: str
    status: str
    name: str = ""  # of the page it leads to
    note: str = ""


@dataclass(frozen=True)
class Section:
    id: str
    title: str
    gist: str  # beside the title, also while it is folded
    rows: Sequence[Row]
    folded: Sequence[Row] = ()  # what is off: behind a line of its own
    open: bool = True
    empty: str = ""


def sections(system: System) -> list[Section]:
    return [
        _providers(system),
        _models(system.body["ai_models"]),
        _infrastructure(system),
        _resources(system),
        _errors(system),
        _performance(system.body["performance"]),
    ]


# -- Providers ---------------------------------------------------------------------------------


def _providers(system: System) -> Section:
    day = readings.figures("24h")
    items = sorted(
        system.board.readings.values(), key=lambda i: (WORST_FIRST.index(i.status), i.name)
    )
    rows = [(item, row(item, day.get(item.endpoint.pk, readouts.EMPTY))) for item in items]
    watched = [item for item in items if item.is_watched]
    well = sum(item.status is Status.HEALTHY for item in watched)
    return Section(
        "providers",
        "Providers",
        f"{well} of {len(watched)} healthy" if watched else "none watched",
        [said for item, said in rows if item.is_watched],
        [said for item, said in rows if not item.is_watched],
        empty="Nothing is being checked yet.",
    )


def row(item: Reading, day: Summary) -> Row:
    """One endpoint; `day` is what its checks of 24 hours add up to."""
    title = item.provider.title if item.provider else item.name
    return Row(title, _said(item, day), _shape(item), item.name)


def _said(item: Reading, day: Summary) -> str:
    if item.status is Status.HEALTHY:
        return _figures(item, day)
    if item.status is Status.RATE_LIMITED:
        asked = item.health.outcome in ("throttled", "blacklisted") or "429" in item.reason
        return f"{WORDS[item.status]} (429)" if asked else f"{WORDS[item.status]}: {item.reason}"
    if _has_no_address(item):
        return "DNS trouble"
    said = f"{WORDS[item.status]}: {item.reason}" if item.reason else WORDS[item.status]
    if item.status is Status.DEGRADED and (figures := _figures(item, day)):
        return f"{figures} | {said}"
    return said


def _figures(item: Reading, day: Summary) -> str:
    ms, percent = item.health.response_time_ms, day.uptime_percent
    parts = [
        "" if ms is None else f"{ms:,.0f} ms",
        # Never rounded up to a hundred: that would hide an outage.
        "" if percent is None else f"{int(percent)} %",
    ]
    return " | ".join(filter(None, parts)) or ("Healthy" if item.status is Status.HEALTHY else "")


def _shape(item: Reading) -> str:
    if _has_no_address(item):
        return Status.DEGRADED.value
    return item.status.value


def _has_no_address(item: Reading) -> bool:
    """Its name was not resolved: that is trouble of DNS, and often our own."""
    is_ill = item.status in (Status.DOWN, Status.DEGRADED)
    unheard = item.health.outcome == "unreachable"
    return is_ill and unheard and "has no address" in item.health.error_message


# -- The others --------------------------------------------------------------------------------


def _models(told: Mapping[str, Any]) -> Section:
    hub = {True: ("reachable", "healthy"), False: ("not reachable", "down")}
    reached, hub_shape = hub.get(told["hf_api_active"], ("not checked", "unknown"))
    number, local = told["sentiment_models"], told["transformers_loaded"]
    return Section(
        "models",
        "AI models",
        "" if number is None else f"{number} of sentiment",
        [
            Row("Transformers", *(("on this machine", "healthy") if local else _ABSENT)),
            Row("Sentiment models", _count(number), "healthy" if number else "unknown"),
            Row("Hugging Face", reached, hub_shape),
        ],
    )


_ABSENT = ("no model on this machine", "disabled")


def _infrastructure(system: System) -> Section:
    told, machine = system.body["infrastructure"], system.body["resources"]
    database, worker = told["database_status"], told["background_worker"]
    load = ", ".join(f"{value:.2f}" for value in machine["load_avg"])
    return Section(
        "infrastructure",
        "Infrastructure",
        "" if database == "online" and worker == "active" else "needs a look",
        [
            Row("Database", database, "healthy" if database == "online" else "down"),
            Row("Shelf", _counted(told["database_entries"], "answer"), _known(told, "entries")),
            Row(
                "Worker",
                " | ".join(filter(None, (worker, told["worker_next_run"]))),
                "healthy" if worker == "active" else "down",
            ),
            Row(
                "Machine",
                f"CPU {_percent(machine['cpu_percent'])}, "
                f"memory {_percent(machine['memory_percent'])}",
                "healthy" if (machine["memory_percent"] or 0) < BUSY_PERCENT else "degraded",
                note=f"Load of 1, 5 and 15 minutes: {load}",
            ),
        ],
    )


BUSY_PERCENT = 90


def _known(told: Mapping[str, Any], what: str) -> str:
    return "unknown" if told[f"database_{what}"] is None else "healthy"


def _resources(system: System) -> Section:
    told, online = system.body["resource_breakdown"], system.beside.online
    rows = [
        Row(
            category.replace("_", " ").capitalize(),
            f"{number}, {online.get(category, 0)} online",
            "healthy" if online.get(category) else "unknown",
        )
        for category, number in told["by_category"].items()
    ]
    gist = f"{told['total']} known, {sum(online.values())} online"
    return Section("resources", "Catalogue", gist, rows, empty="The catalogue is empty.")


def _errors(system: System) -> Section:
    found = system.beside.mishaps
    rows = [
        Row(one.provider, f"{one.count} × {in_words(one.type)}", "down", one.provider, one.action)
        for one in found[:MOST_ERRORS]
    ]
    more = len(found) - len(rows)
    rows += [Row("And more", f"{more} kinds", "unknown")] if more > 0 else []
    return Section(
        "errors",
        "Errors of 24 hours",
        f"{sum(one.count for one in found):,}" if found else "none",
        rows,
        open=False,
        empty="None in 24 hours.",
    )


def _performance(told: Mapping[str, Any]) -> Section:
    def rows() -> Iterator[Row]:
        yield _measured("Average", _ms(told["avg_response_ms"]))
        yield _measured("95 % within", _ms(told["p95_response_ms"]))
        fastest = _ms(told["fastest_time_ms"])
        name = told["fastest_provider"]
        yield _measured("Fastest", fastest and f"{name}, {fastest}")
        rate = told["cache_hit_rate"]
        yield _measured("Off the shelf", "" if rate is None else f"{rate:.1f} % of answers")

    return Section("performance", "Performance", "of 24 hours", list(rows()))


def _measured(title: str, said: str) -> Row:
    return Row(title, said or "not measured yet", "healthy" if said else "unknown")


def _ms(value: float | None) -> str:
    return "" if value is None else f"{value:,.0f} ms"


def _percent(value: float | None) -> str:
    return "not known" if value is None else f"{value:.0f} %"


def _count(number: int | None) -> str:
    return "not known" if number is None else f"{number}"


def _counted(number: int | None, noun: str) -> str:
    if number is None:
        return "out of reach"
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
