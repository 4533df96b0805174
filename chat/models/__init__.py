"""The rows of the chat."""

from __future__ import annotations

from chat.models.conversations import Conversation, Feedback, Interaction, Route
from chat.models.learning import DatasetContent, DatasetVersion, Example, ReviewItem
from chat.models.privacy import AuditEvent, Consent, PrivacyPolicy, Purpose
from chat.models.trained import (
    Artefact,
    Deployment,
    Experiment,
    Exposure,
    ModelVersion,
    ShadowVote,
    TrainingRun,
)

__all__ = [
    "Artefact",
    "AuditEvent",
    "Consent",
    "Conversation",
    "DatasetContent",
    "DatasetVersion",
    "Deployment",
    "Example",
    "Experiment",
    "Exposure",
    "Feedback",
    "Interaction",
    "ModelVersion",
    "PrivacyPolicy",
    "Purpose",
    "ReviewItem",
    "Route",
    "ShadowVote",
    "TrainingRun",
]
