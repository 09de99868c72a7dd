"""Pure functions over text: what the person's words ask for, and what the model's words may not say."""
