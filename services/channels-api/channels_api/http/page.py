"""The page that people read, made from the OpenAPI document. It needs no script and nothing else."""

import json
from base64 import b64encode
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markdown_it import MarkdownIt
from markupsafe import Markup

Json = dict[str, Any]

_MARKDOWN = MarkdownIt("commonmark", {"html": False})
_TEMPLATES = Environment(
    loader=PackageLoader("channels_api", "http/templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


@dataclass(frozen=True, slots=True)
class Field:
    """A parameter, or a member of an object."""

    name: str
    kind: Markup
    note: str
    """Where it goes and whether it must be given."""
    description: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What may be answered."""

    status: str
    description: str
    kind: Markup


@dataclass(frozen=True, slots=True)
class Call:
    """An operation."""

    id: str
    method: str
    path: str
    summary: str
    description: str
    fields: tuple[Field, ...]
    body: Markup
    outcomes: tuple[Outcome, ...]
    example: str


@dataclass(frozen=True, slots=True)
class Shape:
    """A named schema."""

    name: str
    description: str
    fields: tuple[Field, ...]


def page(document: Json) -> str:
    """The whole page."""
    style = _TEMPLATES.get_template("reference.css").render()
    calls = {tag["name"]: tuple(_calls(document, tag["name"])) for tag in document["tags"]}
    return _TEMPLATES.get_template("reference.html").render(
        info=document["info"],
        tags=document["tags"],
        calls=calls,
        shapes=[_shape(name, each) for name, each in document["components"]["schemas"].items()],
        markdown=lambda text: Markup(_MARKDOWN.render(text)),  # noqa: S704 - it escapes what is HTML
        style=Markup(style),  # noqa: S704 - our own file
    )


def policy_of(html: str) -> str:
    """The Content-Security-Policy of the page: its own style sheet and nothing else."""
    style = html.partition("<style>")[2].partition("</style>")[0]
    return (
        f"default-src 'none'; style-src 'sha256-{_hash(style)}'; base-uri 'none'; "
        "form-action 'none'; frame-ancestors 'none'"
    )


def _hash(text: str) -> str:
    return b64encode(sha256(text.encode()).digest()).decode()


def _calls(document: Json, tag: str) -> Iterator[Call]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            if tag in operation["tags"]:
                yield _call(document, method.upper(), path, operation)


def _call(document: Json, method: str, path: str, operation: Json) -> Call:
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    return Call(
        id=operation["operationId"],
        method=method,
        path=path,
        summary=operation["summary"],
        description=operation["description"],
        fields=tuple(
            Field(
                each["name"],
                _kind(each["schema"]),
                f"{each['in']}, required" if each["required"] else each["in"],
                each["description"],
            )
            for each in operation["parameters"]
        ),
        body=_kind(body["schema"]) if body else Markup(),
        outcomes=tuple(_outcomes(document, operation["responses"])),
        example=_example(document, method, path, operation, body),
    )


def _outcomes(document: Json, responses: Json) -> Iterator[Outcome]:
    for status, response in responses.items():
        if "$ref" in response:
            found = document["components"]["responses"][_name(response)]
            yield Outcome(status, found["description"], Markup())
        else:
            yield Outcome(status, response["description"], _carried(response.get("content", {})))


def _carried(content: Json) -> Markup:
    parts = (
        _kind(each["schema"])
        if media == "application/json"
        else Markup("<code>{}</code>").format(media)
        for media, each in content.items()
    )
    return Markup(" or ").join(parts)


def _example(document: Json, method: str, path: str, operation: Json, body: Json) -> str:
    parts = [f'curl{"" if method == "GET" else f" -X {method}"} "$URL{path}"']
    if operation.get("security") != []:
        parts.append('-H "X-API-Key: $KEY"')
    given = (
        next(iter(_resolved(document, body["schema"]).get("examples", ())), None) if body else None
    )
    if given is not None:
        parts.append("-H 'Content-Type: application/json'")
        parts.append(f"-d '{json.dumps(given, ensure_ascii=False)}'")
    return " \\\n  ".join(parts)


def _resolved(document: Json, schema: Json) -> Json:
    found: Json = document["components"]["schemas"][_name(schema)] if "$ref" in schema else schema
    return found


def _shape(name: str, schema: Json) -> Shape:
    required = schema.get("required", ())
    return Shape(
        name,
        schema.get("description", ""),
        tuple(
            Field(
                field,
                _kind(each),
                "" if field in required else "may be absent",
                each.get("description", ""),
            )
            for field, each in schema.get("properties", {}).items()
        ),
    )


def _kind(schema: Json) -> Markup:
    """What a value is, in words."""
    if "$ref" in schema:
        name = _name(schema)
        return Markup('<a href="#{0}">{0}</a>').format(name)
    for choice in ("anyOf", "oneOf"):
        if choice in schema and "type" not in schema:
            return Markup(" or ").join(map(_kind, schema[choice]))
    if "enum" in schema:
        return Markup(" · ").join(Markup("<code>{}</code>").format(one) for one in schema["enum"])
    if "const" in schema:
        return Markup("<code>{}</code>").format(schema["const"])
    return _plain(schema)


def _plain(schema: Json) -> Markup:
    kind = schema.get("type", "any value")
    if kind == "array":
        return Markup("list of {}").format(_kind(schema["items"]))
    if kind == "object" and isinstance(schema.get("additionalProperties"), dict):
        return Markup("object of {}").format(_kind(schema["additionalProperties"]))
    return Markup("{}").format(" ".join((str(schema.get("format", kind)), *_bounds(schema))))


def _bounds(schema: Json) -> Iterable[str]:
    for low, high in (("minimum", "maximum"), ("minLength", "maxLength")):
        if high in schema:
            of = "" if low == "minimum" else " characters"
            yield f"{schema.get(low, 0)}..{schema[high]}{of}"
    if schema.get("default") is not None:
        yield f"(default {json.dumps(schema['default'])})"


def _name(ref: Json) -> str:
    name: str = ref["$ref"].rpartition("/")[2]
    return name
