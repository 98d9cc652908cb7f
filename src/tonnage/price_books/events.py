"""The events of price books: what their audit entries are called."""

from tonnage.access.event import EVERY_KIND, Event

EVENTS = (
    Event("prices.create-book", "Created price book", EVERY_KIND),
    Event("prices.add-draft", "Added draft of prices", EVERY_KIND),
    Event("prices.change-draft", "Changed draft of prices", EVERY_KIND),
    Event("prices.delete-draft", "Deleted draft of prices", EVERY_KIND),
    Event("prices.publish", "Published prices", EVERY_KIND, type="prices.published", is_private=True),
    Event("prices.assign-book", "Assigned price book", EVERY_KIND, type="prices.assigned", is_private=True),
)
