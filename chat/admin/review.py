"""The review queue: one question at a time, decided by one key."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import URLPattern, path, reverse
from django.views.decorators.http import require_http_methods

from chat import reviewing
from chat.categories import Category
from chat.models import Feedback, ReviewItem
from providers.admin.edits import BoundedPaginator, ReadOnly

# One key each, none of them a, r, s or u, which accept, reject, skip and undo.
KEYS = dict(zip("pmedntgcvoylix", Category, strict=True))


@admin.register(ReviewItem)
class ReviewItemAdmin(ReadOnly):
    when_empty = (
        "Nothing to review: questions come when an answer was bad or unsure, when "
        "models disagree, and two of a hundred at random."
    )
    list_display = ("at", "suggested", "why", "state", "category", "reviewer", "decided_at")
    list_filter = ("state", "suggested")
    list_select_related = ("reviewer",)
    list_per_page = 50
    paginator = BoundedPaginator
    show_full_result_count = False
    actions = ("reopen",)
    change_list_template = "admin/chat/reviewitem/change_list.html"

    def get_urls(self) -> list[URLPattern]:
        mine = path("next/", self.admin_site.admin_view(page), name="chat_review")
        return [mine, *super().get_urls()]

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Decisions are made on the page of the next question, rows are edited nowhere."""
        return False

    @admin.display(description="reasons")
    def why(self, row: ReviewItem) -> str:
        return ", ".join(reason.replace("_", " ") for reason in row.reasons)

    @admin.action(description="Open again, and take their examples back")
    def reopen(self, request: HttpRequest, rows: QuerySet[ReviewItem]) -> None:
        if not may_review(request):
            raise PermissionDenied
        for row in rows:
            reviewing.reopen(row)
        self.message_user(request, f"{len(rows)} opened again.")


def may_review(request: HttpRequest) -> bool:
    return bool(request.user.has_perm("chat.change_reviewitem"))


@require_http_methods(["GET", "POST"])
def page(request: HttpRequest) -> HttpResponse:
    """The next open question; `skip` names those that are left for later."""
    if not may_review(request):
        raise PermissionDenied
    if request.method == "POST":
        return _decide(request)
    skipped = _numbers(request.GET.getlist("skip"))
    rows = ReviewItem.objects.filter(state=ReviewItem.State.OPEN)
    item = rows.exclude(pk__in=skipped).select_related("interaction").first()
    return render(
        request,
        "admin/chat/review.html",
        {
            **admin.site.each_context(request),
            "title": "Review",
            "item": item,
            "before": reviewing.before(item) if item else None,
            "why": [reason.replace("_", " ") for reason in item.reasons] if item else (),
            "left": rows.count(),
            "skipped": skipped,
            "feedback": Feedback.objects.filter(interaction=item.interaction_id) if item else (),
            "choices": list(KEYS.items()),
            "undo": _numbers([request.GET.get("undo", "")]),
        },
    )


def _decide(request: HttpRequest) -> HttpResponse:
    pk = _numbers([request.POST.get("item", "")])
    item = get_object_or_404(ReviewItem, pk__in=pk)
    said = request.POST.get("do", "")
    try:
        if said == "undo":
            reviewing.reopen(item)
        elif said == "reject":
            reviewing.reject(item, request.user)
        elif said == "accept":
            reviewing.label(item, Category(item.suggested), request.user)
        elif said in Category.__members__:
            reviewing.label(item, Category(said), request.user)
        else:
            messages.error(request, "Accept, reject, or choose a category.")
    except (reviewing.Decided, reviewing.NotAgreed) as error:
        messages.warning(request, str(error))
    undo = "" if said == "undo" else f"?undo={item.pk}"
    return redirect(reverse("admin:chat_review") + undo)


def _numbers(given: list[str]) -> list[int]:
    """Row numbers, where they are any."""
    return [int(text) for text in given[:200] if text.isdecimal() and len(text) < 19]
