"""A notes service."""
