"""What can be done: one module per noun, `verb(session, actor, *, typed input) -> plain value`. Nothing here commits."""

from core.services import search_index  # noqa: F401 - importing any service is what makes the search follow each change
