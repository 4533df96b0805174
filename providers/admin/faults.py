"""
The page of the running sandbox: what goes wrong in it on demand, and what it was asked.

It talks to the sandbox's own endpoints, `/_sandbox/`, and exists only where there is a sandbox.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from providers.errors import ProviderError
from providers.http import decode
from providers.resilience import Deadline
from providers.transport import exchange

PATIENCE_S = 3.0

# What a fault may be, as the sandbox reads it; several are joined by semicolons.
FAULTS = (
    ("status=503", "a status, with the body the provider has for it"),
    ("status=429;retry_after=30", "a throttling, with the seconds to wait"),
    ("status=451", "this host is blocked"),
    ("delay=2.5", "seconds before the first byte"),
    ("drip=0.5", "seconds before every byte"),
    ("hang", "no answer at all"),
    ("reset", "the connection is reset"),
    ("truncate", "half an answer"),
    ("malformed", "neither JSON nor XML"),
    ("html", "a page instead of data"),
    ("types", "numbers become texts and objects"),
    ("redirect=https://example.org/", "a redirect to another host"),
    ("bomb=256", "so many megabytes of nothing, compressed"),
    ("skew=-7200", "the provider's clock is off by so many seconds"),
)


class FaultForm(forms.Form):
    host = forms.ChoiceField(help_text="Whose answers go wrong.")
    fault = forms.CharField(
        max_length=200,
        initial="status=503",
        widget=forms.TextInput(attrs={"list": "faults", "autocomplete": "off", "size": 40}),
        help_text="One of those below; several are joined by semicolons.",
    )
    path = forms.CharField(
        max_length=200, required=False, help_text="Only paths that begin so; empty: all."
    )
    times = forms.IntegerField(
        required=False, min_value=1, help_text="For so many requests; empty: until cleared."
    )

    def __init__(self, hosts: list[str], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["host"] = forms.ChoiceField(
            choices=[(host, host) for host in hosts], help_text=self.fields["host"].help_text
        )


class Refused(Exception):
    """The sandbox says what is wrong."""


@require_http_methods(["GET", "POST"])
def page(request: HttpRequest) -> HttpResponse:
    if not settings.SANDBOX_URL:
        raise Http404("This is not the sandbox.")
    try:
        state = _ask("GET")
    except ProviderError as error:
        return _page(request, {"out_of_reach": str(error)})
    form = FaultForm(state["hosts"], request.POST if "add" in request.POST else None)
    if request.method == "POST" and _done(request, form):
        return redirect("faults")
    return _page(request, {"form": form, "state": state, "faults": FAULTS})


def _done(request: HttpRequest, form: FaultForm) -> bool:
    """Clear the faults or add one; False when the form has to be corrected."""
    try:
        if "clear" in request.POST:
            _ask("DELETE", "faults")
            messages.success(request, "No faults are left.")
            return True
        if form.is_valid():
            given = {name: value for name, value in form.cleaned_data.items() if value}
            _ask("POST", "faults", given)
            messages.success(request, f"From now on: {given['host']} {given['fault']}.")
            return True
    except Refused as refused:
        form.add_error("fault", str(refused))
    except ProviderError as error:
        messages.error(request, f"The sandbox did not answer: {error}.")
        return True
    return False


def _page(request: HttpRequest, context: Mapping[str, Any]) -> HttpResponse:
    site = admin.site.each_context(request)
    return render(request, "admin/faults.html", {**site, "title": "Sandbox", **context})


def _ask(method: str, path: str = "", document: Any = None) -> Any:
    """What the sandbox's own endpoint answers; Refused, or a ProviderError without a sandbox."""
    reply = exchange(
        method,
        f"{settings.SANDBOX_URL}/_sandbox/{path}",
        deadline=Deadline(PATIENCE_S),
        headers={"Accept": "application/json", "Content-Type": "application/json"},
        json=document,
    )
    answer = decode(reply.body)
    if reply.status != 200:
        raise Refused(answer.get("error", f"HTTP {reply.status}"))
    return answer
