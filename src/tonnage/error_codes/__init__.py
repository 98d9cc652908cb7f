"""The closed list of error codes, with what each means and what to do: one table in three files, by the errors that
they belong to. The API documents, the pages at /errors and the tests read it.
"""

from tonnage.error_codes.code import Code, Explanation
from tonnage.error_codes.conflict import ConflictCode
from tonnage.error_codes.request import RequestCode
from tonnage.error_codes.unavailable import UnavailableCode

__all__ = ["CODES", "Code", "ConflictCode", "Explanation", "RequestCode", "UnavailableCode"]

CODES: tuple[Code, ...] = (*RequestCode, *ConflictCode, *UnavailableCode)
"""All of them."""
