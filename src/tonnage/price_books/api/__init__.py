"""The API of price books: the books, their versions, and their assignments."""

from fastapi import APIRouter

from tonnage.price_books.api import assignments, books, versions

routes: tuple[APIRouter, ...] = (books.routes, versions.routes, assignments.routes)
