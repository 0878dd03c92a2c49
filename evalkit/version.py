"""Version of evalkit, read by the build and printed in every stamp."""

__version__ = "0.1.0"
