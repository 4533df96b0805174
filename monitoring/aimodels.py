"""
Scans of the AI models: who looks at them, when, and what is written of it.

A scan is a row and the lease of whoever is at it, so a second one joins it, however many workers,
web processes and machines there are. Every finding is written under that lease, once.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

from django.db import DatabaseError, IntegrityError, connections, transaction
from django.db.models import F, Q
from django.utils.timezone import now as current_time

from aggregator import readouts
from monitoring.modelchecks import Look, Sleep, look
from monitoring.modelrows import ModelMetric, ModelStats, Scan, ScanPlan, Way
from providers import calls
from providers.aimodels import LOCAL, AiModel, Category, ModelStatus, Task
from providers.resilience import Deadline

logger = logging.getLogger("monitoring.models")

Clock = Callable[[], datetime]

WORKERS = 6  # models looked at at once
LONGEST_S = 45.0  # of a scan: a task of the worker has 55 seconds
LEASE = timedelta(seconds=90)  # longer than a scan may take
DAY = timedelta(days=1)
AGAIN_SOONER = 4  # what failed its trial is tried again after this part of the usual time
WORKER = "the worker"


# -- When, and by whom -------------------------------------------------------------------------


def begin(by: str, moment: datetime, *, whole: bool = True) -> tuple[Scan, bool]:
    """The scan that goes on, or a new one; and whether it is new, and so the caller's to run."""
    Scan.objects.filter(running=True, lease_until__lte=moment).update(running=None)
    while True:
        going_on = Scan.objects.filter(running=True).first()
        if going_on is not None:
            return going_on, False
        try:
            with transaction.atomic():
                lease = {"started_at": moment, "lease_until": moment + LEASE}
                return Scan.objects.create(by=by[:150], whole=whole, **lease), True
        except IntegrityError:
            continue  # somebody was quicker


def is_due(plan: ScanPlan, moment: datetime) -> bool:
    """Did no scan begin within an interval? One that began in the future is a clock that jumped."""
    last = Scan.objects.filter(whole=True).order_by("-started_at", "-pk").first()
    if plan.paused:
        return False
    return last is None or not (
        moment - timedelta(seconds=plan.interval_s) < last.started_at <= moment
    )


def latest() -> Scan | None:
    return Scan.objects.order_by("-started_at", "-pk").first()


def run_if_due(clock: Clock = current_time, sleep: Sleep = time.sleep) -> Scan | None:
    """For the worker's tick; None when nothing was to be done here."""
    moment = clock()
    if not is_due(ScanPlan.current(), moment):
        return None
    scan, is_ours = begin(WORKER, moment)
    return run(scan, clock, sleep) if is_ours else None


def start(by: str, only: Sequence[int] = ()) -> tuple[Scan, bool]:
    """Begin a scan of all, or of `only` some, in a thread of its own; or join the one there is."""
    scan, is_ours = begin(by, current_time(), whole=not only)
    if is_ours:
        work = threading.Thread(
            target=_run_apart, args=(scan, only), name="model-scan", daemon=True
        )
        work.start()
    return scan, is_ours


def _run_apart(scan: Scan, only: Sequence[int]) -> None:
    """If the process dies before the end, the lease runs out."""
    try:
        run(scan, only=only)
        calls.flush()
    except DatabaseError:
        logger.exception("a scan of models ended early")
    finally:
        connections.close_all()


# -- One scan ----------------------------------------------------------------------------------


def run(
    scan: Scan,
    clock: Clock = current_time,
    sleep: Sleep = time.sleep,
    longest_s: float = LONGEST_S,
    only: Sequence[int] = (),
) -> Scan:
    """
    Look at every active model, or at `only` some, whose turn it is then to be tried. Those that
    were not reached in time are looked at next time.
    """
    plan = ScanPlan.current()
    _know_the_local_one()
    rows = [row for row in _longest_untried_first() if not only or row.pk in only]
    Scan.objects.filter(pk=scan.pk, running=True).update(total=len(rows))
    deadline = Deadline(longest_s)
    budget = Budget(plan, rows, clock(), at_once=bool(only))

    def one(row: AiModel) -> None:
        if deadline.left():
            stats = row.stats
            found = look(row, stats, deadline, lambda: budget.take(stats), plan.timeout_s, sleep)
            write(scan, row, found, clock(), plan)

    _in_parallel(one, rows)
    over = {"running": None, "finished_at": clock()}
    Scan.objects.filter(pk=scan.pk, running=True).update(**over)
    scan.refresh_from_db()
    said = f"{scan.looked_at} of {scan.total} models looked at, {scan.tried} tried"
    logger.info("%s", said)
    return scan


def _in_parallel(one: Callable[[AiModel], None], rows: Iterable[AiModel]) -> None:
    def clean(row: AiModel) -> None:
        try:
            one(row)
        except DatabaseError:
            logger.exception("%s could not be written", row)
        finally:
            connections.close_all()  # this thread's own

    with ThreadPoolExecutor(WORKERS, thread_name_prefix="models") as pool:
        list(pool.map(clean, rows))


def _longest_untried_first() -> list[AiModel]:
    rows = AiModel.objects.active()
    ModelStats.objects.bulk_create([ModelStats(model=r) for r in rows], ignore_conflicts=True)
    order = F("stats__last_trial_at").asc(nulls_first=True)
    return list(rows.select_related("stats").order_by(order, "pk"))


def _know_the_local_one() -> None:
    """The model of this machine has a row like the others, once it could be asked."""
    name, lacking = readouts.local_model()
    if name and not lacking:
        AiModel.objects.get_or_create(
            model_id=f"{LOCAL}/{name}"[:120],
            defaults={
                "model_key": f"local-{name}"[:80],
                "canonical_id": f"{LOCAL}/{name}"[:120],
                "task": Task.CLASSIFICATION,
                "category": Category.FINANCIAL,
                "provider": LOCAL,
                "requires_auth": False,
                "notes": "A model of one's own, on this machine.",
            },
        )


class Budget:
    """
    Who may be given a text: each in its turn, spread over the day, and all together no more often
    than the plan allows. Threads share it.
    """

    def __init__(
        self, plan: ScanPlan, rows: Iterable[AiModel], moment: datetime, *, at_once: bool = False
    ) -> None:
        count = sum(not row.is_local for row in rows)
        spent = ModelMetric.objects.filter(way=Way.TRIAL, checked_at__gt=moment - DAY)
        # What was still being loaded read nothing, and cost nothing.
        self.left = plan.trials_per_day - spent.exclude(status=ModelStatus.LOADING).count()
        self.every = DAY * count / plan.trials_per_day if plan.trials_per_day else DAY
        self.moment = moment
        self.at_once = at_once
        self._lock = threading.Lock()

    def take(self, stats: ModelStats) -> bool:
        if not self._is_its_turn(stats):
            return False
        with self._lock:
            self.left -= 1
            return self.left >= 0

    def _is_its_turn(self, stats: ModelStats) -> bool:
        last, found = stats.last_trial_at, stats.last_trial
        if self.at_once or last is None or found == ModelStatus.LOADING or last > self.moment:
            return True
        sooner = 1 if found == ModelStatus.AVAILABLE else AGAIN_SOONER
        return self.moment - last >= self.every / sooner


# -- What is written ---------------------------------------------------------------------------


def write(scan: Scan, row: AiModel, found: Look, moment: datetime, plan: ScanPlan) -> bool:
    """Finding, sums and status in one transaction; False when the scan is not ours any more."""
    with transaction.atomic():
        counted = {"looked_at": F("looked_at") + 1, "tried": F("tried") + int(found.is_trial)}
        if not Scan.objects.filter(pk=scan.pk, running=True).update(**counted):
            return False
        _note_the_hub(scan, found)
        ModelMetric.objects.create(
            model=row,
            scan=scan,
            way=found.way,
            status=found.status,
            success=found.success,
            response_time_ms=found.response_time_ms,
            error_message="" if found.success else found.reason[:200],
            test_input=found.test_input,
            test_output=found.test_output,
            confidence=found.confidence,
            checked_at=moment,
        )
        _add(row, found, moment)
        if found.status is not ModelStatus.UNKNOWN:  # else what was known stands until it is old
            _set(row, found, moment, moment + plan.fresh_for)
    return True


def _note_the_hub(scan: Scan, found: Look) -> None:
    """It answered this scan when it answered once."""
    if found.hub_answered is None:
        return
    unsure = Q(hub_answered=None) if not found.hub_answered else ~Q(hub_answered=True)
    Scan.objects.filter(unsure | Q(hub_answered=None), pk=scan.pk).update(
        hub_answered=found.hub_answered
    )


def _add(row: AiModel, found: Look, moment: datetime) -> None:
    more: dict[str, object] = {"total_checks": F("total_checks") + 1}
    if found.success is not None:
        good = found.success
        count, last = (
            ("successful_checks", "last_success_at")
            if good
            else (
                "failed_checks",
                "last_failure_at",
            )
        )
        more |= {count: F(count) + 1, last: moment}
    if found.response_time_ms is not None:
        more |= {"timed": F("timed") + 1, "sum_ms": F("sum_ms") + found.response_time_ms}
    if found.is_trial:
        more |= {
            "last_trial_at": moment,
            "last_trial": found.status,
            "last_trial_said": found.reason[:200],
        }
    ModelStats.objects.filter(model=row).update(**more)


def _set(row: AiModel, found: Look, moment: datetime, fresh_until: datetime) -> None:
    this = AiModel.objects.filter(pk=row.pk)
    this.exclude(status=found.status, since__isnull=False).update(since=moment)
    this.update(
        status=found.status,
        reason=found.reason[:200],
        checked_at=moment,
        fresh_until=fresh_until,
    )
