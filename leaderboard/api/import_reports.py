"""What is handed in to be imported, and what is told of it, in the words of the schema."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from evals.runner.importing import FileState


class ImportOrder(serializers.Serializer[Any]):
    file = serializers.FileField(help_text="A trajectory, or a zip archive of a folder of them")
    benchmark = serializers.CharField(
        required=False, default="", help_text="Slug: where its tasks are looked for"
    )
    task = serializers.CharField(
        required=False, default="", help_text="Slug, where the file does not tell it"
    )
    model = serializers.CharField(
        required=False, default="", help_text="Name, where the file does not tell it"
    )


class ImportedFile(serializers.Serializer[Any]):
    name = serializers.CharField()
    state = serializers.ChoiceField([state.value for state in FileState])
    sentence = serializers.CharField(help_text="What came of it, or why it was refused")
    format = serializers.CharField(allow_null=True)
    runs = serializers.ListField(child=serializers.URLField(), help_text="Also those that were there before")


class ImportReport(serializers.Serializer[Any]):
    files = ImportedFile(many=True)
