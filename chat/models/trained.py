"""What was trained, how it went, which model answers, and what an experiment compares."""

from __future__ import annotations

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.timezone import now

from chat.models.conversations import CATEGORIES, Conversation, Interaction
from chat.models.learning import DatasetVersion

ARMS = [("champion", "champion"), ("challenger", "challenger")]


class TrainingRun(models.Model):
    """One training. Whoever holds its lease trains it, so that no two workers do."""

    class State(models.TextChoices):
        QUEUED = "queued", "queued"
        RUNNING = "running", "running"
        PASSED = "passed", "passed"
        REFUSED = "refused", "refused by the gate"
        FAILED = "failed", "failed"

    dataset = models.ForeignKey(DatasetVersion, models.PROTECT, related_name="runs")
    seed = models.PositiveIntegerField(default=0, help_text="The same seed gives the same model.")
    state = models.CharField(
        max_length=8, choices=State.choices, default=State.QUEUED, db_index=True
    )
    progress_percent = models.PositiveSmallIntegerField(default=0)
    doing = models.CharField(max_length=100, blank=True)
    reasons = models.JSONField(default=list, help_text="Why the gate refused it.")
    error = models.TextField(blank=True)
    lease_token = models.PositiveIntegerField(default=0)
    lease_until = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    started_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True)
    at = models.DateTimeField(default=now)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-at"]

    def __str__(self) -> str:
        return f"training run {self.pk}"


class ModelVersion(models.Model):
    """
    A trained classifier. `code`, the first 12 digits of its hash, is what interactions remember.
    """

    class Role(models.TextChoices):
        """A shadow is asked beside the champion and not heard; a challenger answers some."""

        CANDIDATE = "candidate", "candidate"
        SHADOW = "shadow", "shadow"
        CHALLENGER = "challenger", "challenger"
        CHAMPION = "champion", "champion"
        RETIRED = "retired", "retired"

    code = models.CharField(max_length=12, unique=True)
    sha256 = models.CharField("SHA-256 of its artefact", max_length=64, unique=True)
    size_bytes = models.PositiveIntegerField()
    role = models.CharField(
        max_length=10, choices=Role.choices, default=Role.CANDIDATE, db_index=True
    )
    run = models.OneToOneField(TrainingRun, models.PROTECT, related_name="model")
    metrics = models.JSONField(default=dict, help_text="On the frozen questions.")
    trained_s = models.FloatField("seconds of training")
    at = models.DateTimeField(default=now)

    class Meta:
        ordering = ["-at"]
        constraints = [  # noqa: RUF012 (Django's own shape)
            models.UniqueConstraint(
                fields=["role"],
                condition=Q(role__in=["champion", "shadow", "challenger"]),
                name="one_model_in_a_role",
            )
        ]

    def __str__(self) -> str:
        return f"model {self.code}"


class Artefact(models.Model):
    """The bytes of a model, in the database so that every machine has them."""

    model = models.OneToOneField(
        ModelVersion, models.CASCADE, primary_key=True, related_name="artefact"
    )
    data = models.BinaryField()

    def __str__(self) -> str:
        return f"artefact of {self.model_id}"


class Deployment(models.Model):
    """One change of roles. Only ever added: the past of who answered."""

    class Action(models.TextChoices):
        PROMOTE = "promote", "promoted"
        ROLL_BACK = "roll_back", "rolled back"
        SHADOW = "shadow", "put into the shadow"
        CHALLENGE = "challenge", "began to challenge"
        RETIRE = "retire", "retired"

    model = models.ForeignKey(ModelVersion, models.CASCADE, related_name="deployments")
    previous = models.ForeignKey(
        ModelVersion, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    action = models.CharField(max_length=10, choices=Action.choices)
    by = models.CharField(max_length=150, blank=True, help_text="Empty: the system itself.")
    why = models.CharField(max_length=300, blank=True)
    at = models.DateTimeField(default=now)

    class Meta:
        ordering = ["-at", "-pk"]

    def __str__(self) -> str:
        return f"{self.action} of {self.model_id}"


class ShadowVote(models.Model):
    """What the shadow would have said to a question."""

    interaction = models.ForeignKey(Interaction, models.CASCADE, related_name="votes")
    model = models.ForeignKey(ModelVersion, models.CASCADE, related_name="votes")
    category = models.CharField(max_length=30, choices=CATEGORIES)
    confidence = models.FloatField()

    class Meta:
        constraints = [  # noqa: RUF012 (Django's own shape)
            models.UniqueConstraint(fields=["interaction", "model"], name="one_vote_of_a_shadow")
        ]

    def __str__(self) -> str:
        return f"{self.category} ({self.interaction_id})"


class Experiment(models.Model):
    """
    Some conversations are answered by the challenger, the others by the champion, until each has
    had `horizon` of them. With the champion as its own challenger it is an A/A test.
    """

    class State(models.TextChoices):
        RUNNING = "running", "running"
        FINISHED = "finished", "finished: its horizon is reached"
        STOPPED = "stopped", "stopped by hand"
        ROLLED_BACK = "rolled_back", "rolled back by a guard rail"

    name = models.CharField(max_length=80, unique=True)
    champion = models.ForeignKey(ModelVersion, models.PROTECT, related_name="+")
    challenger = models.ForeignKey(ModelVersion, models.PROTECT, related_name="+")
    salt = models.CharField(max_length=32, editable=False)
    share_percent = models.PositiveSmallIntegerField(
        "challenger's share, %",
        default=50,
        validators=[MinValueValidator(1), MaxValueValidator(99)],
        help_text="Of the conversations that the challenger answers.",
    )
    horizon = models.PositiveIntegerField(
        default=1250,
        validators=[MinValueValidator(100)],
        help_text="Conversations of each arm. 1,250 find a helpful rate of 75 % instead of 70 %.",
    )
    state = models.CharField(
        max_length=12, choices=State.choices, default=State.RUNNING, db_index=True
    )
    verdict = models.JSONField(default=dict, blank=True)
    at = models.DateTimeField("begun", default=now)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-at"]
        constraints = [  # noqa: RUF012 (Django's own shape)
            models.UniqueConstraint(
                fields=["state"], condition=Q(state="running"), name="one_experiment_at_a_time"
            )
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_running(self) -> bool:
        return bool(self.state == self.State.RUNNING)


class Exposure(models.Model):
    """A conversation that met one arm of an experiment."""

    experiment = models.ForeignKey(Experiment, models.CASCADE, related_name="exposures")
    conversation = models.ForeignKey(Conversation, models.CASCADE, related_name="exposures")
    arm = models.CharField(max_length=10, choices=ARMS)
    at = models.DateTimeField("first met", default=now)

    class Meta:
        constraints = [  # noqa: RUF012 (Django's own shape)
            models.UniqueConstraint(
                fields=["experiment", "conversation"], name="one_arm_for_a_conversation"
            )
        ]

    def __str__(self) -> str:
        return f"{self.arm} of {self.experiment_id}"
