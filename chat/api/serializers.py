"""What the chat is sent, and what it sends."""

from __future__ import annotations

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.settings import api_settings

from chat.categories import Category
from chat.inputs import LONGEST_QUERY, LONGEST_TEXT, Unreadable, text_of
from chat.models import Feedback, Route
from providers.parameters import Parameters

NON_FIELD = api_settings.NON_FIELD_ERRORS_KEY


@extend_schema_field(OpenApiTypes.STR)
class TextField(serializers.Field[str, Any, str, Any]):
    """A text as `inputs.text_of` takes it."""

    def __init__(self, longest: int, **kwargs: Any) -> None:
        self.longest = longest
        super().__init__(**kwargs)

    def to_internal_value(self, data: Any) -> str:
        try:
            return text_of(data, self.longest)
        except Unreadable as error:
            raise serializers.ValidationError(str(error)) from None

    def to_representation(self, value: str) -> str:
        return value


class BodySerializer(serializers.Serializer[Any]):
    """An object with fields we know."""

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, dict):
            raise serializers.ValidationError({"body": "An object was expected."})
        unknown = sorted(set(data) - set(self.fields))
        if unknown:
            raise serializers.ValidationError({name[:60]: "Unknown field." for name in unknown})
        return super().to_internal_value(data)


class QuestionSerializer(BodySerializer):
    query = TextField(LONGEST_QUERY, help_text=f"A question, up to {LONGEST_QUERY:,} characters.")
    conversation_id = serializers.UUIDField(
        required=False, allow_null=True, help_text="To go on with a conversation."
    )


class FeedbackSerializer(BodySerializer):
    interaction_id = serializers.UUIDField(help_text="The `id` of an answer.")
    type = serializers.ChoiceField(Feedback.Type.values)
    text = TextField(
        LONGEST_TEXT, required=False, help_text="What was wrong, or what would have been right."
    )
    category = serializers.ChoiceField(
        list(Category), required=False, help_text="What the question should have been taken for."
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs["type"] == Feedback.Type.CORRECTION and not (
            attrs.get("text") or attrs.get("category")
        ):
            raise serializers.ValidationError({"text": "A correction has a text or a category."})
        return attrs


class PageParameters(Parameters):
    limit = serializers.IntegerField(min_value=1, max_value=100, default=50)
    page = serializers.IntegerField(min_value=1, max_value=10_000, default=1)


# -- What is answered --------------------------------------------------------------------------


class ChatSourceSerializer(serializers.Serializer[Any]):
    provider = serializers.CharField()
    dataset = serializers.CharField()
    fetched_at = serializers.DateTimeField(allow_null=True, help_text="null: it does not age.")
    age_s = serializers.FloatField(allow_null=True)


class FactSerializer(ChatSourceSerializer):
    """A figure (subject, label, value, unit), or a passage (title, text, url, by)."""

    kind = serializers.CharField(help_text="`figure` or `passage`.")
    subject = serializers.CharField(required=False)
    label = serializers.CharField(required=False)  # type: ignore[assignment]
    value = serializers.FloatField(required=False)
    unit = serializers.CharField(required=False, allow_blank=True)
    computed = serializers.BooleanField(required=False, help_text="Made here of what was sent.")
    title = serializers.CharField(required=False)
    text = serializers.CharField(required=False, allow_blank=True)
    url = serializers.CharField(required=False, allow_null=True)
    by = serializers.CharField(required=False, allow_null=True)
    at = serializers.CharField(allow_null=True, help_text="The day or moment it is of, if not now.")


class AnswerSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    conversation_id = serializers.UUIDField()
    category = serializers.ChoiceField(list(Category))
    confidence = serializers.FloatField(help_text="0 to 1: how likely the category is right.")
    route = serializers.ChoiceField(Route.values, help_text="How the category was found.")
    entities = serializers.DictField(help_text="What the question names.")
    answer = serializers.CharField(help_text="Plain text; its figures are those of `data`.")
    data = FactSerializer(many=True)  # type: ignore[assignment]
    sources = ChatSourceSerializer(many=True)
    suggestions = serializers.ListField(child=serializers.CharField())


class InteractionSerializer(AnswerSerializer):
    query = serializers.CharField()
    at = serializers.DateTimeField()
    feedback = serializers.ListField(
        child=serializers.CharField(), help_text="Types of what was said to it."
    )


class ConversationSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    at = serializers.DateTimeField(help_text="When it began.")
    total = serializers.IntegerField(help_text="Questions in it.")
    interactions = InteractionSerializer(many=True)


class NotedSerializer(serializers.Serializer[Any]):
    interaction_id = serializers.UUIDField()
    type = serializers.ChoiceField(Feedback.Type.values)
    category = serializers.ChoiceField(list(Category), allow_null=True)
    at = serializers.DateTimeField()


def named(errors: Any) -> dict[str, Any]:
    """Errors by field, those of the whole under `body`."""
    return {"body" if name == NON_FIELD else str(name): found for name, found in errors.items()}
