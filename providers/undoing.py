"""An edit put back, where nothing was done since and the old values are still valid."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.db import models

from providers import changes
from providers.history import Action, Edit, spell


class NotUndone(Exception):
    """Why not, in a sentence for people."""


def undo(edit: Edit, who: str) -> models.Model:
    """Put the old values back, as an edit of its own; returns the row. Raises NotUndone."""
    if edit.obstacle:
        raise NotUndone(edit.obstacle)
    if edit.action == Action.DELETED:
        return _bring_back(edit, who)
    row = edit.model._default_manager.select_for_update().filter(pk=edit.key)
    with changes.watched(who, row, undoes=edit.pk):
        found = row.first()
        if found is None:
            raise NotUndone("The row was deleted since.")
        _check_unchanged(edit, found)
        _fill(found, edit.before)
        _check(found)
        found.save(update_fields=[_column(found, name).name for name in edit.before])
    return found


def _check_unchanged(edit: Edit, row: models.Model) -> None:
    held = changes.snapshot(row).values
    for name, value in edit.after.items():
        if held.get(name) != value:
            what = _column(row, name).verbose_name
            raise NotUndone(
                f"It was changed again since: {what} is {spell(held.get(name))} now, not "
                f"{spell(value)} as this edit left it."
            )


def _bring_back(edit: Edit, who: str) -> models.Model:
    """A deleted row under its old number, with what went with it and has no key."""
    with changes.watched(who, undoes=edit.pk) as watch:
        row = _new(edit)
        watch.made(row)
        for part in Edit.objects.filter(batch=edit.batch, owner=edit.subject).order_by("pk"):
            if part.action == Action.DELETED and not part.obstacle:
                watch.made(_new(part))
    return row


def _new(edit: Edit) -> models.Model:
    if edit.model._default_manager.filter(pk=edit.key).exists():
        raise NotUndone("The row is there again.")
    row = edit.model(pk=edit.model._meta.pk.to_python(edit.key))
    _fill(row, edit.before)
    _check(row)
    row.save(force_insert=True)
    return row


def _fill(row: models.Model, values: dict[str, Any]) -> None:
    for name, value in values.items():
        setattr(row, name, _column(row, name).to_python(value))


def _column(row: models.Model, name: str) -> models.Field[Any, Any]:
    for column in row._meta.concrete_fields:
        if column.attname == name:
            return column
    raise NotUndone(f"There is no field {name!r} any more.")


def _check(row: models.Model) -> None:
    """As a form would: not what no form shows."""
    hidden = {column.name for column in row._meta.concrete_fields if not column.editable}
    try:
        row.full_clean(exclude=hidden)
    except ValidationError as error:
        said = "; ".join(
            f"{name}: {' '.join(texts)}" if name != "__all__" else " ".join(texts)
            for name, texts in error.message_dict.items()
        )
        raise NotUndone(f"The old values are no longer valid. {said}") from None
