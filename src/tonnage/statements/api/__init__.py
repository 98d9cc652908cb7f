"""The API of statements and months."""

from tonnage.statements.api import months, statements

routes = (statements.routes, months.routes)
