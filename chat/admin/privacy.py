"""What holds for people's words: the policy, what they agreed to, and the trail."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from chat.models import AuditEvent, Consent, PrivacyPolicy
from providers.admin.edits import Obeyed, ReadOnly


@admin.register(PrivacyPolicy)
class PrivacyPolicyAdmin(Obeyed):
    """There is one; its list leads to it."""

    fieldsets = (
        ("Of who said nothing about it", {"fields": ("history", "training", "third_party")}),
        ("How long things are kept", {"fields": ("keep_days", "keep_audit_days")}),
    )

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        if not self.has_view_permission(request):
            return super().changelist_view(request, extra_context)
        PrivacyPolicy.current().save()
        return redirect(reverse("admin:chat_privacypolicy_change", args=[1]))


@admin.register(Consent)
class ConsentAdmin(ReadOnly):
    """Whose it is stays out of sight: a pseudonym is shown to nobody."""

    list_display = ("purpose", "granted", "notice", "method", "at")
    list_filter = ("purpose", "granted", "method")
    fields = ("purpose", "granted", "notice", "method", "at")


@admin.register(AuditEvent)
class AuditEventAdmin(ReadOnly):
    list_display = ("at", "actor", "action", "detail")
    list_filter = ("action", "actor")
    date_hierarchy = "at"
    fields = ("at", "actor", "action", "subject", "detail")
