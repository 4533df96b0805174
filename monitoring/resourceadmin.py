"""The admin of resources, with what the checks add to it: to look at one now."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timezone import now

from monitoring import byhand, resourcechecks
from monitoring.models import Endpoint
from providers import known, roster
from providers.admin.resources import NOTHING, ResourceAdmin
from providers.models import Resource
from providers.reaching import hosts_of, why_not

admin.site.unregister(Resource)


@admin.register(Resource)
class WatchedResourceAdmin(ResourceAdmin):
    actions = ("check_now",)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return (*super().get_readonly_fields(request, obj), "looked_at")

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """How it is looked at stands beside what is asked."""
        *others, (title, last) = super().get_fieldsets(request, obj)
        return [*others, (title, {**last, "fields": (*last["fields"], "looked_at")})]

    @admin.display(description="is it looked at")
    def looked_at(self, row: Resource | None) -> SafeString | str:
        if row is None or not row.pk:
            return NOTHING  # it is being added
        endpoint = Endpoint.objects.filter(health__resource=row).first()
        if endpoint is None:
            return f"No: {_why_not(row)}."
        address = reverse("admin:monitoring_endpoint_change", args=[endpoint.pk])
        word = "Paused" if endpoint.paused else "Yes"
        return format_html('{}; <a href="{}">how often, and when next</a>', word, address)

    @admin.action(description="Check now", permissions=["change"])
    def check_now(self, request: HttpRequest, rows: QuerySet[Resource]) -> None:
        resourcechecks.sync(now())
        watched = Endpoint.objects.filter(health__resource__in=rows)
        names = list(watched.values_list("health__name", flat=True))
        others = rows.count() - len(names)
        if others:
            self.message_user(
                request, f"{others} not looked at: see their pages.", messages.WARNING
            )
        if not names:
            return
        try:
            started = byhand.start(names)
        except byhand.Overlap as overlap:
            self.message_user(request, str(overlap), messages.WARNING)
        else:
            said = f"{len(started)} being checked; reload in a few seconds."
            self.message_user(request, said)

    def response_change(self, request: HttpRequest, obj: Resource) -> HttpResponse:
        if "_check" not in request.POST:
            return super().response_change(request, obj)
        level, said = _looked(obj)
        self.message_user(request, said, level)
        return HttpResponseRedirect(request.get_full_path())


def _looked(row: Resource) -> tuple[int, str]:
    """A level of `messages` and a sentence on what one look found."""
    resourcechecks.sync(now())
    name, began = resourcechecks.name_of(row), now()
    try:
        health = byhand.at_once(name)
    except Endpoint.DoesNotExist:
        return messages.WARNING, f"{row.slug} is not looked at: {_why_not(row)}."
    except byhand.Overlap as overlap:
        return messages.WARNING, str(overlap)
    if health.checked_at is None or health.checked_at < began:
        return messages.WARNING, f"{row.slug}: its host was asked a moment ago. Try again soon."
    level = messages.SUCCESS if health.endpoint_up else messages.ERROR
    return level, f"{row.slug}: {health.status.replace('_', ' ')}, {health.reason}."


def _why_not(row: Resource) -> str:
    ours = roster.current().providers
    spoken = bool(known.speakers(row, [provider.slug for provider in ours]))
    soon = "the sandbox does not speak for it" if settings.SANDBOX_URL else "not yet, but soon"
    return why_not(row, hosts_of(ours), spoken) or soon
