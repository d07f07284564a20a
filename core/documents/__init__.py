"""Papers from customers: what may come in, and where the bytes lie."""
