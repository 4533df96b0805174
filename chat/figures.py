"""What alert rules can measure of the chat. None where too little was asked or said."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import Avg, Count, Q

from chat.models import Feedback, Interaction, Route
from monitoring.metrics import Figures, metric

LATELY, DAY = timedelta(hours=1), timedelta(days=1)
LEAST_QUESTIONS, LEAST_VOTES = 20, 10


@metric("classification_confidence", "Confidence of the classifier, of an hour", unit="%")
def classification_confidence(moment: datetime) -> Figures:
    """Of questions that were left to it: those it settled, and those where we asked back."""
    told = Interaction.objects.filter(
        route__in=[Route.CLASSIFIER, Route.CLARIFY], at__gt=moment - LATELY, at__lte=moment
    ).aggregate(mean=Avg("confidence"), number=Count("pk"))
    return {"": 100 * told["mean"] if told["number"] >= LEAST_QUESTIONS else None}


@metric("negative_feedback", "Thumbs down, of the votes of a day", unit="%")
def negative_feedback(moment: datetime) -> Figures:
    votes = Feedback.objects.filter(at__gt=moment - DAY, at__lte=moment)
    told = votes.filter(type__in=[Feedback.Type.UP, Feedback.Type.DOWN]).aggregate(
        number=Count("pk"), down=Count("pk", filter=Q(type=Feedback.Type.DOWN))
    )
    return {"": 100 * told["down"] / told["number"] if told["number"] >= LEAST_VOTES else None}
