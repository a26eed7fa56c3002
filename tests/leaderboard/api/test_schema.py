"""The schema says what the API does: no warnings, a summary and an example each, and answers that fit."""

import io
import json

import jsonschema
import pytest
import schemathesis
from django.core.management import call_command
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from hypothesis import HealthCheck, Phase, settings as effort
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from itbench_site.wsgi import application
from leaderboard.api.urls import urlpatterns

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


@pytest.fixture
def document(client):
    return json.loads(client.get("/api/schema/?format=json").content)


@pytest.fixture
def kept_connection():
    """A request ends without closing the connection, in whose transaction the rows of the test are."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


def operations_of(document):
    return [operation for path in document["paths"].values() for operation in path.values()]


def test_the_schema_is_valid_and_made_without_a_warning():
    text = io.StringIO()
    call_command("spectacular", "--validate", "--fail-on-warn", stdout=text)
    assert "openapi: 3." in text.getvalue()


def test_every_address_is_an_operation_with_a_summary(document):
    told = {operation["operationId"] for operation in operations_of(document)}
    assert told == {pattern.name for pattern in urlpatterns} - {"nowhere", "schema", "docs"}
    assert all(operation["summary"] and operation["description"] for operation in operations_of(document))


def test_every_operation_has_an_example_that_fits_its_schema(document):
    for operation in operations_of(document):
        content = operation["responses"]["200"]["content"]["application/json"]
        examples = [example["value"] for example in content["examples"].values()]
        assert examples, operation["operationId"]
        for example in examples:
            assert_fits(document, content["schema"], example)


def test_examples_leave_nothing_out(document):
    """Keys of an example are those of its schema, so that neither grows without the other."""
    for operation in operations_of(document):
        content = operation["responses"]["200"]["content"]["application/json"]
        (example,) = [example["value"] for example in content["examples"].values()]
        schema = resolved(document, content["schema"])
        if "results" in schema["properties"]:
            (example,) = example["results"]
            schema = resolved(document, schema["properties"]["results"]["items"])
        assert set(example) == set(schema["properties"]), operation["operationId"]


def resolved(document, schema):
    return document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]] if "$ref" in schema else schema


def assert_fits(document, schema, value):
    whole = {**schema, "components": nullable_as_types(document["components"])}
    jsonschema.Draft202012Validator(nullable_as_types(whole)).validate(value)


def nullable_as_types(schema):
    """Return an OpenAPI 3.0 schema as JSON Schema, which knows no `nullable`."""
    if isinstance(schema, list):
        return [nullable_as_types(inner) for inner in schema]
    if not isinstance(schema, dict):
        return schema
    plain = {key: nullable_as_types(inner) for key, inner in schema.items() if key != "nullable"}
    return {"anyOf": [plain, {"type": "null"}]} if schema.get("nullable") is True else plain


# In this process, and no database: the schema is made of the code.
api = schemathesis.openapi.from_wsgi("/api/schema/?format=json", application)


@pytest.mark.django_db
@pytest.mark.parametrize("real", [True, False], ids=["real rows", "any rows"])
@api.parametrize()
@effort(
    max_examples=12,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_whatever_is_asked_the_answer_is_one_the_schema_tells_of(case, real, site, settings, kept_connection):
    settings.ITBENCH_API_RATE = "1000000/min"
    if real:
        case.path_parameters = real_parameters(case, site)
    # Uncompressed: there is no HTTP client between that would undo it.
    case.call_and_validate(checks=CHECKS, headers={"Accept-Encoding": "identity"})


def real_parameters(case, site):
    known = {"id": site.runs[0].pk, "run": site.runs[0].pk, "number": 2, "benchmark": "b", "slug": "b"}
    if "/models/" in case.path:
        known["slug"] = "first"
    if "/tasks/" in case.path:
        known["slug"] = "task-1"
    if "/evaluations/" in case.path:
        known["id"] = site.evaluations[0].pk
    return {name: known[name] for name in case.path_parameters}
