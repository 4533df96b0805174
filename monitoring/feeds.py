"""
What happened, for programs of others: an Atom feed (RFC 4287), the JSON that tools expect of a
status page (https://www.atlassian.com/software/statuspage, `/api/v2/summary.json`), and badges.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.feedgenerator import Atom1Feed

from monitoring import drawing, happenings, system
from monitoring.happenings import Happening
from monitoring.incidents import showing
from monitoring.readings import Board
from providers.standing import Status

# What that format has no word for is called what it is: nothing is operational that is unknown.
COMPONENTS = {
    Status.HEALTHY: "operational",
    Status.DEGRADED: "degraded_performance",
    Status.RATE_LIMITED: "degraded_performance",
    Status.DOWN: "major_outage",
    Status.MISCONFIGURED: "major_outage",
    Status.MAINTENANCE: "under_maintenance",
    Status.UNKNOWN: "unknown",
}
INDICATORS = {"healthy": "none", "degraded": "minor", "down": "major"}


def atom(board: Board, site: str) -> str:
    """`site` is the address of this installation, as it was asked for: 'https://example.org'."""
    host = site.partition("://")[2].partition(":")[0]
    feed = Atom1Feed(
        title="Aggregator: status",
        link=f"{site}/status",
        feed_url=f"{site}/status/feed.atom",
        description="When providers were ill, and when they were well again.",
        feed_guid=f"tag:{host},2026:status",
    )
    for one in happenings.lately(board):
        feed.add_item(
            title=happenings.printable(one.title),
            link=f"{site}/status/{one.name}",
            description="\n".join(f"{u.at:%Y-%m-%d %H:%M} UTC {u.text}" for u in one.updates),
            unique_id=f"tag:{host},2026:status/{one.id}",
            pubdate=one.began_at,
            updateddate=one.updated_at,
            author_name="Aggregator",
            categories=[one.impact],
        )
    return str(feed.writeString("utf-8"))


def summary(board: Board, site: str) -> dict[str, Any]:
    items = [item for item in board.readings.values() if item.is_watched]
    code, said = system.banner(board, list(showing.incidents("open")))
    ill = [one for one in happenings.lately(board) if one.ended_at is None]
    page = {
        "id": "aggregator",
        "name": "Aggregator",
        "url": f"{site}/status",
        "time_zone": "Etc/UTC",
        "updated_at": _time(board.newest),
    }
    return {
        "page": page,
        "status": {"indicator": INDICATORS.get(code, "unknown"), "description": said},
        "components": [
            {
                "id": item.name,
                "name": item.provider.title if item.provider else item.name,
                "status": COMPONENTS[item.status],
                "description": item.reason or None,
                "updated_at": _time(item.health.checked_at),
                "position": place,
                "group": False,
                "group_id": None,
                "only_show_if_degraded": False,
                "page_id": page["id"],
            }
            for place, item in enumerate(items, 1)
        ],
        "incidents": [_incident(one, site) for one in ill],
        "scheduled_maintenances": [],
    }


def _incident(one: Happening, site: str) -> dict[str, Any]:
    return {
        "id": str(one.id),
        "name": one.title,
        "status": "investigating" if one.ended_at is None else "resolved",
        "impact": one.impact,
        "shortlink": f"{site}/status/{one.name}",
        "started_at": _time(one.began_at),
        "created_at": _time(one.began_at),
        "updated_at": _time(one.updated_at),
        "monitoring_at": None,
        "resolved_at": _time(one.ended_at),
        "page_id": "aggregator",
        "components": [one.name],
        "incident_updates": [
            {
                "id": str(update.id),
                "incident_id": str(one.id),
                "status": "investigating",
                "body": update.text,
                "display_at": _time(update.at),
                "created_at": _time(update.at),
                "updated_at": _time(update.at),
            }
            for update in reversed(one.updates)
        ],
    }


def _time(moment: datetime | None) -> str | None:
    if moment is None:
        return None
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


# -- Badges ------------------------------------------------------------------------------------

WHOLE = "all"  # the badge of everything
COLOURS: Mapping[str, str] = {
    "healthy": "#12693d",
    "degraded": "#8a5300",
    "maintenance": "#8a5300",
    "down": "#b02a2a",
    "misconfigured": "#b02a2a",
    "rate_limited": "#5a55a8",
}
GREY = "#57626b"
CHARACTER, PADDING = 6.6, 10  # of 11 px, about: SVG cannot measure a text


@dataclass(frozen=True)
class Badge:
    label: str
    said: str
    colour: str

    @property
    def left(self) -> int:
        return round(len(self.label) * CHARACTER + PADDING)

    @property
    def right(self) -> int:
        return round(len(self.said) * CHARACTER + PADDING)

    @property
    def width(self) -> int:
        return self.left + self.right

    @property
    def middles(self) -> tuple[float, float]:
        return self.left / 2, self.left + self.right / 2


def badge(board: Board, name: str, uptime: float | None = None) -> Badge | None:
    """Of one endpoint, with the uptime of its checks (percent), or of `all`; None without one."""
    if name == WHOLE:
        code, said = system.banner(board, list(showing.incidents("open")))
        return Badge("status", said, COLOURS.get(code, GREY))
    item = board.readings.get(name)
    if item is None:
        return None
    word = item.status.value.replace("_", " ")
    percent = drawing.two_decimals(uptime)
    said = word if percent is None else f"{word}, {percent} %"
    return Badge(name, said, COLOURS.get(item.status.value, GREY))
