"""Tools for those who maintain evalkit. Nothing here ships in the package."""
