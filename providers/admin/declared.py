"""Declared providers: any JSON web API, described in the admin and tried before it is saved."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import NON_FIELD_ERRORS
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.decorators import method_decorator
from django.views.decorators.debug import sensitive_post_parameters

from providers import registry, roster, trying
from providers.adapters.mapping import OFFERABLE
from providers.admin.bases import ModelForm
from providers.admin.credentials import CredentialInline
from providers.admin.edits import Obeyed
from providers.admin.fields import Json, NewKey, refuse_what_is_out_of_reach
from providers.datasets import (
    INTERVALS,
    HistoryQuery,
    MarketQuery,
    OhlcQuery,
    PriceQuery,
    Query,
    SearchQuery,
)
from providers.models import DeclaredProvider, Provider
from providers.secrets import SecretUnreadable

ONLY_TRIED = "This was a try: nothing is saved yet."
EXAMPLE = {
    "names": "symbol_lower",
    "datasets": {
        "price": {
            "path": "/v1/prices",
            "params": {"ids": "{ids}", "in": "{currency}"},
            "batch": 50,
            "currencies": {"usd": "usd"},
            "rows": "data",
            "fields": {"id": "id", "price": "last", "last_updated": "at"},
            "units": {"last_updated": "ms"},
        }
    },
}


class DeclaredForm(ModelForm):
    mapping = Json(
        initial=EXAMPLE, help_text="How it is asked and read; docs/declared.md tells every word."
    )
    limits = Json(
        required=False,
        validators=Provider._meta.get_field("limits").validators,
        help_text='Windows, all kept at once: [{"limit": 30, "per_s": 60}].',
    )
    try_dataset = forms.ChoiceField(
        label="Dataset", choices=[(name, name) for name in OFFERABLE], required=False
    )
    try_word = forms.CharField(label="Asset or words", initial="BTC", required=False, max_length=60)
    try_id = forms.CharField(
        label="What it calls that",
        required=False,
        max_length=120,
        help_text="For the try alone, while it has no listings. Empty: as listed.",
    )
    try_currency = forms.CharField(label="Currency", initial="usd", required=False, max_length=10)
    try_interval = forms.ChoiceField(
        label="Candles of", choices=[(name, name) for name in INTERVALS], required=False
    )
    try_key = NewKey(
        label="Key for the try", required=False, help_text="Used once, and stored nowhere."
    )

    class Meta:
        model = DeclaredProvider
        fields = (
            "slug", "title", "category", "enabled", "priority", "base_url", "docs_url",
            "timeout_s", "min_fresh_s", "limits", "mapping", "notes",
        )  # fmt: skip
        labels = {  # noqa: RUF012
            "base_url": "Address",
            "docs_url": "Its docs",
            "timeout_s": "Timeout",
            "min_fresh_s": "Kept at least",
        }
        help_texts = {  # noqa: RUF012
            "base_url": "What the paths of the mapping are below: https://api.example.org/v1.",
            "slug": "What answers will call it: 'my_prices'.",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.instance.adapter_name = registry.DECLARED
        if "base_url" in self.fields:
            self.fields["base_url"].required = True

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        refuse_what_is_out_of_reach(self)
        if "_try" in self.data:
            self.add_error(None, ONLY_TRIED)
        return cleaned

    @property
    def may_be_tried(self) -> bool:
        """Is nothing wrong but that it is not saved?"""
        return dict(self.errors) == {NON_FIELD_ERRORS: [ONLY_TRIED]}

    def tried(self) -> trying.Trial:
        """What the provider answers as it stands in the form."""
        provider, said = self.instance, self.cleaned_data
        word = said.get("try_word") or ""
        found = roster.meant(word)
        query = question(
            said.get("try_dataset") or "price",
            found.key if found else word,
            word,
            (said.get("try_currency") or "usd").lower(),
            said.get("try_interval") or "1h",
        )
        own, names = said.get("try_id"), None
        if own:
            keys = roster.keys_of(query)
            names = roster.OwnNames({(key, ""): own for key in keys})
        key = said.get("try_key") or stored_key(provider)
        return trying.attempt(provider, query, key=key, names=names)


def question(name: str, key: str, word: str, currency: str, interval: str) -> Query:
    """One small question of a dataset."""
    match name:
        case "price":
            return PriceQuery((key,), currency)
        case "market":
            return MarketQuery(currency, limit=20)
        case "ohlc":
            return OhlcQuery(key, interval, limit=10, currency=currency)
        case "history":
            return HistoryQuery(key, days=7, currency=currency)
        case "search":
            return SearchQuery(q=word, limit=20)
    return OFFERABLE[name]()


def stored_key(provider: Provider) -> str | None:
    """Its first key, unless the form sends it to another address than it was given for."""
    saved = Provider.objects.filter(pk=provider.pk).first()
    if saved is None or saved.base_url != provider.base_url:
        return None
    for credential in roster.current().keys_of(saved):
        try:
            return credential.key()
        except SecretUnreadable:
            continue
    return None


@admin.register(DeclaredProvider)
class DeclaredProviderAdmin(Obeyed):
    when_empty = (
        "None is declared. A web API that is missing in the catalogue and answers in "
        "JSON can be described here."
    )
    form = DeclaredForm
    list_display = ("slug", "title", "base_url", "priority", "enabled")
    search_fields = ("slug", "title", "base_url")
    fieldsets = (
        (None, {"fields": ("slug", "title", "category", "enabled", "priority")}),
        (
            "How it is asked",
            {"fields": ("base_url", "docs_url", "timeout_s", "min_fresh_s", "limits", "mapping")},
        ),
        (
            "Try it",
            {
                "description": "It is asked under its own limits and the same address rules as "
                "every provider. Nothing is saved by a try.",
                "fields": (
                    "try_dataset", "try_word", "try_id", "try_currency", "try_interval", "try_key",
                ),
            },
        ),
        ("Notes", {"fields": ("notes",)}),
    )  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: QuerySet[Any] = super().get_queryset(request)
        return rows.filter(adapter_name=registry.DECLARED)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ("slug",) if obj else ()

    def get_inlines(self, request: HttpRequest, obj: Any) -> Any:
        return [CredentialInline] if obj and obj.adapter_class.auth else []

    @method_decorator(sensitive_post_parameters())
    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        context = {"show_save_and_add_another": False, **(extra_context or {})}
        response = super().changeform_view(request, object_id, form_url, context)
        # Only here: nobody holds a transaction while talking to the network.
        shown = getattr(response, "context_data", None)
        if "_try" in request.POST and shown and shown["adminform"].form.may_be_tried:
            shown["trial"] = shown["adminform"].form.tried()
        return response
