"""Python with bravado, which reads the Swagger 2.0 document when it starts."""

# pyright: basic
# bravado's models and operations have no types.

import json
import sys
import uuid
from urllib.parse import parse_qs, urlsplit

from bravado.client import SwaggerClient
from bravado.exception import HTTPConflict, HTTPError, HTTPPreconditionFailed
from bravado.requests_client import RequestsClient
from requests.utils import parse_header_links

origin, key, contract = sys.argv[1:]

http_client = RequestsClient()
http_client.set_api_key(origin.partition("//")[2], f"Bearer {key}", "Authorization", "header")
client = SwaggerClient.from_url(
    f"{origin}/swagger/doc.json", http_client=http_client, config={"also_return_response": True}
)
Problem = client.get_model("api.Problem")


def cursor_of(link):
    """The cursor in a Link header; None on the last page."""
    return next((parse_qs(urlsplit(one["url"]).query)["cursor"][0] for one in parse_header_links(link or "")), None)


def problem_of(error: HTTPError):
    """bravado itself only reads `application/json`."""
    return Problem._unmarshal(error.response.json())  # bravado's name of a public method


pages = []
cursor = None
while not pages or cursor:
    partners, response = client.Distributors.listPartners(contractID=contract, limit=2, cursor=cursor).result()
    pages.append([partner.name for partner in partners])
    cursor = cursor_of(response.headers.get("Link"))

new = {"name": "Made by a client", "allocatedCapacity": 10**12, "distributorContractId": contract}
once = {"Idempotency-Key": str(uuid.uuid4())}
created, first = client.Distributors.createPartner(partnerDetails=new, **once).result()
repeated, second = client.Distributors.createPartner(partnerDetails=new, **once).result()

seen = {"If-Match": first.headers["ETag"]}
change = {"partnerID": created.id, "partnerDetails": {"name": "Changed by a client"}}
changed, _ = client.Distributors.updatePartner(**change, **seen).result()
try:
    client.Distributors.updatePartner(**change, **seen).result()
except HTTPPreconditionFailed as error:
    stale = problem_of(error)

try:
    client.Distributors.createPartner(partnerDetails={**new, "allocatedCapacity": 10**15}).result()
except HTTPConflict as error:
    full = problem_of(error)

# The Swagger 2.0 document has the operations under /v1 alone: others are asked for with the same HTTP client.
me = http_client.request({"method": "GET", "url": f"{origin}/ext/v1/me"}).result().json()  # pyright: ignore[reportAttributeAccessIssue]

json.dump(
    {
        "pages": pages,
        "ids": [created.id, repeated.id],
        "replayed": [response.headers.get("Idempotency-Replayed") for response in (first, second)],
        "changed": changed.name,
        "stale": [stale.status, stale.code, stale.current["name"]],
        "full": [full.status, full.code, full.requested - full.remaining],
        "me": [me["kind"], me["role"], me["organisation"]["name"]],
    },
    sys.stdout,
)
