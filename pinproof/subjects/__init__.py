"""What scenarios are run on: one implementation a file, behind the seam of `protocol.py`."""
