"""The interactive door: widgets that collect, call one function and show."""
