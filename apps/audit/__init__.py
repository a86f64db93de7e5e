"""Append-only record of who did what; names things by uuid so that it stands below everything it records."""
