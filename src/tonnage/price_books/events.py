"""The events of price books: what their audit entries are called."""

from tonnage.access.event import EVERY_KIND, Event

EVENTS = (
    Event("price_book.create", "Created price book", EVERY_KIND),
    Event("price_book.add_draft", "Added draft of prices", EVERY_KIND),
    Event("price_book.change_draft", "Changed draft of prices", EVERY_KIND),
    Event("price_book.delete_draft", "Deleted draft of prices", EVERY_KIND),
    Event("price_book.publish", "Published prices", EVERY_KIND),
    Event("price_book.assign", "Assigned price book", EVERY_KIND),
)
