"""The codes of requests that are well, but that the present state forbids."""

from functools import partial

from tonnage.error_codes.code import Code, Explanation

_TB = 10**12

_explained = partial(Explanation, 409)


class ConflictCode(Code):
    """Status 409."""

    CONTRACT_FULL = _explained(
        "The contract has less capacity left than the partner's new allocation needs.",
        "Ask for at most `remaining` bytes, or have the operator amend the contract.",
        "Not enough capacity: the contract has 2 TB (2000000000000 bytes) left for this partner, 5 TB "
        "(5000000000000 bytes) asked. Ask for less, or have the contract amended.",
        {"remaining": 2 * _TB, "requested": 5 * _TB},
    )
    PARTNER_FULL = _explained(
        "The partner has less of its allocation left than the storage account's new one needs.",
        "Ask for at most `remaining` bytes, or have the distributor increase the partner's allocation.",
        "Not enough capacity: the partner has 1 TB (1000000000000 bytes) of its 5 TB (5000000000000 bytes) left, 2 TB "
        "(2000000000000 bytes) asked. Ask for less, or have the partner's allocation increased.",
        {"remaining": 1 * _TB, "allocated": 5 * _TB, "requested": 2 * _TB},
    )
    TOTAL_TOO_LARGE = _explained(
        "The allocations of all accounts together would exceed the largest number of bytes that can be stored.",
        "Ask for less.",
        "Not enough capacity: the partner's other accounts have 5 TB (5000000000000 bytes), and 9.22 EB "
        "(9223372036854775807 bytes) more would exceed the maximum of 9223372036854775807 bytes. Ask for less.",
        {"allocated_to_accounts": 5 * _TB, "requested": 2**63 - 1, "limit": 2**63 - 1},
    )
    ALLOCATED_TO_ACCOUNTS = _explained(
        "The partner, which may have no overdraft, has allocated more to its storage accounts than its new allocation.",
        "Reduce the allocations of its accounts first, or allow overdraft.",
        "The partner has allocated 5 TB (5000000000000 bytes) to its storage accounts, more than 2 TB (2000000000000 "
        "bytes) without overdraft. Reduce their allocations first, or allow overdraft.",
        {"allocated_to_accounts": 5 * _TB, "requested": 2 * _TB},
    )
    ALLOCATED_TO_PARTNERS = _explained(
        "The contract would reserve less than is allocated to its partners.",
        "Reduce their allocations first.",
        "2 TB (2000000000000 bytes) is less than the 5 TB (5000000000000 bytes) allocated to the contract's partners. "
        "Reduce their allocations first.",
        {"requested": 2 * _TB, "allocated_to_partners": 5 * _TB},
    )
    OTHER_CURRENCY = _explained(
        "A partner moves only to a contract in its own currency, and a contract has only price books in its currency.",
        "Choose a contract, or a price book, in that currency.",
        "The other contract has another currency. Move the partner to a contract in its own currency.",
    )
    DEFAULT_PRICE_BOOK = _explained(
        "A seller has at most one default price book, which applies to all of its buyers without another one.",
        "Publish a version of the default book, or create the book without being the default and assign it.",
        "There is a default price book already. Publish a version of that one, or create this one without being the "
        "default and assign it.",
    )
    VERSION_PUBLISHED = _explained(
        "A published version of a price book never changes.",
        "Add a new version for the day on which prices change.",
        "Version 2 is published and never changes. Add a new version for the day on which prices change.",
    )
    MONTH_NOT_OVER = _explained(
        "Only a month that is over can be frozen; months are in UTC.",
        "Freeze it from the first day of the next month on.",
        "The month 2026-11 is not over. It can be frozen from 2026-12-01 on.",
    )
    USAGE_INCOMPLETE = _explained(
        "A storage cluster has not been sampled since the end of the month.",
        "Freeze it when the cluster has been sampled, or with `incomplete`.",
        "The usage of the region eu-central-2 is known until 2026-11-30 21:00 UTC. Freeze the month when its cluster "
        "has been sampled.",
    )
    FREEZE_IN_PROGRESS = _explained(
        "Statements of yours are being frozen at this moment.",
        "Wait until that is done, and look at the month again.",
        "A month of yours is being frozen already. Try again when that is done.",
    )
    NUMBER_TAKEN = _explained(
        "Two of a seller's formats of numbers give the same number, such as `A{number}` and `A{number:02}` from 10 on.",
        "Set another format in the seller's billing settings, and try again.",
        "Your format of numbers gives one that another statement has. Set another format, and try again.",
    )
    STATEMENT_PAID = _explained(
        "A statement is marked as paid once.",
        "Look at the day and the reference that it has.",
        "Statement INV-2026-00012 is paid already, on 2026-12-17 with the reference 4711.",
    )
    STATEMENT_STATE = _explained(
        "The statement is void, a credit note, taken back by credit notes, or its month was corrected.",
        "Follow the message: a credit note takes back what cannot be void, an adjustment what a credit note cannot.",
        "Statement INV-2026-00012 is void since 2026-12-05: Wrong address",
    )
    TERMS_CHANGED = _explained(
        "Terms are to apply from a day before the present ones began, or the contract. Only commands have this error.",
        "Choose that day or a later one; for the days before make an adjustment.",
        "The present terms, or the contract, began on 2026-10-20. Choose that day or a later one; for the days before "
        "make an adjustment.",
    )
    MONTH_FROZEN = _explained(
        "Terms or prices are to apply from a day in a month that is frozen.",
        "Repeat it as a correction, with `correct` or `--correct`, or choose a later day.",
        "The months before 2026-11-01 are frozen. To charge or credit the difference by an adjustment, repeat it as a "
        "correction; else choose that day or a later one.",
    )
    CREDIT_TOO_HIGH = _explained(
        "A credit note takes back what earlier ones, and adjustments that correct the month, have left.",
        "Take back what is left, or less.",
        "Of line 2 of INV-2026-00012 EUR 40.00 is left to take back, and not EUR 50.00.",
    )
    SUSPENDED_PARTNER = _explained(
        "The partner is suspended, so no storage account is created.",
        "Resume the partner first.",
        "The partner is suspended, so it gets no new storage accounts. Resume it first.",
    )
    PARTNER_NOT_EMPTY = _explained(
        "The partner has storage accounts; those waiting for deletion count.",
        "Delete its accounts, and wait until they are gone.",
        "The partner still has 3 storage accounts, including those waiting for deletion. Delete them and wait until "
        "they are gone.",
        {"accounts": 3},
    )
    DISTRIBUTOR_NOT_EMPTY = _explained(
        "The distributor has partners. Only pages and commands have this error.",
        "Delete its partners: with `tonnage partner close`, on the distributor's own pages or with its API keys.",
        "The distributor still has 3 partners. Delete them first; you can do it with `tonnage partner close`.",
        {"partners": 3},
    )
    ORGANISATION_OPEN = _explained(
        "The names and texts of an organisation are erased after it was closed.",
        "Close it first.",
        "The organisation is open. Close it first: nothing of an organisation that works can be erased.",
    )
    EMAIL_TAKEN = _explained(
        "A new member, or a new storage account, cannot have this e-mail address, because another one has it.",
        "Use another address.",
        "The e-mail address ann@company.com cannot be used for a new member. Use another one.",
    )
    NO_REGION = _explained(
        "There is no region yet in which a storage account could be created.",
        "Ask the operator to add one.",
        "There is no region for storage accounts yet. Ask the operator to add one.",
    )
    ACCOUNT_DELETING = _explained(
        "The storage account is being deleted now; its grace period has passed.",
        "Nothing: this cannot be undone.",
        "The account is being deleted and can no longer be changed or restored.",
    )
    TOO_MANY_ACCESS_KEYS = _explained(
        "The storage account has the maximum number of access keys, here or on its storage cluster.",
        "Delete one first.",
        "The account has 10 access keys and the limit is 10. Delete one first.",
        {"keys": 10, "limit": 10},
    )
    TOO_MANY_PARTNERS = _explained(
        "The distributor has as many partners as the installation allows.",
        "Close a partner first, or ask the operator for more.",
        "The distributor has the maximum number of partners, 200000. Close one first, or ask the operator for more.",
        {"limit": 200_000},
    )
    TOO_MANY_ACCOUNTS = _explained(
        "The partner has as many storage accounts as the installation allows; those waiting for deletion count.",
        "Delete an account and wait until it is gone, or ask the operator for more.",
        "The partner has the maximum number of storage accounts, 100000, including those waiting for deletion. Ask the "
        "operator for more.",
        {"limit": 100_000},
    )
    TOO_MANY_MEMBERS = _explained(
        "The organisation has as many members as the installation allows.",
        "Remove a member first, or ask the operator for more.",
        "The organisation has the maximum number of members, 1000. Remove one first, or ask the operator for more.",
        {"limit": 1000},
    )
    TOO_MANY_API_KEYS = _explained(
        "The organisation has the maximum number of working API keys. Only pages and commands have this error.",
        "Revoke a key first, or ask the operator for more.",
        "The organisation has the maximum number of API keys, 1000. Revoke one first, or ask the operator for more.",
        {"limit": 1000},
    )
    METERED_ONLY = _explained(
        "The region of this storage account is not connected to a cluster, so there are no access keys here.",
        "Create access keys on the cluster itself.",
        "The region of this account is metered only. Its access keys are created on the cluster itself.",
    )
    CLUSTER_REFUSED = _explained(
        "The storage cluster refuses the request, or the account as a whole.",
        "Change what the sentence names, or ask the operator.",
        "The storage cluster refused the request: another user of the cluster has this e-mail address (EmailExists).",
    )
    CHANGED_MEANWHILE = _explained(
        "The same data was changed by somebody else at the same moment.",
        "Read it again, then decide whether to repeat the change.",
        "This change contradicts other data, which may have been changed at the same moment.",
    )
    IDEMPOTENCY_IN_PROGRESS = _explained(
        "A request with this `Idempotency-Key` is in progress.",
        "Send it again after `Retry-After` seconds: it gets the same response.",
        "A request with this Idempotency-Key is in progress. Send it again in a few seconds.",
    )
    SECRET_NOT_KEPT = _explained(
        "The access key was created, but its secret cannot be decrypted any more: the operator has replaced the keys.",
        "Delete the access key, and create another one.",
        "The access key was created, but its secret cannot be shown again, because the operator has replaced the keys "
        "of this installation. Delete it, and create another one.",
    )
    LAST_ADMIN = _explained(
        "An organisation cannot be left without an admin who can sign in.",
        "Make another member an admin first.",
        "This is the only admin who can sign in. Make another member an admin first.",
    )
    LOCK_NOT_YOURS = _explained(
        "Nobody can lock oneself, nor change a lock of the operator. Only pages have this error.",
        "Ask another admin, or the operator.",
        "Example was locked by Operator. Only Operator can change that.",
    )
    OWN_CREDENTIALS = _explained(
        "One's own password and second factor cannot be reset as those of others. Only pages have this error.",
        "Change them on the profile page.",
        "This is your own password. Change it in your profile.",
    )
    PAY_PER_USE = _explained(
        "The storage account or the partner is pay-per-use, so there is no allocation that could be overridden.",
        "Set an allocation first, or leave it: nothing limits it.",
        "Pay-per-use has no allocation that could be overridden: nothing limits it. Set an allocation first.",
    )
    ACCOUNTS_OVERRIDDEN = _explained(
        "The partner's override cannot end before those of its storage accounts that are taken out of it.",
        "End the overrides of the storage accounts first, or leave it: all end with it on its last day.",
        "Overrides of the partner's storage accounts are taken out of this one. End them first.",
    )
    NO_OVERDRAFT = _explained(
        "The storage account or the partner has neither overdraft nor pay-per-use, so there is nothing to cap.",
        "Allow overdraft first, or leave it: the allocation is the limit.",
        "Without overdraft there is nothing to cap. Allow overdraft first.",
    )
    NO_PRICE = _explained(
        "Usage beyond the allocation has no price today, or prices in several currencies.",
        "Assign a price book, or set the cap in percent or bytes.",
        "Usage beyond the allocation has no price today. Assign a price book, or set the cap in percent or bytes.",
    )
    SECOND_FACTOR = _explained(
        "Two-factor authentication is set up, required or missing. Only pages have this error.",
        "Do what the sentence says.",
        "You already have two-factor authentication. Remove it before you set it up again.",
    )
    NO_SECRET_KEY = _explained(
        "The system has no key to encrypt secrets with, or another one than that of its database.",
        "The operator must set TONNAGE_SECRET_KEY_FILE to the right file.",
        "Credentials are stored encrypted. Set TONNAGE_SECRET_KEY_FILE, and see `tonnage secret create`.",
    )
    TOO_MANY_WEBHOOKS = _explained(
        "The organisation has the greatest number of webhooks, or a webhook the greatest number of secrets.",
        "Delete a webhook, or revoke the older secret, before you create another one.",
        "The webhook has two secrets, and no third one. Revoke the older one first.",
    )
    REGION_IN_USE = _explained(
        "A region has that name, or still has storage accounts.",
        "Choose another name, or delete its accounts first.",
        "The region eu-central-2 still has storage accounts. Delete them first.",
    )
    NOT_A_SANDBOX = _explained(
        "The database is no sandbox, so its clock cannot be advanced and no usage can be made up.",
        "Start a sandbox, with a database of its own: `tonnage serve --sandbox`.",
        "This is no sandbox, and cannot become one. Start one with a database of its own: tonnage serve --sandbox",
    )
    IS_A_SANDBOX = _explained(
        "The database is a sandbox: with its clock, what is due would be deleted on a real storage cluster.",
        "Connect the cluster in another database.",
        "This is a sandbox, whose clock can be advanced. Connect clusters in another database.",
    )
    CLOCK_NEVER_BACK = _explained(
        "The clock of the sandbox has passed that time already.",
        "Ask for a later time, or begin with a new sandbox.",
        "The clock of this sandbox is at 2026-12-04T00:00:00Z and never goes back, not to 2026-11-01T00:00:00Z either. "
        "Ask for a later time, or begin with a new sandbox.",
    )
    ADVANCE_IN_PROGRESS = _explained(
        "The clock of the sandbox is being advanced by another request or command.",
        "Wait until it is there, then repeat the request if it is still needed.",
        "The clock of this sandbox is being advanced already. Try again when it is there.",
    )
    NOT_ADOPTABLE = _explained(
        "A user of a storage cluster cannot become a storage account, or is one already.",
        "See the reason in the sentence.",
        "This user of the storage cluster is a storage account already.",
    )
    NOTHING_TO_DECIDE = _explained(
        "There is no difference between the cluster and the database of the kind that was to be resolved.",
        "Compare them again: `tonnage storage drift`.",
        "This access key is known here and on the cluster: there is nothing to decide.",
    )
    MAIL_REFUSED = _explained(
        "The mail server can never deliver this mail.",
        "Do what the sentence says, then run the job again.",
        "The mail server accepts only ASCII before the @ of an address (it does not offer SMTPUTF8). Give the member "
        "another address, or set TONNAGE_SMTP_URL to a server that accepts it and run the job again.",
    )
