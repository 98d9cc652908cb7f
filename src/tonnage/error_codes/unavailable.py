"""The codes of requests that may succeed when they are repeated later."""

from tonnage.error_codes.code import Code, Explanation


class UnavailableCode(Code):
    """Status 503."""

    DATABASE_UNAVAILABLE = Explanation(
        503,
        "The database cannot be reached, is too busy, or is not of this version of the program.",
        "Try again after as many seconds as `Retry-After` says. Nothing was changed.",
        "The database cannot be reached or is too busy. Try again in a few seconds.",
    )
    DATABASE_READ_ONLY = Explanation(
        503,
        "The database accepts no changes at the moment, such as during a fail-over or while its disk is full.",
        "Try again after as many seconds as `Retry-After` says. Nothing was changed; reading works.",
        "The database accepts no changes at the moment. Try again in a few seconds.",
    )
    IN_DOUBT = Explanation(
        503,
        "The database did not confirm the change, so it may or may not have been made.",
        "Read the object to find out, before you try again.",
        "The database did not confirm the change, so it may or may not have been made. Check before you try again.",
    )
    LOCKED = Explanation(
        503,
        "The same data is being changed by others at the moment.",
        "Try again after as many seconds as `Retry-After` says. Nothing was changed.",
        "The same data is being changed by somebody else at the moment. Try again in a few seconds.",
    )
    BUSY = Explanation(
        503,
        "Your organisation, or your address, already has as many requests in progress as it may have at once.",
        "Send fewer requests at once; try again after as many seconds as `Retry-After` says.",
        "Your organisation already has the maximum number of requests in progress that wait for the database. Try "
        "again when some of them have finished.",
    )
    CLUSTER_UNAVAILABLE = Explanation(
        503,
        "The storage cluster cannot be reached, does not answer in time, or cannot be used before the operator has "
        "changed something.",
        "Try again after as many seconds as `Retry-After` says. If it lasts, ask the operator.",
        "The storage cluster did not answer in time. Try again later.",
    )
    NOT_PROVISIONED = Explanation(
        503,
        "The storage account is not on its storage cluster yet.",
        "Try again in a moment.",
        "The account is not on the storage cluster yet. Try again in a moment.",
    )
    ACCESS_KEYS_PENDING = Explanation(
        503,
        "The storage account has the maximum number of access keys, of which some are being created or deleted.",
        "Try again in a few minutes.",
        "The account has 10 access keys (2 being created or deleted) and the limit is 10. Try again in a few minutes.",
        {"keys": 10, "pending": 2, "limit": 10},
    )
    NUMBERS_NOT_RECORDED = Explanation(
        503,
        "Numbers of documents are recorded outside of the database before they are given, and no place for that works.",
        "Try again later. If it lasts, ask the operator: the data directory or a storage cluster has to work.",
        "The number could be recorded neither in the data directory nor on a storage cluster, and would be given a "
        "second time after a restore from a backup. Try again when one of them works.",
    )
    ON_HOLD = Explanation(
        503,
        "The database may have been restored from a backup; until the operator confirms it, nothing is changed on "
        "clusters.",
        "The operator must run `tonnage restore check`.",
        "The database is older than a moment ago. The next check finds out why.",
    )
    MAIL_UNAVAILABLE = Explanation(
        503,
        "The mail server cannot be reached or does not accept mail at the moment.",
        "The job that sends the mail is repeated.",
        "The mail server did not accept the mail: SMTPConnectError.",
    )
    CLOCKS_DIFFER = Explanation(
        503,
        "The clocks of this machine and of the database differ too much.",
        "The operator must synchronise both with NTP.",
        "The clocks of this machine and of the database differ. Synchronise them with NTP.",
    )
    SECRETS_UNREADABLE = Explanation(
        503,
        "A stored secret cannot be decrypted with the key file.",
        "The operator must check the key file.",
        "Codes cannot be checked at the moment. The operator must check the key file.",
    )
