"""The shape of what the search answers, for the schema."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers


class FoundPlace(serializers.Serializer[Any]):
    turn = serializers.IntegerField(allow_null=True, help_text="Null: the answer")
    call = serializers.IntegerField(allow_null=True, help_text="Null: the turn's own words")
    field = serializers.ChoiceField(["command", "output", "message", "reasoning", "answer"])
    excerpt = serializers.CharField()


class FoundInRun(serializers.Serializer[Any]):
    url = serializers.URLField()
    page = serializers.URLField()
    id = serializers.IntegerField()
    benchmark = serializers.CharField(help_text="Slug")
    task = serializers.CharField(help_text="Slug")
    model = serializers.CharField(help_text="Slug")
    outcome = serializers.CharField(help_text="As on the page; the run's state where it has none")
    score = serializers.FloatField(allow_null=True)
    tags = serializers.ListField(child=serializers.CharField())
    harness = serializers.CharField(allow_null=True, help_text="Null: played here")
    places = FoundPlace(many=True)


class SearchAnswer(serializers.Serializer[Any]):
    url = serializers.URLField()
    page = serializers.URLField()
    count = serializers.IntegerField(help_text="Runs that are found")
    since_run = serializers.IntegerField(
        allow_null=True, help_text="Runs before it were not looked at; null: all were"
    )
    pages = serializers.IntegerField(help_text="Of twenty runs each")
    facets = serializers.DictField(
        child=serializers.DictField(child=serializers.IntegerField()), help_text="Runs by value"
    )
    results = FoundInRun(many=True)
