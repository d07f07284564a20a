"""Papers: a plain value goes in, the bytes of a PDF come out. Knows no database."""
