"""Client keys as DRF sees them."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import AnonymousUser
from rest_framework.authentication import BaseAuthentication
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from aggregator import callers
from aggregator.callers import Caller


class ClientKeyAuthentication(BaseAuthentication):
    """`request.auth` is the Caller; `request.user` is nobody: a key opens data, not the admin."""

    def authenticate(self, request: Request) -> tuple[Any, Caller]:
        return AnonymousUser(), request.META.get(callers.ADMITTED) or self._identified(request)

    def _identified(self, request: Request) -> Caller:
        """For requests that did not come through the edge."""
        said = request.META.get
        key = callers.key_of(said("HTTP_X_API_KEY", ""), said("HTTP_AUTHORIZATION", ""))
        if key:
            callers.reload()
            return callers.identify(key)
        address = callers.address_of(said("REMOTE_ADDR", ""), said("HTTP_X_FORWARDED_FOR", ""))
        return callers.anonymous(address)

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


class MayAsk(BasePermission):
    """Whoever `identify` let in may read."""

    def has_permission(self, request: Request, view: Any) -> bool:
        return isinstance(request.auth, Caller)
