"""Who may start and stop things: staff, and programs whose key says so."""

from __future__ import annotations

from typing import Any

from rest_framework.permissions import BasePermission
from rest_framework.request import Request


def operates(request: Request) -> bool:
    return bool(request.user.is_staff or getattr(request.auth, "is_operator", False))


def who(request: Request) -> str:
    """The name of a user, or how a program's calls are counted."""
    return str(request.user.get_username() or getattr(request.auth, "name", ""))


class Operates(BasePermission):
    message = "Only staff, and clients that are operators, may do this."

    def has_permission(self, request: Request, view: Any) -> bool:
        return operates(request)
