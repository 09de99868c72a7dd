"""Values and rules that every other part shares. Imports the standard library and platformdirs only."""
