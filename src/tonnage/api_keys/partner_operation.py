"""Operations that a distributor may perform for one of its partners, and a partner for itself: one handler, two routes.

    @partner_operation(
        routes.get,
        "/partner/{partnerID}/storage-accounts/{accountID}",
        "/storage-account/{accountID}",
        role=Role.VIEWER,
        for_distributor="Get a storage account of a partner.",
        responses={200: {"model": StorageAccountResponse}},
    )
    async def get_account(call: ApiRequest, partner_id: UUID, accountID: str) -> Response:
        \"""Get a storage account.\"""

The first path is the distributor's: `partner_id` is its parameter `partnerID`. The second is the partner's own:
`partner_id` is the caller's organisation. All parameters after these two are handled by FastAPI as usual.
"""

import inspect
from collections.abc import Awaitable, Callable
from typing import Any, Concatenate, ParamSpec, TypeAlias
from uuid import UUID

from starlette.responses import Response

from tonnage.access.actor import Role
from tonnage.api_keys.guard import (
    ApiRequest,
    DistributorAdmin,
    DistributorStaff,
    DistributorViewer,
    PartnerAdmin,
    PartnerStaff,
    PartnerViewer,
)
from tonnage.web.schemas import UuidPath

P = ParamSpec("P")

Handler: TypeAlias = Callable[Concatenate[ApiRequest, UUID, P], Awaitable[Response]]

_GUARDS: dict[Role, tuple[Any, Any]] = {
    Role.VIEWER: (DistributorViewer, PartnerViewer),
    Role.STAFF: (DistributorStaff, PartnerStaff),
    Role.ADMIN: (DistributorAdmin, PartnerAdmin),
}


def partner_operation(
    register: Callable[..., Callable[[Any], Any]],
    distributor_path: str,
    partner_path: str,
    *,
    role: Role,
    for_distributor: str,
    **options: Any,
) -> Callable[[Handler[P]], Handler[P]]:
    """Register the handler twice with `register`, a method of a router such as `routes.get`; `options` go to both.

    In the documents the partner's operation has the handler's name and docstring. The distributor's has the docstring
    with `for_distributor` as its first paragraph, and `partner` as the second word of its name: `get_account` and
    `get_partner_account`.
    """

    def declare(handler: Handler[P]) -> Handler[P]:
        async def named_partner(call: ApiRequest, partnerID: UUID, *args: P.args, **kwargs: P.kwargs) -> Response:
            return await handler(call, partnerID, *args, **kwargs)

        async def own_partner(call: ApiRequest, *args: P.args, **kwargs: P.kwargs) -> Response:
            return await handler(call, call.actor.organisation_id, *args, **kwargs)

        name, text = handler.__name__, inspect.getdoc(handler) or ""
        _, gap, details = text.partition("\n\n")
        distributor, partner = _GUARDS[role]
        _replace_signature(named_partner, handler, call=distributor, partnerID=UuidPath)
        _replace_signature(own_partner, handler, call=partner)
        register(
            distributor_path,
            name=name.replace("_", "_partner_", 1),
            description=for_distributor + gap + details,
            tags=["Distributors"],
            **options,
        )(named_partner)
        register(partner_path, name=name, description=text, tags=["Partners"], **options)(own_partner)
        return handler

    return declare


def _replace_signature(route: Callable[..., object], handler: Callable[..., object], **first: Any) -> None:
    """Replaces the signature, from which FastAPI takes the parameters of a route: `first`, then the handler's without
    its first two.
    """
    signature = inspect.signature(handler)
    others = list(signature.parameters.values())[2:]
    parameters = [
        inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=kind)
        for name, kind in first.items()
    ]
    vars(route)["__signature__"] = signature.replace(parameters=[*parameters, *others])
