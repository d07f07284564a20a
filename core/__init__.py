"""Guichet's inside: the rules, the data and the screens of a telecom operator's customer-care console."""
