"""The codes of what is wrong with the request itself, or with who sends it; and of a crash."""

from tonnage.error_codes.code import Code, Explanation


class RequestCode(Code):
    """Statuses 400 to 500, except 409."""

    MALFORMED_REQUEST = Explanation(
        400,
        "The request is not HTTP as its standard defines it, or has no usable Host header.",
        "Correct the program or the proxy that sends it.",
        "The request has no Host header. Send one.",
    )
    MALFORMED_BODY = Explanation(
        400,
        "The body is empty, or is not valid JSON in UTF-8.",
        "Send one JSON object, in which each name occurs once.",
        "The body has the same name twice in one object. Send each name once.",
    )
    MALFORMED_PARAMETER = Explanation(
        400,
        "A value in the path or the query cannot be read: an id that is not a UUID, a day that is not YYYY-MM-DD, "
        "a cursor that no list has returned.",
        "Correct the values that `errors` names.",
        "contractID: must be a UUID of 36 characters",
    )
    AUTHORIZATION_MISSING = Explanation(
        401,
        "The request has no header `Authorization: Bearer <key>`, or more than one.",
        "Send the header with your API key, including the word Bearer.",
        "Authorization header is missing",
    )
    KEY_UNKNOWN = Explanation(
        401,
        "There is no such API key.",
        "Check that you copied all of it, or create a new one.",
        "This API key is unknown. Check that you copied all of it, or create a new one.",
    )
    KEY_REVOKED = Explanation(
        401,
        "The API key was revoked, by a person or because its organisation was closed.",
        "Use another key, or create a new one.",
        "This API key has been revoked. Use another one.",
    )
    KEY_EXPIRED = Explanation(
        401,
        "The API key had an end, which has passed.",
        "Use another key, or create a new one.",
        "This API key expired at 2026-11-01T00:00:00Z. Use another one.",
    )
    SIGN_IN_FAILED = Explanation(
        401,
        "A password or a code of two-factor authentication is wrong. Only pages have this error.",
        "Enter it again, or reset the password.",
        "The current password is wrong.",
    )
    SESSION_ENDED = Explanation(
        401,
        "The session in the browser has ended. Only pages have this error.",
        "Sign in again.",
        "Your session has ended. Sign in again.",
    )
    SIGN_IN_LOCKED = Explanation(
        401,
        "The member, or its organisation, is locked. Only pages have this error, and only after the right password.",
        "Ask an admin of the organisation, or the one that the sentence names.",
        "Your login is locked. Ask an admin of your organisation to unlock it.",
    )
    ORGANISATION_LOCKED = Explanation(
        403,
        "The organisation of the API key is locked by its distributor or by the operator. Its data is not touched.",
        "Contact who has locked it: the sentence says why.",
        "The access of your organisation is locked. Reason: Invoice 2026-117 is unpaid",
    )
    PARTNER_SUSPENDED = Explanation(
        403,
        "The partner is suspended: its API keys can only read, and its members cannot change storage accounts.",
        "Contact your distributor: the sentence says why.",
        "Your organisation is suspended, so its storage accounts cannot be changed, and its API keys can only read. "
        "Reason: Invoice 2026-117 is unpaid",
    )
    REAUTHENTICATION_REQUIRED = Explanation(
        403,
        "The change can give access to others and needs a password or code that is not older than ten minutes. Only "
        "pages have this error.",
        "Enter the password or code that the page asks for.",
        "Confirm that it is you, then repeat the change.",
    )
    WRONG_KEY_KIND = Explanation(
        403,
        "The operation is for another kind of organisation than the key's.",
        "Use the key of an organisation of the kind that the sentence names.",
        "This is a partner's key with the role admin; this operation needs a distributor's key with the role staff or "
        "admin.",
    )
    ROLE_TOO_LOW = Explanation(
        403,
        "The role of the key, or of the member, does not permit this.",
        "Use a key with the role that the sentence names, or ask an admin.",
        "Only an admin can create, change or reset a member with the role admin; yours is staff.",
    )
    FORM_OUTDATED = Explanation(
        403,
        "A form was not sent by a page of this session. Only pages have this error.",
        "Reload the page and send the form again.",
        "This form does not belong to your current session. Open the page again and repeat the change.",
    )
    NOT_FOUND = Explanation(
        404,
        "There is no such object, or your organisation has no access to it: the two cannot be distinguished.",
        "Check the ids in the path and in the body.",
        "There is no partner 4b14e456-ef23-46ed-9070-f5eaf1b5ef04.",
    )
    UNKNOWN_PATH = Explanation(
        404,
        "There is no operation at this path.",
        "Compare the path with the list of operations at /swagger/index.html.",
        "There is no such path. The operations are listed at /swagger/index.html.",
    )
    METHOD_NOT_ALLOWED = Explanation(
        405,
        "The path has no operation with this method.",
        "Use one of the methods that the header `Allow` lists.",
        "This path does not support that method. It supports GET, PUT.",
    )
    REQUEST_TOO_SLOW = Explanation(
        408,
        "The request did not arrive in time.",
        "Send it again on a new connection.",
        "The request headers took too long to arrive. Send the request again.",
    )
    BODY_TOO_LARGE = Explanation(
        413,
        "The body is larger than 1 MiB, the maximum.",
        "Send less in one request.",
        "The body is larger than 1048576 bytes. Send a smaller one.",
    )
    UNSUPPORTED_MEDIA_TYPE = Explanation(
        415,
        "The body is not declared as JSON.",
        "Send it with the header `Content-Type: application/json`.",
        "The body must be JSON. Send it with the header Content-Type: application/json.",
    )
    VALIDATION_FAILED = Explanation(
        422,
        "A field of the body, or a parameter of the query, is missing or breaks a rule.",
        "Correct the fields that `errors` names; it has all of them.",
        "name: is required",
    )
    BACKDATED = Explanation(
        422,
        "Prices would begin in the past.",
        "Let them begin today or later. To change what past days cost, repeat it as a correction.",
        "validFrom is in the past; today is 2026-11-24. To change what past days cost, repeat it as a correction.",
    )
    WITHIN_MONTH = Explanation(
        422,
        "A currency, or prices by quantity, would begin or end within a month.",
        "Let the change begin on the first of a month.",
        "validFrom changes the currency from EUR to USD on 2026-11-16; that is possible on the first of a month.",
    )
    VAT_ID_OF_OTHER_COUNTRY = Explanation(
        422,
        "The VAT id of a billing profile is one of another country than its address.",
        "Give the VAT id of the country of the address, or correct the country.",
        "vatId: is one of AT, but the address is in DE; write a VAT id that begins with DE",
    )
    EVENTS_EXPIRED = Explanation(
        410,
        "Events after the one in `after` are not kept any more, so that you may have missed some; or there is none of "
        "that id. Events are kept for 30 days.",
        "Read the lists that you follow again, then read events without `after`.",
        "Events after this one are not kept any more, or there is none of this id. Read the lists that you follow "
        "again, then read events without `after`.",
    )
    PRECONDITION_FAILED = Explanation(
        412,
        "The thing is not in the revision of the `If-Match` header: somebody has changed it since you read it.",
        "Look at its present state, which is in `current`, decide whether your change still applies, and send it with "
        "the `ETag` of this response.",
        "Not changed: somebody has changed it since the revision in your If-Match header. Its present state is in "
        "`current`. Decide whether your change still applies, then send it with the new ETag.",
    )
    IDEMPOTENCY_MISMATCH = Explanation(
        422,
        "The `Idempotency-Key` was used within the last 24 hours for a request with another method, path, query or "
        "body.",
        "Use a new key for each change, and the same one only to send the same request again.",
        "This Idempotency-Key was used for a different request. Use a new key for each change.",
    )
    IDEMPOTENCY_UNSUPPORTED = Explanation(
        422,
        "This installation has no key file, without which it cannot recognise requests.",
        "Send the request without `Idempotency-Key`, or ask the operator to set `TONNAGE_SECRET_KEY_FILE`.",
        "This installation cannot use the header Idempotency-Key, because it has no key file. Send the request without "
        "it, or ask the operator to set TONNAGE_SECRET_KEY_FILE.",
    )
    TOO_MANY_ATTEMPTS = Explanation(
        429,
        "There were too many failed attempts to sign in. Only pages have this error.",
        "Wait for as many seconds as the header `Retry-After` says.",
        "Too many failed attempts. Try again in 5 minutes.",
    )
    TOO_MANY_REQUESTS = Explanation(
        429,
        "The API key was used more often than its limit allows: see the headers `RateLimit-Policy` and `RateLimit`.",
        "Wait for as many seconds as the header `Retry-After` says, and send requests more slowly. The operator can "
        "give the key a higher limit.",
        "Too many requests: this API key can make 50 a second on average, and 500 at once. Send them more slowly, and "
        "this one again after as many seconds as the header Retry-After says.",
        {"limit": 50, "burst": 500},
    )
    HEADERS_TOO_LARGE = Explanation(
        431,
        "The address and the headers of the request are too large, or too many.",
        "Send fewer or smaller ones.",
        "The request has more than 256 headers. Send fewer.",
    )
    INTERNAL_ERROR = Explanation(
        500,
        "An error of the server, not of the request. Its details are in the server's log.",
        "Quote the request id when you report it. Whether a change was made is unknown: check before you try again.",
        "Something went wrong on our side, not with your request. Quote the request id when you report it.",
    )
