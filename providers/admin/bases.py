"""Django's classes: generic for the type checker, and not at run time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from django import forms
from django.contrib import admin
from django.core.paginator import Paginator as _Paginator

if TYPE_CHECKING:
    ModelAdmin: TypeAlias = admin.ModelAdmin[Any]
    ModelForm: TypeAlias = forms.ModelForm[Any]
    TabularInline: TypeAlias = admin.TabularInline[Any, Any]
    Paginator: TypeAlias = _Paginator[Any]
else:
    ModelAdmin, TabularInline = admin.ModelAdmin, admin.TabularInline
    ModelForm, Paginator = forms.ModelForm, _Paginator

__all__ = ["ModelAdmin", "ModelForm", "Paginator", "TabularInline"]
