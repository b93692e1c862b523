"""One module a row of the table: a `TITLE`, and the `contenders` that do its work."""
