"""What the YAML file of a run holds: one frozen dataclass a section, one module a section."""
