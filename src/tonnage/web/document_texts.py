"""What the API documents say about the API as a whole, and about the parameters of its paths."""

from typing import Any

ABOUT = "\n\n".join(
    (
        "Sell storage capacity through distributors and partners: contracts, partners, their storage accounts and "
        "daily usage.",
        "**Authorize**: every request except the list of regions needs the header `Authorization: Bearer "
        "<key>`. Press *Authorize* and paste `Bearer <key>`, including the word Bearer; every request from "
        "this page then sends it. A key belongs to a distributor, a partner or the operator and gives access to the "
        "operations of that kind.",
        "**Units**: capacities and usage are in bytes (1 TB is 1000000000000 bytes), times and days in UTC.",
        "**Lists** are complete and in order of creation. With `limit` they come in pages; the `Link` "
        "header has the next page.",
        "**Errors** have one format, `application/problem+json`: `code` is for programs, `detail` says what is wrong "
        "and what to do, `errors` names the fields, and `requestId` is what to quote when you ask for help. The "
        "address in `type` has a page about the code, as has `/errors` about all of them.",
    )
)

TAGS = [
    {
        "name": "Distributors",
        "description": "With a distributor's key: its contracts, and its partners with everything they have.",
    },
    {"name": "Partners", "description": "With a partner's key: its own storage accounts."},
    {
        "name": "Prices",
        "description": "With an admin's key of any organisation: what it charges its own buyers. The buyers of an "
        "operator are contracts, those of a distributor partners, those of a partner its storage accounts.",
    },
    {"name": "Operators", "description": "With an operator's key: what it keeps of its distributors."},
    {
        "name": "Statements",
        "description": "With a key of any organisation: what it charges for a month, and what it is charged.",
    },
    {
        "name": "Events",
        "description": "With a key of any organisation: what has happened, for programs that follow it.",
    },
    {
        "name": "Webhooks",
        "description": "With an admin's key of any organisation: events that are sent to your server.",
    },
    {"name": "Integrations", "description": "Without a key."},
    {
        "name": "Sandbox",
        "description": "With an operator's key, in an installation for trials whose clock you advance.",
    },
]

LICENSE = {"name": "Apache 2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"}
"""Of the program, and with it of the API."""

PATH_PARAMETERS: dict[str, dict[str, Any]] = {
    "contractID": {"description": "The id of one of your contracts: a UUID."},
    "distributorID": {"description": "The id of a distributor: a UUID."},
    "partnerID": {"description": "The id of one of your partners: a UUID."},
    "memberID": {"description": "The id of a member of the partner: a UUID."},
    "accountID": {
        "description": "The id of a storage account: 12 digits.",
        "schema": {"pattern": "^[0-9]{12}$"},
        "example": "482915730164",
    },
    "webhookID": {"description": "The id of one of your webhooks: a UUID."},
    "secretID": {"description": "The id of a secret of the webhook: a UUID."},
    "deliveryID": {"description": "The id of a delivery of the webhook: a number.", "example": "4711"},
    "bookID": {"description": "The id of one of your price books: a UUID."},
    "number": {
        "description": "The number of a version in its price book: 1 is the first one.",
        "schema": {"pattern": "^[1-9][0-9]{0,8}$"},
        "example": "1",
    },
    "month": {"description": "The month, UTC.", "example": "2026-11"},
    "statementID": {
        "description": "The id of a statement: of a draft `draft-`, the id of the buyer, and the month.",
        "example": "draft-4b14e456-ef23-46ed-9070-f5eaf1b5ef04-2026-11",
    },
    "adjustmentID": {"description": "The id of an adjustment: a UUID."},
    "line": {"description": "The number of a line of the statement: 1 is the first one.", "example": "1"},
    "accessKey": {
        "description": "The id of an access key of the storage account, never its secret.",
        "example": "TONNAGE4Q7Z0KX2M9RB1",
    },
}
