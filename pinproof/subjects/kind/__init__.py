"""The kind subject: real clusters with made machines."""
