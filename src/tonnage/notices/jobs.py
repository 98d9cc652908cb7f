"""Background jobs that mail members about logins, API keys and webhooks."""

from uuid import UUID

from tonnage.errors import Sentence
from tonnage.jobs.declaration import job
from tonnage.notices import actions
from tonnage.services import Services


@job(
    "notices.notify",
    label=Sentence("Find whom to notify of a change of a login"),
    since="0004",
    waits_on_hold=True,
)
async def notify(services: Services, subject: str) -> None:
    """`subject`: the id of an entry of the audit log."""
    await actions.notify(services.database, services.mailer, int(subject))


@job("notices.send", label=Sentence("Notify member of a change of the login"), since="0004", waits_on_hold=True)
async def send(services: Services, subject: str) -> None:
    """`subject`: the id of an entry, and that of a member."""
    entry, _, member = subject.partition("/")
    await actions.send(services.database, services.mailer, int(entry), UUID(member))
