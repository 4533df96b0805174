"""Clients and their keys, the shelf, and the worker's books."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.safestring import SafeString
from django_q import admin as _  # noqa: F401  (it registers what is replaced below)
from django_q.models import Failure, OrmQ, Schedule, Success

from aggregator import answers, callers, curl
from aggregator.models import Client, ShelvedAnswer
from aggregator.templatetags.people import age
from providers import changes
from providers.admin.edits import (
    BoundedPaginator,
    ForSuperusers,
    Obeyed,
    ReadOnly,
    log_change,
    who,
)
from providers.admin.filters import offered
from providers.admin.providers import ProviderAdmin
from providers.models import Provider
from providers.wording import span


@admin.register(Client)
class ClientAdmin(Obeyed):
    """A key is made with its client, shown on the very next page, and kept as a hash."""

    when_empty = (
        "No client: who asks is anonymous. Add one, and a program of yours has a key "
        "and a limit of its own."
    )
    forget: Callable[[], None] = staticmethod(callers.reread)
    list_display = ("name", "key_hint", "per_minute", "is_operator", "enabled", "created_at")
    list_editable = ("per_minute", "enabled")
    list_filter = ("enabled",)
    search_fields = ("name", "notes", "key_hint")
    readonly_fields = ("key_hint", "created_at")
    show_full_result_count = False
    actions = ("new_key",)
    fieldsets = (
        (
            None,
            {
                "description": (
                    "A program that may ask. Its key opens the API, and nothing in this admin. "
                    "An edit is obeyed within two seconds."
                ),
                "fields": (
                    *("name", "enabled", "per_minute", "is_operator"),
                    *("key_hint", "created_at", "notes"),
                ),
            },
        ),
    )

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj:
            return self.fieldsets
        described = dict(
            self.fieldsets[0][1], fields=("name", "enabled", "per_minute", "is_operator", "notes")
        )
        return ((None, described),)

    def save_model(self, request: HttpRequest, obj: Client, form: Any, change: bool) -> None:
        if not change:
            obj.fresh_key = obj.new_key()  # type: ignore[attr-defined]
        super().save_model(request, obj, form, change)

    def response_add(
        self, request: HttpRequest, obj: Client, post_url_continue: str | None = None
    ) -> HttpResponse:
        """No redirect: the key would have to be put away somewhere on the way."""
        return self._show(request, {obj: obj.fresh_key})  # type: ignore[attr-defined]

    @admin.action(description="Give a new key", permissions=["change"])
    def new_key(self, request: HttpRequest, queryset: QuerySet[Client]) -> HttpResponse:
        """Asks first, as the old key stops working."""
        rows = list(queryset)
        if "confirmed" not in request.POST:
            context = self._context(request, "Give new keys?", clients=rows)
            return TemplateResponse(request, "admin/aggregator/client/confirm.html", context)
        keys = {row: row.new_key() for row in rows}
        with changes.watched(who(request), rows):
            for row in rows:
                row.save(update_fields=["key_hash", "key_hint"])
        callers.reread()
        log_change(request, rows, "Given a new key.")
        return self._show(request, keys)

    def _show(self, request: HttpRequest, keys: dict[Client, str]) -> HttpResponse:
        context = self._context(
            request,
            "The new key" if len(keys) == 1 else "The new keys",
            keys=keys,
            curl=curl.line(request, reverse("market") + "?limit=3"),
            key_variable=curl.KEY_VARIABLE,
        )
        return TemplateResponse(request, "admin/aggregator/client/key.html", context)

    def _context(self, request: HttpRequest, title: str, **more: Any) -> dict[str, Any]:
        return {**self.admin_site.each_context(request), "opts": self.opts, "title": title, **more}


@admin.register(ShelvedAnswer)
class ShelvedAnswerAdmin(ReadOnly):
    when_empty = "The shelf is empty: nothing was asked yet."
    list_display = ("question", "dataset", "sources", "fetched", "served_until", "size")
    list_filter = ("dataset",)
    search_fields = ("question", "source")
    fields = ("question", "dataset", "source", "fetched", "served_until", "beginning")
    list_per_page = 50
    sortable_by = ()
    paginator = BoundedPaginator
    show_full_result_count = False
    actions = ("purge",)

    @admin.display(description="source")
    def sources(self, row: ShelvedAnswer) -> str:
        return row.source.replace(",", ", ")

    @admin.display(description="fetched")
    def fetched(self, row: ShelvedAnswer) -> SafeString | str:
        return age(max(0.0, time.time() - row.fetched_at))

    @admin.display(description="may be served")
    def served_until(self, row: ShelvedAnswer) -> str:
        left = row.stale_until - time.time()
        return f"{span(left)} more" if left > 0 else "no longer"

    @admin.display(description="size")
    def size(self, row: ShelvedAnswer) -> str:
        return f"{len(row.payload) / 1000:,.1f} kB"

    @admin.display(description="how it begins")
    def beginning(self, row: ShelvedAnswer) -> str:
        return row.payload[:2000]

    @admin.action(description="Purge every answer of the selected datasets")
    def purge(self, request: HttpRequest, queryset: QuerySet[ShelvedAnswer]) -> None:
        names = queryset.order_by("dataset").values_list("dataset", flat=True).distinct()
        tell_purged(self, request, list(names))


@admin.action(description="Purge shelved answers of its datasets", permissions=["change"])
def purge_answers(
    modeladmin: ProviderAdmin, request: HttpRequest, queryset: QuerySet[Provider]
) -> None:
    """Every answer of the datasets that the providers offer, whoever gave it."""
    names = {name for row in queryset for name in offered(row)}
    tell_purged(modeladmin, request, sorted(names))


def tell_purged(modeladmin: Any, request: HttpRequest, datasets: list[str]) -> None:
    gone = answers.purge(datasets) if datasets else 0
    number = "1 answer is" if gone == 1 else f"{gone} answers are"
    said = f"{number} off the shelf, of {', '.join(datasets) or 'no dataset'}."
    modeladmin.message_user(request, said, messages.SUCCESS)


# Here, as the catalogue knows nothing of shelves.
ProviderAdmin.actions = (*ProviderAdmin.actions, purge_answers)


class TaskAdmin(ForSuperusers):
    """What the worker did. Schedules come from `aggregator.schedules` alone, never from a form."""

    when_empty = "No job ended so."
    list_display = ("func", "started", "stopped", "success")
    fields = ("name", "func", "started", "stopped", "success", "result")
    actions = None


class ScheduleAdmin(ForSuperusers):
    list_display = fields = ("name", "func", "minutes", "next_run")
    actions = None


class QueueAdmin(ForSuperusers):
    list_display = fields = ("id", "key", "lock")
    actions = None


for model, kind in (
    (Success, TaskAdmin),
    (Failure, TaskAdmin),
    (Schedule, ScheduleAdmin),
    (OrmQ, QueueAdmin),
):
    if admin.site.is_registered(model):
        admin.site.unregister(model)
        admin.site.register(model, kind)
