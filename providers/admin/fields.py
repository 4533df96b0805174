"""Form fields of the admin that need words of their own."""

from __future__ import annotations

import json
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models

from providers import registry
from providers.addresses import never_reached
from providers.models import Provider


class Json(forms.JSONField):
    """JSON to be edited by people: laid out to be read, and errors that say where and what."""

    example = '[{"limit": 30, "per_s": 60}]'

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs["widget"] = forms.Textarea(
            attrs={"rows": 9, "cols": 72, "class": "json", "spellcheck": "false"}
        )
        super().__init__(*args, **kwargs)

    def to_python(self, value: Any) -> Any:
        if self.disabled or value in self.empty_values:
            return [] if value in self.empty_values else value
        try:
            found = json.loads(value, parse_constant=_refuse)
            return [] if found is None else found
        except json.JSONDecodeError as error:
            raise ValidationError(
                f"This is not JSON: {error.msg} in line {error.lineno}, column {error.colno}. "
                f"Texts and names stand in double quotes: {self.example}."
            ) from None
        except (ValueError, RecursionError) as error:
            raise ValidationError(f"This is not JSON: {error}.") from None

    def bound_data(self, data: Any, initial: Any) -> Any:
        return initial if self.disabled else data

    def prepare_value(self, value: Any) -> Any:
        if value is None:
            return ""  # a row that is about to be added; null would come back as nothing at all
        if isinstance(value, str):
            return value  # what was typed, and is wrong
        return json.dumps(value, indent=2, ensure_ascii=False)

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return bool(self.to_python(data) != initial)
        except ValidationError:
            return True


class JsonObject(Json):
    """The same, where nothing is an object without members."""

    example = '{"model": "..."}'

    def to_python(self, value: Any) -> Any:
        found = super().to_python(value)
        return {} if found == [] else found


def refuse_what_is_out_of_reach(form: forms.BaseForm) -> None:
    """
    An address that we would never connect to is an error beside it, and not of the first call. A
    name may lead elsewhere tomorrow, and who is off may wait for a setting: neither is judged.
    """
    url = form.cleaned_data.get("base_url")
    if not url or not form.cleaned_data.get("enabled") or settings.SANDBOX:
        return
    if reason := never_reached(url, settings.ALLOW_PRIVATE_UPSTREAMS):
        form.add_error("base_url", reason)


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no number of JSON")


class NewKey(forms.CharField):
    """A secret that goes in and is never shown again: not even after an error in another field."""

    def __init__(self, **kwargs: Any) -> None:
        attrs = {"autocomplete": "new-password", "spellcheck": "false", "class": "vTextField"}
        widget = forms.PasswordInput(render_value=False, attrs=attrs)
        super().__init__(widget=widget, max_length=500, strip=True, **kwargs)

    def clean(self, value: Any) -> str:
        key: str = super().clean(value)
        if key and not (key.isascii() and key.isprintable() and " " not in key):
            # The key itself stays out of the message.
            raise ValidationError("A key is one word of plain characters: look for stray ones.")
        return key


def adapter_choices(current: str = "") -> list[tuple[str, str]]:
    """Every adapter, and the one a row names although it is gone."""
    names = [adapter.name for adapter in registry.all()]
    names += [current] if current == registry.DECLARED else []
    gone = [(current, f"{current} (does not exist)")] if current and current not in names else []
    return [("", "---------"), *gone, *((name, name) for name in names)]


def listing_choices(current: str = "") -> list[tuple[str, str]]:
    """Under whose name a listing may stand: of an adapter, or of one declared provider."""
    rows = Provider.objects.filter(adapter_name=registry.DECLARED).order_by("slug")
    mine = [(name, name) for name in sorted({row.listed_as for row in rows})]
    known = [*adapter_choices(), *(choice for choice in mine if choice not in adapter_choices())]
    return known if not current or (current, current) in known else adapter_choices(current) + mine


JSON_FIELDS: dict[type[models.Field[Any, Any]], dict[str, Any]] = {
    models.JSONField: {"form_class": Json}
}
