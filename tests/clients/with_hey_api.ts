// TypeScript with a client that hey-api's openapi-ts has generated from the OpenAPI document.

import { createPartner, getMe, listPartners, updatePartner } from "./tonnage-client";
import { client } from "./tonnage-client/client.gen";

declare const process: { argv: string[] };

const [origin, key, contract] = process.argv.slice(2) as [string, string, string];

client.setConfig({ baseUrl: origin, auth: key });

/** The cursor in a Link header; undefined on the last page. */
function cursorOf(response?: Response): string | undefined {
  const next = /^<([^>]+)>; rel="next"$/.exec(response?.headers.get("Link") ?? "");
  return next ? (new URL(next[1]!).searchParams.get("cursor") ?? undefined) : undefined;
}

async function main() {
  const pages: string[][] = [];
  let cursor: string | undefined;
  do {
    const { data, response } = await listPartners({
      path: { contractID: contract },
      query: { limit: 2, cursor },
      throwOnError: true,
    });
    pages.push(data.map((partner) => partner.name));
    cursor = cursorOf(response);
  } while (cursor);

  const body = { name: "Made by a client", allocatedCapacity: 10 ** 12, distributorContractId: contract };
  const headers = { "Idempotency-Key": crypto.randomUUID() };
  const first = await createPartner({ body, headers, throwOnError: true });
  const second = await createPartner({ body, headers, throwOnError: true });

  const change = {
    path: { partnerID: first.data.id },
    headers: { "If-Match": first.response.headers.get("ETag")! },
    body: { name: "Changed by a client" },
  };
  const changed = await updatePartner({ ...change, throwOnError: true });
  const { error: stale } = await updatePartner(change);
  const { error: full } = await createPartner({ body: { ...body, allocatedCapacity: 10 ** 15 } });
  // @ts-expect-error: codes are a closed list
  if (stale?.code === "no_such_code") throw stale;
  if (stale?.code !== "precondition_failed" || full?.code !== "contract_full") {
    throw new Error(JSON.stringify([stale, full]));
  }

  const { data: me } = await getMe({ throwOnError: true });

  console.log(
    JSON.stringify({
      pages,
      ids: [first.data.id, second.data.id],
      replayed: [first, second].map(({ response }) => response.headers.get("Idempotency-Replayed")),
      changed: changed.data.name,
      stale: [stale.status, stale.code, stale.current?.["name"]],
      full: [full.status, full.code, full.requested! - full.remaining!],
      me: [me.kind, me.role, me.organisation.name],
    }),
  );
}

void main();
