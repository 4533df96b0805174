"""
The rows of the catalogue: what an administrator may enable, order, key and limit, and what
happened when we asked.
"""

from __future__ import annotations

from functools import cached_property
from math import inf
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator, URLValidator
from django.db import models
from django.utils.timezone import now

from providers import registry, secrets
from providers.adapters import declared
from providers.adapters.mapping import NotAMapping
from providers.aimodels import AiModel as AiModel
from providers.assets import Asset, Contract, Kind, Listing
from providers.datasets import DATASETS
from providers.health import Health  # noqa: F401 (a model of its own file)
from providers.history import Edit as Edit
from providers.outcomes import Outcome as Outcome
from providers.personal import Tombstone as Tombstone
from providers.querysets import CallQuerySet, CredentialQuerySet, ProviderQuerySet
from providers.quota import with_plan
from providers.resilience import Breaker, Guard, Window
from providers.resources import Resource as Resource
from providers.shipped import Shipped as Shipped
from providers.tallies import Tally as Tally

if TYPE_CHECKING:
    from providers.adapters.base import Adapter

__all__ = [
    "AiModel",
    "Asset",
    "Call",
    "Cell",
    "Contract",
    "Credential",
    "DeclaredProvider",
    "Kind",
    "Listing",
    "Policy",
    "Profile",
    "Provider",
    "Scope",
    "Strategy",
    "WebAddress",
    "default_rests",
    "read_limits",
]


# Its listings stand under a name of 50 characters that begins with declared.PREFIX.
MOST_SLUG = 50 - len(declared.PREFIX)


class Scope(models.TextChoices):
    """Whom a window counts: our address, or one key."""

    ADDRESS = "address", "address"
    KEY = "key", "key"


def without_secret(address: str) -> None:
    """An address is shown, logged and exported; what only we may know does not belong in it."""
    if "@" in urlsplit(address).netloc:
        raise ValidationError("No password belongs in an address: enter it under Credentials.")


class WebAddress(models.URLField):  # type: ignore[type-arg]
    """An address of the web; typed without a scheme it is https."""

    default_validators = [  # noqa: RUF012
        URLValidator(
            schemes=["http", "https"],
            message="Enter an address of the web, such as https://api.example.org/v1.",
            code="not_web",  # a form would say its own words instead of "invalid"
        ),
        without_secret,
    ]

    def formfield(self, **kwargs: Any) -> Any:
        return super().formfield(**{"assume_scheme": "https", **kwargs})


# What a window is made of, and what stands beside it for whoever reads it.
OF_A_WINDOW = ("limit", "per_s", "burst", "scope", "source", "read_on", "why")


def read_limits(limits: Any) -> list[dict[str, Any]]:
    """The windows of a provider as validated objects; ValidationError names what is wrong."""
    if not isinstance(limits, list):
        raise ValidationError("Limits are a list of windows.")
    for window in limits:
        if not isinstance(window, dict):
            raise ValidationError("A window is an object such as {'limit': 30, 'per_s': 60}.")
        if unknown := sorted(map(str, window.keys() - OF_A_WINDOW)):
            known = ", ".join(OF_A_WINDOW)
            raise ValidationError(f"A window has no {unknown[0][:60]!r}. It may have: {known}.")
        for name in ("limit", "per_s"):
            if not _is_above_zero(window.get(name)):
                raise ValidationError(f"A window needs a {name!r} above 0.")
        burst = window.get("burst", 0)
        if burst != 0 and not (_is_above_zero(burst) and burst <= window["limit"]):
            raise ValidationError("A window's 'burst' is above 0 and within its limit.")
        if window.get("scope", Scope.ADDRESS) not in Scope.values:
            raise ValidationError(f"A window's scope is one of: {', '.join(Scope.values)}.")
    told_apart = {(window.get("scope", Scope.ADDRESS), window["per_s"]) for window in limits}
    if len(told_apart) < len(limits):
        raise ValidationError("Two windows of one scope differ in 'per_s'.")
    return limits


def _is_above_zero(value: Any) -> bool:
    return type(value) in (int, float) and 0 < value < inf


def _ladder(value: Any) -> None:
    if not isinstance(value, list) or not all(map(_is_above_zero, value)):
        raise ValidationError("Use a list of seconds, such as [5, 10, 60].")


def default_rests() -> list[float]:
    return list(Breaker().rests)


class Provider(models.Model):
    """An upstream we may ask. It names an adapter; `registry` knows it."""

    slug = models.SlugField(unique=True, help_text="What answers call it: 'coingecko_free'.")
    title = models.CharField(max_length=100)
    adapter_name = models.CharField(max_length=50, help_text="Who translates for it.")
    category = models.CharField(max_length=30, blank=True)
    base_url = WebAddress(
        blank=True, max_length=300, help_text="Leave empty for the adapter's own address."
    )
    docs_url = WebAddress(blank=True, max_length=300)
    enabled = models.BooleanField(
        default=True, help_text="Off: it is not asked again, in any process, within two seconds."
    )
    priority = models.PositiveSmallIntegerField(
        default=50,
        validators=[MaxValueValidator(100)],
        help_text="0 to 100. The highest is asked first.",
    )
    weight = models.PositiveSmallIntegerField(
        default=1,
        validators=[MaxValueValidator(1000)],
        help_text="Its share where a policy asks by weight: of 3 and 1, three in four questions. "
        "0: only when nobody else is left.",
    )
    cost_per_call = models.FloatField(
        null=True,
        blank=True,
        validators=[MinValueValidator(0)],
        help_text="US dollars that one call costs: the price of a plan over its calls. Empty: "
        "unknown, and counted as dearest where a policy asks the cheapest.",
    )
    timeout_s = models.FloatField(
        default=5.0,
        validators=[MinValueValidator(0.1), MaxValueValidator(120)],
        help_text="Seconds one call may take, from connecting to the last byte.",
    )
    min_fresh_s = models.FloatField(
        default=0,
        validators=[MinValueValidator(0)],
        help_text="Its answers are kept at least so many seconds before it is asked again.",
    )
    cached_only = models.BooleanField(
        default=False,
        help_text=(
            "No visitor's question reaches it: the worker alone asks it, when it keeps what is "
            "asked often fresh, and visitors are served what that brought."
        ),
    )
    attempts = models.PositiveSmallIntegerField(
        default=2,
        validators=[MinValueValidator(1), MaxValueValidator(5)],
        help_text="Tries within one call, for errors that are worth it (a dropped connection).",
    )
    limits = models.JSONField(
        default=list,
        blank=True,
        validators=[read_limits],
        help_text=(
            "Windows, all kept at once: [{'limit': 30, 'per_s': 60, 'burst': 5, "
            "'scope': 'address' or 'key'}]. Burst is what may go out at once."
        ),
    )
    rests_s = models.JSONField(
        default=default_rests,
        validators=[_ladder],
        help_text="Seconds it rests after the first, second, ... failure in a row; then doubling.",
    )
    rest_ceiling_s = models.FloatField(default=900, help_text="The longest rest after failures.")
    throttle_rests_s = models.JSONField(
        default=list,
        blank=True,
        validators=[_ladder],
        help_text=(
            "Seconds it rests at least after the first, second, ... 429 in a row. Empty: as long "
            "as it says, or else a minute, doubling."
        ),
    )
    throttle_ceiling_s = models.FloatField(default=3600, help_text="The longest rest after a 429.")
    blacklist_after = models.PositiveSmallIntegerField(
        default=0, help_text="So many 429s in a row are shown as a blacklisting. 0: never."
    )
    block_rest_s = models.FloatField(
        default=6 * 3600, help_text="How long it rests when it blocks this host (451, 418)."
    )
    options = models.JSONField(
        default=dict,
        blank=True,
        help_text="What its adapter wants to know: {'model': 'llama-3.1-8b-instant', 'dialect': "
        "'groq'} for language models, see docs/llm.md.",
    )
    mapping = models.JSONField(
        default=dict, blank=True, help_text="How a declared provider is asked: docs/declared.md."
    )
    notes = models.TextField(blank=True)
    # Variables that may hold a key of it, in their order: see `providers.envkeys`.
    key_env = models.JSONField(default=list, blank=True, editable=False)

    # Set by ProviderQuerySet.with_record().
    calls: int
    successes: int
    success_rate: float | None
    latency_s: float | None

    objects = ProviderQuerySet.as_manager()

    class Meta:
        ordering = ["-priority", "slug"]

    def __str__(self) -> str:
        return self.slug

    def clean(self) -> None:
        if self.adapter_name == registry.DECLARED:
            self._clean_mapping()
            return
        if not self.adapter_name:
            return  # the field says so itself
        try:
            self._clean_options(registry.get(self.adapter_name))
        except KeyError:
            names = ", ".join(adapter.name for adapter in registry.all())
            message = f"No adapter is called {self.adapter_name!r}. Choose one of: {names}."
            raise ValidationError({"adapter_name": message}) from None

    def _clean_options(self, adapter: type[Adapter]) -> None:
        try:
            if not isinstance(self.options, dict):
                raise ValueError("an object is expected, such as {'model': '...'}")
            adapter.of(self.options)
        except ValueError as error:
            raise ValidationError({"options": str(error)}) from None

    def _clean_mapping(self) -> None:
        try:
            declared.adapter_of(self.slug, self.mapping)
        except NotAMapping as error:
            raise ValidationError(error.errors) from None
        if len(self.slug) > MOST_SLUG:
            raise ValidationError(f"The slug of a declared provider has {MOST_SLUG} characters.")
        if not self.base_url:
            raise ValidationError("A declared provider has an address of its own.")

    @property
    def adapter_class(self) -> type[Adapter]:
        """The adapter this row names; KeyError for a dangling name (see providers.E001)."""
        if self.adapter_name != registry.DECLARED:
            adapter = registry.get(self.adapter_name)
            try:
                return adapter.of(self.options)
            except ValueError:
                return adapter  # options that were never cleaned: see `clean`
        try:
            return declared.adapter_of(self.slug, self.mapping)
        except NotAMapping:
            return declared.of_nobody(self.slug)

    @property
    def listed_as(self) -> str:
        """The adapter under whose name its listings stand."""
        adapter = self.adapter_class
        return adapter.listed_as or adapter.name

    @property
    def address(self) -> str:
        return self.base_url or self.adapter_class.base_url

    @property
    def needs_key(self) -> bool:
        """Does it answer nobody without a key?"""
        auth = self.adapter_class.auth
        return auth is not None and auth.required

    def windows(self, scope: Scope) -> list[Window]:
        return [
            Window(window["limit"], window["per_s"], window.get("burst", 0))
            for window in self.limits
            if window.get("scope", Scope.ADDRESS) == scope
        ]

    @property
    def breaker(self) -> Breaker:
        return Breaker(
            rests=tuple(self.rests_s) or Breaker().rests,
            ceiling=self.rest_ceiling_s,
            throttle_rests=tuple(self.throttle_rests_s),
            throttle_ceiling=self.throttle_ceiling_s,
            blacklist_after=self.blacklist_after,
            block_rest=self.block_rest_s,
            probe_lease=max(30.0, self.timeout_s * 2),
        )

    @cached_property
    def guard(self) -> Guard:
        """Breaker and the windows that count our address."""
        return Guard(self.slug, self.breaker, self.windows(Scope.ADDRESS))


class DeclaredProvider(Provider):
    """A provider whose dialect an operator declared: it has a page of its own in the admin."""

    class Meta:
        proxy = True
        verbose_name = "declared provider"


class Credential(models.Model):
    """
    One key of one provider: stored encrypted, never shown again, set aside alone; or the place of
    one that stands in an environment variable, and is not stored at all.
    """

    provider = models.ForeignKey(Provider, models.CASCADE, related_name="credentials")
    is_encrypted = True  # its `secret`: see `manage.py rotatekeys`
    label = models.CharField(max_length=60, help_text="How you tell this key from others.")
    secret = models.TextField(editable=False)  # a Fernet token; blank for a variable's
    env_name = models.CharField(max_length=60, blank=True, editable=False)  # the variable
    fingerprint = models.CharField(max_length=32, blank=True, editable=False)  # tells keys apart
    order = models.PositiveSmallIntegerField(default=0, help_text="The lowest is used first.")
    enabled = models.BooleanField(default=True)
    plan = models.CharField(max_length=100, blank=True, editable=False)  # as it calls it itself
    plan_limits = models.JSONField(default=list, blank=True, editable=False)  # see providers.plans
    plan_read_at = models.DateTimeField(null=True, blank=True, editable=False)
    set_aside_reason = models.CharField(max_length=200, blank=True, editable=False)
    set_aside_at = models.DateTimeField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(default=now, editable=False)

    objects = CredentialQuerySet.as_manager()

    class Meta:
        ordering = ["order", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["provider", "label"], name="one_label_a_key")
        ]

    def __str__(self) -> str:
        return f"{self.provider_id and self.provider.slug}: {self.label}"

    def set_key(self, key: str) -> None:
        """Encrypt and hold `key`; a new key starts with a clean record."""
        self.secret, self.fingerprint = secrets.encrypt(key), secrets.fingerprint(key)
        self.start_clean()

    def start_clean(self) -> None:
        """Nothing is known of this key: not that it is refused, nor its plan."""
        self.set_aside_reason, self.set_aside_at = "", None
        self.plan, self.plan_limits, self.plan_read_at = "", [], None

    def key(self) -> str:
        """The key in clear; raises `secrets.SecretUnreadable`."""
        if not self.env_name:
            return secrets.decrypt(self.secret)
        if self.env_name not in settings.PROVIDER_KEYS:
            raise secrets.SecretUnreadable(f"{self.env_name} is not set")
        found: str = settings.PROVIDER_KEYS[self.env_name]
        return found

    @property
    def guard_name(self) -> str:
        return f"{self.provider.slug}:key:{self.pk}"

    @cached_property
    def guard(self) -> Guard:
        """The quota of this key, and its own rests after a 429."""
        provider = self.provider
        return Guard(self.guard_name, provider.breaker, self.windows)

    @property
    def windows(self) -> list[Window]:
        """What counts this key: as its provider said of its plan, else as the catalogue says."""
        told = {limit["per_s"]: limit["limit"] for limit in self.plan_limits}
        return with_plan(self.provider.windows(Scope.KEY), told)


class Strategy(models.TextChoices):
    """Whom a dataset asks first; see `aggregator.selection`."""

    PRIORITY = "priority", "priority: highest first, then least failing, then fastest"
    ROUND_ROBIN = "round_robin", "round-robin: each in turn"
    WEIGHTED = "weighted", "weighted: each as often as its weight says"
    FASTEST = "fastest", "fastest: whose answers took least lately"
    FRESHEST = "freshest", "freshest: whose data was newest when it came"
    CHEAPEST = "cheapest", "cheapest: lowest cost a call, then as by priority"
    ADAPTIVE = "adaptive", "adaptive: who answers soonest, by what was learned lately"


class Policy(models.Model):
    """How long answers of one dataset are kept, and whom it asks first."""

    dataset = models.CharField(
        max_length=30, unique=True, choices=[(d.name, d.title) for d in DATASETS.values()]
    )
    fresh_s = models.FloatField(
        "fresh for, s",
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text="Served without asking again. Empty: the dataset's own time.",
    )
    stale_s = models.FloatField(
        "then served stale for, s",
        null=True,
        blank=True,
        validators=[MinValueValidator(0)],
        help_text="Served for so long after that, with its age, when nobody answers.",
    )
    strategy = models.CharField(max_length=20, choices=Strategy, default=Strategy.PRIORITY)

    class Meta:
        verbose_name_plural = "policies"
        ordering = ["dataset"]

    def __str__(self) -> str:
        return self.dataset


class Profile(models.Model):
    """The profile of priorities that is in force: one row at most; see `providers.priorities`."""

    name = models.CharField(max_length=30)
    since = models.DateTimeField()
    # Places ("kraken.priority") that an administrator had edited when it came into force.
    edits = models.JSONField(default=list)

    def __str__(self) -> str:
        return self.name


class Call(models.Model):
    """One attempt to get an answer from a provider, for a visitor or for a check."""

    provider = models.ForeignKey(Provider, models.CASCADE, related_name="calls_made")
    credential = models.ForeignKey(Credential, models.SET_NULL, null=True, blank=True)
    dataset = models.CharField(max_length=30)
    at = models.DateTimeField(default=now)
    outcome = models.CharField(max_length=20, help_text="'ok' or a code of providers.errors.")
    detail = models.CharField(max_length=200, blank=True)
    seconds = models.FloatField(help_text="From admission to the last byte read and understood.")
    bytes = models.PositiveIntegerField(default=0)
    rows = models.PositiveIntegerField(default=0)
    dropped = models.PositiveIntegerField(default=0, help_text="Rows that could not be read.")
    age_s = models.FloatField(
        null=True, blank=True, help_text="How old its newest row was, by its own word, in seconds."
    )
    cost = models.FloatField(default=1, help_text="In the provider's own unit.")
    purpose = models.CharField(max_length=10, default="visitor")

    objects = CallQuerySet.as_manager()

    class Meta:
        # The first answers `with_record` by itself, without a look at the rows.
        indexes = [
            models.Index(
                fields=["provider", "at", "outcome", "seconds"], name="calls_of_a_provider"
            ),
            models.Index(fields=["at"], name="calls_by_time"),
        ]
        ordering = ["-at", "-pk"]

    def __str__(self) -> str:
        return f"{self.provider_id} {self.dataset} {self.outcome}"


class Cell(models.Model):
    """A small shared value: see `providers.resilience.store`. Times in seconds since the epoch."""

    key = models.CharField(max_length=200, primary_key=True)
    value = models.TextField()
    version = models.BigIntegerField()
    expires_at = models.FloatField(db_index=True)

    def __str__(self) -> str:
        return self.key
