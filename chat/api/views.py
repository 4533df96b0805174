"""The routes below /api/chat: ask, look, say what was wrong."""

from __future__ import annotations

import time
from typing import Any, cast
from uuid import UUID

from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer
from rest_framework.views import APIView

from aggregator.api import schema
from aggregator.api.errors import Unprocessable
from aggregator.api.parsers import ExactJSONParser
from aggregator.callers import Caller
from chat import answering, holding, means, saying, shown
from chat.api import serializers as s
from chat.models import Feedback
from providers.errors import NotFound

PRIVATE = {"Cache-Control": "no-store"}


def _caller(request: Request) -> Caller:
    return cast(Caller, request.auth)


def _valid(asked: Serializer[Any]) -> dict[str, Any]:
    if not asked.is_valid():
        raise Unprocessable(s.named(asked.errors))
    found: dict[str, Any] = asked.validated_data
    return found


def _uuid(said: str) -> UUID:
    try:
        return UUID(said)
    except ValueError:
        raise NotFound(holding.UNKNOWN) from None


class ChatView(APIView):
    parser_classes = (ExactJSONParser,)

    @extend_schema(
        operation_id="post_chat",
        summary="Ask in plain words",
        tags=["chat"],
        request=s.QuestionSerializer,
        responses=schema.responses(s.AnswerSerializer, 400, 401, 403, 404, 413, 415, 422, 429, 503),
        examples=[
            OpenApiExample("A price", value={"query": "price of btc and eth"}, request_only=True)
        ],
    )
    def post(self, request: Request) -> Response:
        asked = _valid(s.QuestionSerializer(data=request.data))
        caller, id = _caller(request), asked.get("conversation_id")
        conversation = holding.find(id, caller) if id else holding.begin(caller)
        how = means.current(conversation)
        reply = answering.reply(asked["query"], conversation, how, is_new=id is None)
        return Response(shown.told(reply, time.time()), headers=PRIVATE)


class ConversationView(APIView):
    @extend_schema(
        operation_id="get_conversation",
        summary="A conversation, oldest question first",
        description="Of the newest `limit` questions; `page` 2 has those before.",
        tags=["chat"],
        parameters=[s.PageParameters, OpenApiParameter("id", UUID, OpenApiParameter.PATH)],
        responses=schema.responses(s.ConversationSerializer, 400, 401, 403, 404, 429),
    )
    def get(self, request: Request, id: str) -> Response:
        asked = s.PageParameters.of(request)
        limit, page = asked["limit"], asked["page"]
        conversation = holding.find(_uuid(id), _caller(request))
        rows = conversation.interactions.order_by("-at").prefetch_related("feedback")
        some = list(rows[limit * (page - 1) : limit * page])[::-1]
        body = shown.whole(conversation, some, rows.count(), time.time())
        return Response(body, headers=PRIVATE)


class FeedbackView(APIView):
    parser_classes = (ExactJSONParser,)

    @extend_schema(
        operation_id="post_chat_feedback",
        summary="Say whether an answer was right",
        tags=["chat"],
        request=s.FeedbackSerializer,
        responses=schema.responses(s.NotedSerializer, 400, 401, 403, 404, 413, 415, 422, 429),
        examples=[
            OpenApiExample(
                "A correction",
                value={
                    "interaction_id": "00000000-0000-4000-8000-000000000000",
                    "type": "correction",
                    "text": "I asked for the news.",
                    "category": "NEWS",
                },
                request_only=True,
            )
        ],
    )
    def post(self, request: Request) -> Response:
        said = _valid(s.FeedbackSerializer(data=request.data))
        interaction = holding.interaction(said["interaction_id"], _caller(request))
        kept = saying.note(
            interaction, Feedback.Type(said["type"]), said.get("text", ""), said.get("category", "")
        )
        body = {
            "interaction_id": interaction.id,
            "type": kept.type,
            "category": kept.category or None,
            "at": kept.at,
        }
        return Response(body, headers=PRIVATE)
