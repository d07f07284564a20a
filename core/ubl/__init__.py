"""E-invoices in UBL 2.1: an issued bill in, XML out. Nothing here knows the database."""
