"""What the stages `evaluate`, `card`, `publish` and the commands `export` and `precision` measure with and write."""
