"""What holds for people's words: the policy, what they agreed to, and the trail."""

from __future__ import annotations

from django.contrib import admin

from chat.models import AuditEvent, Consent, PrivacyPolicy
from providers.admin.edits import ForOnlyRow, ReadOnly


@admin.register(PrivacyPolicy)
class PrivacyPolicyAdmin(ForOnlyRow):
    fieldsets = (
        ("Of who said nothing about it", {"fields": ("history", "training", "third_party")}),
        ("How long things are kept", {"fields": ("keep_days", "keep_audit_days")}),
    )


@admin.register(Consent)
class ConsentAdmin(ReadOnly):
    """Whose it is stays out of sight: a pseudonym is shown to nobody."""

    when_empty = "Nobody said yet what their questions may be used for."
    list_display = ("purpose", "granted", "notice", "method", "at")
    list_filter = ("purpose", "granted", "method")
    fields = ("purpose", "granted", "notice", "method", "at")


@admin.register(AuditEvent)
class AuditEventAdmin(ReadOnly):
    when_empty = "Nobody took away, erased or read what is people's yet."
    list_display = ("at", "actor", "action", "detail")
    list_filter = ("action", "actor")
    date_hierarchy = "at"
    fields = ("at", "actor", "action", "subject", "detail")
