"""Templates: the shape of a template message, and whether the account has such a template."""

from typing import Any

from metasim.codes import GraphError
from metasim.fields import Fields
from metasim.world import Template

COMPONENTS = frozenset(
    {"header", "body", "button", "footer", "carousel", "limited_time_offer", "order_status"}
)
BUTTONS = frozenset(
    {"quick_reply", "url", "copy_code", "flow", "catalog", "mpm", "voice_call", "order_details"}
)
STATUSES = frozenset({"APPROVED", "PENDING", "REJECTED", "PAUSED", "DISABLED"})

_REFUSED = {"PAUSED": 132015, "DISABLED": 132016}
_UNKNOWN = 132001


def templates_of(fields: Fields) -> tuple[Template, ...] | None:
    """``templates`` of a number's registration; None for anything goes."""
    if fields.value("templates", None) is None:
        return None
    listed = fields.value("templates", [])
    given = fields.objects("templates") if listed else []
    return tuple(_template(Fields(item)) for item in given)


def check_known(templates: tuple[Template, ...] | None, content: dict[str, Any]) -> None:
    """Refuse a template that the account does not have or may not send. Raises GraphError."""
    if templates is None:
        return
    name, language = content["name"], content["language"]["code"]
    found = [item for item in templates if (item.name, item.language) == (name, language)]
    if not found:
        raise GraphError(_UNKNOWN, f"template name ({name}) does not exist in {language}")
    if found[0].status != "APPROVED":
        # One that is not approved yet is answered as if it were not there.
        raise GraphError(_REFUSED.get(found[0].status, _UNKNOWN), f"template name ({name})")
    wanted = found[0].parameters
    given = _body_parameters(content)
    if wanted is not None and given != wanted:
        raise GraphError(
            132000, f"body: number of localizable_params ({given}) does not match ({wanted})"
        )


def check_shape(content: dict[str, Any]) -> None:
    """Refuse components that are no components. Raises GraphError 131008 or 131009."""
    components = content.get("components")
    if components is None:
        return
    if not isinstance(components, list):
        raise GraphError(131009, "Param template['components'] must be an array.")
    for place, component in enumerate(components):
        _check_component(component, f"template['components'][{place}]")


def _check_component(component: Any, where: str) -> None:
    if not isinstance(component, dict):
        raise GraphError(131009, f"Param {where} must be an object.")
    kind = str(component.get("type", "")).lower()
    if kind not in COMPONENTS:
        raise GraphError(131009, f"Param {where}['type'] is not a known component.")
    if kind == "button":
        if str(component.get("sub_type", "")).lower() not in BUTTONS:
            raise GraphError(131008, f"Parameter {where}['sub_type'] is required.")
        if not str(component.get("index", "")).isdecimal():
            raise GraphError(131008, f"Parameter {where}['index'] is required.")
    parameters = component.get("parameters", [])
    if not isinstance(parameters, list):
        raise GraphError(131009, f"Param {where}['parameters'] must be an array.")
    for parameter in parameters:
        if not isinstance(parameter, dict) or not isinstance(parameter.get("type"), str):
            raise GraphError(131008, f"Parameter {where}['parameters'][…]['type'] is required.")
        if parameter["type"] == "text" and not isinstance(parameter.get("text"), str):
            raise GraphError(131008, f"Parameter {where}['parameters'][…]['text'] is required.")


def _body_parameters(content: dict[str, Any]) -> int:
    return sum(
        len(component.get("parameters", []))
        for component in content.get("components") or []
        if str(component["type"]).lower() == "body"
    )


def _template(item: Fields) -> Template:
    return Template(
        name=item.text("name"),
        language=item.text("language"),
        status=item.choice("status", STATUSES, "APPROVED"),
        parameters=item.integer("parameters", None),
    )
