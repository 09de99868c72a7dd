"""What the stage `clean` does to a row: one module a kind of matter, put in order by `steps`."""
