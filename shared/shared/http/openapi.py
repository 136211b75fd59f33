"""The OpenAPI 3.1 document: what operations declare, and what every one of them may answer."""

import inspect
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode

from shared.contracts.problems import PROBLEMS
from shared.http.operations import JSON, VARIABLE, Operation
from shared.http.problem import PROBLEM_ROOT, PROBLEM_TYPE, ProblemShape

Json = dict[str, Any]
Statuses = defaultdict[int, list[str]]
"""Names of problems by status."""

DIALECT = "https://json-schema.org/draft/2020-12/schema"
SCHEMAS = "#/components/schemas/{model}"
OURS = re.compile(r"\b(\w+?)Shape$")


@dataclass(frozen=True, slots=True)
class Section:
    """Operations that belong together, under the name that the client library gives them."""

    name: str
    description: str
    variable: str
    """What the variable of their paths is."""
    operations: Sequence[Operation]


def document(title: str, version: str, description: str, sections: Sequence[Section]) -> Json:
    """The document of the whole API."""
    schemas = _Schemas(operation for section in sections for operation in section.operations)
    refusals: dict[str, Json] = {}
    paths: dict[str, Json] = defaultdict(dict)
    for section in sections:
        for operation in section.operations:
            paths[operation.path][operation.method.lower()] = _operation(
                section, operation, schemas, refusals
            )
    made: Json = _readable(
        {
            "openapi": "3.1.0",
            "info": {"title": title, "version": version, "description": description},
            "jsonSchemaDialect": DIALECT,
            "servers": [{"url": "/"}],
            "security": [{"apiKey": []}],
            "tags": [{"name": each.name, "description": each.description} for each in sections],
            "paths": dict(paths),
            "components": {
                "schemas": schemas.definitions(),
                "responses": dict(sorted(refusals.items())),
                "securitySchemes": {
                    "apiKey": {
                        "type": "apiKey",
                        "in": "header",
                        "name": "X-API-Key",
                        "description": "`hx_` and 43 characters; `humane keys create` makes one.",
                    }
                },
            },
        }
    )
    return made


def _readable(node: Any) -> Any:
    """Without the ends of our own names (``UserShape``), and with prose in Markdown."""
    if isinstance(node, list):
        return [_readable(item) for item in node]
    if isinstance(node, dict):
        return {OURS.sub(r"\1", key): _readable(value) for key, value in node.items()}
    if not isinstance(node, str):
        return node
    if OURS.search(node) and (node.startswith("#/") or " " not in node):
        return OURS.sub(r"\1", node)
    return node.replace("``", "`")


class _Generator(GenerateJsonSchema):
    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002 - the name says it all
        return False

    def sort(self, value: Json, parent_key: str | None = None) -> Json:  # noqa: ARG002 - our order tells more
        return value


class _Schemas:
    """Schemas of bodies and answers, made at once so that they share names."""

    def __init__(self, operations: Iterable[Operation]) -> None:
        wanted: dict[tuple[Any, JsonSchemaMode], None] = {(ProblemShape, "serialization"): None}
        for operation in operations:
            if operation.body is not None:
                wanted[operation.body, "validation"] = None
            if operation.answer is not None:
                wanted[operation.answer, "serialization"] = None
        inputs = [(number, mode, TypeAdapter(type_)) for number, (type_, mode) in enumerate(wanted)]
        made, shared = TypeAdapter.json_schemas(
            inputs, ref_template=SCHEMAS, schema_generator=_Generator
        )
        self._defined: dict[str, Json] = shared["$defs"]
        self._made = {key: made[number, key[1]] for number, key in enumerate(wanted)}

    def of(self, type_: Any, mode: JsonSchemaMode) -> Json:
        return dict(self._made[type_, mode])

    def definitions(self) -> dict[str, Json]:
        return dict(sorted(self._defined.items()))


def _operation(
    section: Section, operation: Operation, schemas: _Schemas, refusals: dict[str, Json]
) -> Json:
    summary, _, more = (inspect.getdoc(operation.handler) or "").partition("\n")
    described: Json = {
        "tags": [section.name],
        "operationId": f"{section.name}.{operation.handler.__name__}",
        "summary": summary.rstrip("."),
        "description": _description(more, operation),
        "parameters": list(_parameters(section, operation)),
    }
    if operation.keyless:
        described["security"] = []
    if operation.body is not None:
        described["requestBody"] = {
            "required": not operation.body_optional,
            "content": {JSON: {"schema": schemas.of(operation.body, "validation")}},
        }
    success: Json = {"description": HTTPStatus(operation.status).phrase}
    if operation.answer is not None:
        answer = schemas.of(operation.answer, "serialization")
        success["content"] = {operation.media_type: {"schema": answer}}
    described["responses"] = {str(operation.status): success}
    for status, slugs in sorted(_problems(operation).items()):
        name = ".".join((str(status), *slugs))
        refusals.setdefault(name, _refusal(slugs, schemas))
        described["responses"][str(status)] = {"$ref": f"#/components/responses/{name}"}
    return described


def _description(more: str, operation: Operation) -> str:
    more = re.sub(r"(?<!\n)\n(?!\n)", " ", more.strip())
    needs = "" if operation.scope is None else f"Needs the scope `{operation.scope}`."
    return "\n\n".join(part for part in (more, needs) if part)


def _parameters(section: Section, operation: Operation) -> Iterator[Json]:
    for name in VARIABLE.findall(operation.path):
        yield {
            "name": name,
            "in": "path",
            "required": True,
            "description": section.variable,
            "schema": {"type": "string", "minLength": 1},
        }
    if operation.query is not None:
        yield from _query(operation.query.model_json_schema(schema_generator=_Generator))
    for header in operation.headers:
        schema: Json = {"type": "string"}
        if header.pattern is not None:
            schema["pattern"] = header.pattern
        yield {
            "name": header.name,
            "in": "header",
            "required": header.required,
            "description": header.description,
            "schema": schema,
        }


def _query(model: Json) -> Iterator[Json]:
    required = model.get("required", ())
    for name, field in model["properties"].items():
        schema = {key: value for key, value in field.items() if key != "description"}
        # What is absent is not null: a query parameter cannot say that.
        given = [one for one in schema.pop("anyOf", ()) if one != {"type": "null"}]
        for one in (schema, *given):
            schema = schema | (_local(model, one) if "$ref" in one else one)
        schema.pop("$ref", None)
        if schema.get("default", ...) is None:
            del schema["default"]
        yield {
            "name": name,
            "in": "query",
            "required": name in required,
            "description": field.get("description", ""),
            "schema": schema,
        }


def _local(model: Json, ref: Json) -> Json:
    kinds = ("type", "enum", "format")
    found: Json = model["$defs"][ref["$ref"].rpartition("/")[2]]
    return {key: value for key, value in found.items() if key in kinds}


def _problems(operation: Operation) -> Statuses:
    """What it may answer in place of a success: the usual, and its own."""
    found: Statuses = defaultdict(list)
    if not operation.keyless:
        found[401] += ["key-missing", "key-unknown", "key-expired"]
        found[429].append("too-many-failures")
        found[503].append("keys-unavailable")
    if operation.scope is not None:
        found[403].append("scope-missing")
    if VARIABLE.search(operation.path):
        found[404].append("not-found")
    if operation.body is not None:
        found[408].append("body-too-slow")
        found[413].append("body-too-large")
    if operation.body is not None and not operation.body_unread:
        found[400].append("malformed-json")
        found[422].append("invalid-request")
    elif operation.query is not None or any(header.pattern for header in operation.headers):
        found[422].append("invalid-request")
    found[500].append("internal-error")
    found[503].append("unavailable")
    for status, slug in operation.problems:
        found[status].append(slug)
    return found


def _refusal(slugs: Sequence[str], schemas: _Schemas) -> Json:
    told = "\n".join(f"- `{slug}`: {PROBLEMS[slug].means} {PROBLEMS[slug].do}" for slug in slugs)
    kinds = {"properties": {"type": {"enum": [PROBLEM_ROOT + slug for slug in slugs]}}}
    schema = {"allOf": [schemas.of(ProblemShape, "serialization"), kinds]}
    return {"description": told, "content": {PROBLEM_TYPE: {"schema": schema}}}
