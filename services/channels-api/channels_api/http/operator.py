"""The operator of the house: the tenant that the first key belongs to."""

from aiohttp import web

from shared.http.keys import PRINCIPAL
from shared.http.problem import Problem

OPERATOR_ONLY = (403, "operator-only")


def only_operator(request: web.Request, operator: str) -> None:
    """Go on when the caller is of the operator's tenant; a Problem 403 otherwise."""
    if request[PRINCIPAL].tenant != operator:
        raise Problem(403, "operator-only", "Only the operator's own tenant may do this.")
