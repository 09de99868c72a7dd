"""From the files of a source to rows.

`located` finds them, `records` reads them as mappings of columns, one module a form turns a record into rows.

CSV, TSV, JSON and JSONL are read with the standard library, a line at a time where the format has lines. `datasets`
reads them through pandas and Arrow, where one line with too many cells, one quote that does not close, one broken
object or one byte of another encoding ends the reading of the file. It reads what it is made for: Parquet (streamed, so
that no second copy of people's conversations is left in its cache), folders that a data set was saved to, and the hub.
"""
