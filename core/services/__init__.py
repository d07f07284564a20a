"""What can be done: one module per noun, `verb(session, actor, *, typed input) -> plain value`. Nothing here commits."""
