"""Tests of the files that banks send."""
