"""Pure functions from domain values to what is shown; no widget is imported here."""
