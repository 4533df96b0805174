"""The routes below /api/privacy: what people agreed to, what we hold of them, and its end."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponseBase, StreamingHttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from aggregator.api import schema
from aggregator.api.parsers import ExactJSONParser
from chat import holding, privacy
from chat.api.serializers import BodySerializer
from chat.api.views import PRIVATE, _caller, _valid
from chat.models import Purpose
from chat.models.privacy import NOTICE
from providers.parameters import Parameters
from providers.personal import Subject

WHOSE = "A conversation of yours, for who asks without a client key: its id is the proof."


class WhoseParameters(Parameters):
    conversation_id = serializers.UUIDField(required=False, help_text=WHOSE)


class ExportParameters(WhoseParameters):
    shape = serializers.ChoiceField(["json", "csv"], default="json")


class ConsentSerializer(BodySerializer):
    purpose = serializers.ChoiceField(Purpose.choices)
    granted = serializers.BooleanField()
    conversation_id = serializers.UUIDField(required=False, help_text=WHOSE)


class EraseSerializer(BodySerializer):
    confirm = serializers.BooleanField(help_text="True: there is no way back.")
    conversation_id = serializers.UUIDField(required=False, help_text=WHOSE)

    def validate_confirm(self, value: bool) -> bool:
        if not value:
            raise serializers.ValidationError("Send true: what is erased does not come back.")
        return value


class PurposeSerializer(serializers.Serializer[Any]):
    purpose = serializers.ChoiceField(Purpose.choices)
    means = serializers.CharField(help_text="In plain words.")
    granted = serializers.BooleanField(help_text="What holds now.")
    said_at = serializers.DateTimeField(
        allow_null=True, help_text="When you said so; null where the operator's policy holds."
    )


class ConsentsSerializer(serializers.Serializer[Any]):
    notice = serializers.IntegerField(help_text="The version of what is said at /chat/privacy.")
    purposes = PurposeSerializer(many=True)


class ExportSerializer(serializers.Serializer[Any]):
    subject = serializers.ChoiceField(["client", "pseudonym", "conversation"])
    exported_at = serializers.DateTimeField()
    held = serializers.DictField(child=serializers.ListField(child=serializers.DictField()))


class ErasedSerializer(serializers.Serializer[Any]):
    erased = serializers.DictField(child=serializers.IntegerField(), help_text="Rows, by what.")


def subject_of(request: Request, id: Any) -> Subject:
    """Whose data is asked for; a 400 names what is missing, a 404 tells nobody anything."""
    caller = _caller(request)
    if id is not None:
        return privacy.of_conversation(holding.find(id, caller))
    client = holding.client_of(caller)
    if client is None:
        raise ValidationError({"conversation_id": f"Needed without a client key. {WHOSE}"})
    return privacy.of_client(client)


class ConsentView(APIView):
    parser_classes = (ExactJSONParser,)

    @extend_schema(
        operation_id="get_consent",
        summary="What your questions may be used for",
        tags=["chat"],
        parameters=[WhoseParameters],
        responses=schema.responses(ConsentsSerializer, 400, 401, 403, 404, 429),
    )
    def get(self, request: Request) -> Response:
        asked = WhoseParameters.of(request)
        subject = subject_of(request, asked.get("conversation_id"))
        return Response(consents(subject), headers=PRIVATE)

    @extend_schema(
        operation_id="post_consent",
        summary="Agree to a use of your questions, or take that back",
        tags=["chat"],
        request=ConsentSerializer,
        responses=schema.responses(ConsentsSerializer, 400, 401, 403, 404, 413, 415, 422, 429),
    )
    def post(self, request: Request) -> Response:
        said = _valid(ConsentSerializer(data=request.data))
        subject = subject_of(request, said.get("conversation_id"))
        privacy.agree(subject, Purpose(said["purpose"]), said["granted"], "api")
        return Response(consents(subject), headers=PRIVATE)


def consents(subject: Subject) -> dict[str, Any]:
    return {"notice": NOTICE, "purposes": privacy.standing(subject)}


class ExportView(APIView):
    @extend_schema(
        operation_id="get_privacy_export",
        summary="Everything that is held of you",
        tags=["chat"],
        parameters=[ExportParameters],
        responses=schema.responses(ExportSerializer, 400, 401, 403, 404, 429),
    )
    def get(self, request: Request) -> HttpResponseBase:
        asked = ExportParameters.of(request)
        found = privacy.export(subject_of(request, asked.get("conversation_id")))
        if asked["shape"] == "json":
            return Response(found, headers=PRIVATE)
        response = StreamingHttpResponse(privacy.as_csv(found["held"]), content_type="text/csv")
        response["Content-Disposition"] = 'attachment; filename="my-data.csv"'
        response["Cache-Control"] = PRIVATE["Cache-Control"]
        return response


class EraseView(APIView):
    parser_classes = (ExactJSONParser,)

    @extend_schema(
        operation_id="post_privacy_erase",
        summary="Erase everything that is held of you, for good",
        tags=["chat"],
        request=EraseSerializer,
        responses=schema.responses(ErasedSerializer, 400, 401, 403, 404, 413, 415, 422, 429),
    )
    def post(self, request: Request) -> Response:
        said = _valid(EraseSerializer(data=request.data))
        gone = privacy.erase(subject_of(request, said.get("conversation_id")))
        return Response({"erased": gone}, headers=PRIVATE)
